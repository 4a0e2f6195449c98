//! What policies save, beside the bound that hindsight sets: `cargo run --release -p lecmux-sim --example savings`.
//!
//! Zipf 0.8 over a universe of as many queries as there are requests, room for 1 % of them, costs by query.
//! Arguments: number of requests (default 1,000,000), first seed (0), number of seeds (1).

use std::time::Instant;

use lecmux_core::error::Error;
use lecmux_core::estimate::Estimator;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::evict::Policy;
use lecmux_sim::bound::{pfoo_l, uncached};
use lecmux_sim::laws::{CostLaw, Drift, Law};
use lecmux_sim::{Estimates, Settings, Trace, replay};

const ZIPF: f64 = 0.8;
const ROOM: usize = 100;
/// Deviation of the logarithm of a lognormal cost.
const SPREAD: f64 = 1.5;
/// Under drift, a fifth of the ranks changes hands this many times in a trace.
const CHANGES: usize = 10;
const LEC: Policy = Policy::Lec { bypass: true };

struct Row {
    name: &'static str,
    policy: Policy,
    decay: DecayRule,
}

const ROWS: [Row; 7] = [
    Row { name: "LRU", policy: Policy::Lru, decay: DecayRule::None },
    Row { name: "S3-FIFO", policy: Policy::S3Fifo { small_share: 0.1 }, decay: DecayRule::None },
    Row { name: "LFU, all counts kept", policy: Policy::Lfu { bypass: true }, decay: DecayRule::None },
    Row { name: "GDSF", policy: Policy::Gdsf { keep_counts: true, bypass: false }, decay: DecayRule::None },
    Row { name: "LEC, never decaying", policy: LEC, decay: DecayRule::None },
    Row { name: "LEC, aged", policy: LEC, decay: DecayRule::HalfLife(100_000.0) },
    Row { name: "LEC (default)", policy: LEC, decay: DecayRule::SelfTuned },
];

fn laws(requests: usize) -> [(&'static str, Law); 3] {
    let law = |costs, drift| Law { requests, universe: requests, zipf: ZIPF, costs, drift };
    let drift = Drift { share: 0.2, every: (requests / CHANGES).max(1) };
    [
        ("lognormal", law(CostLaw::LogNormal(SPREAD), None)),
        ("Pareto 1.2", law(CostLaw::Pareto(1.2), None)),
        ("drift 20 %, lognormal", law(CostLaw::LogNormal(SPREAD), Some(drift))),
    ]
}

fn settings(row: &Row, capacity: u64, seed: u64) -> Settings<'static> {
    Settings {
        decay: row.decay,
        estimates: Estimates::InShard,
        seed,
        ..Settings::new(
            capacity,
            row.policy,
            Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 },
        )
    }
}

fn table(name: &str, law: &Law, seed: u64) -> Result<(), Error> {
    let drawn = law.draw(seed)?;
    let trace = Trace::new(&drawn.ids, &drawn.costs, 1, None)?;
    let capacity = (law.universe / ROOM).max(1) as u64;
    let paid = uncached(&trace, None);
    let bound = pfoo_l(&trace, capacity, None) / paid;
    println!("\n{name}, seed {seed}: {} requests, room for {capacity}", law.requests);
    println!("{:<24}{:>8}{:>10}{:>14}", "", "saved", "of bound", "us a request");
    for row in &ROWS {
        let began = Instant::now();
        let run = replay(&trace, &settings(row, capacity, seed))?;
        let micros = began.elapsed().as_secs_f64() * 1e6 / law.requests.max(1) as f64;
        let saved = 1.0 - run.total_cost / paid;
        println!("{:<24}{saved:>8.3}{:>10.3}{micros:>14.2}", row.name, saved / bound);
    }
    println!("{:<24}{bound:>8.3}{:>10.3}", "offline bound (PFOO-L)", 1.0);
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |or| numbers.next().and_then(Result::ok).unwrap_or(or);
    let (requests, first, seeds) = (next(1_000_000), next(0), next(1));
    for (name, law) in laws(requests) {
        for seed in first..first + seeds {
            table(name, &law, seed as u64)?;
        }
    }
    Ok(())
}
