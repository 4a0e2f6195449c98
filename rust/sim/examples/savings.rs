//! What policies save, beside the bound that hindsight sets: `cargo run --release -p lecmux-sim --example savings`.
//!
//! Zipf 0.8 over a universe of as many queries as there are requests, room for 1 % of them, costs by query.
//! Arguments: number of requests (default 1,000,000), first seed (0), number of seeds (4).

use std::time::Instant;

use lecmux_core::error::Error;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
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

fn settings(row: &Row, capacity: u64, seed: u64) -> Settings {
    Settings {
        capacity,
        policy: row.policy,
        decay: row.decay,
        rescore: false,
        estimator: Estimator::ValueOfInformation { z: 2.0, s0: None },
        range: CostRange { floor: 0.0, ceiling: None },
        estimates: Estimates::InShard,
        arm: None,
        seed,
    }
}

/// Sums over seeds: share of cost saved, share of the bound, microseconds a request.
#[derive(Clone, Copy, Default)]
struct Sums {
    saved: f64,
    of_bound: f64,
    least_of_bound: f64,
    micros: f64,
}

impl Sums {
    fn add(&mut self, saved: f64, bound: f64, micros: f64) {
        let of_bound = saved / bound;
        let least = if self.saved == 0.0 { of_bound } else { self.least_of_bound.min(of_bound) };
        *self = Self {
            saved: self.saved + saved,
            of_bound: self.of_bound + of_bound,
            least_of_bound: least,
            micros: self.micros + micros,
        };
    }

    fn print(&self, name: &str, seeds: usize) {
        let mean = |sum: f64| sum / seeds as f64;
        println!(
            "{name:<24}{:>8.3}{:>10.3}{:>10.3}{:>14.2}",
            mean(self.saved),
            mean(self.of_bound),
            self.least_of_bound,
            mean(self.micros)
        );
    }
}

fn table(name: &str, law: &Law, seeds: std::ops::Range<usize>) -> Result<(), Error> {
    let capacity = (law.universe / ROOM).max(1) as u64;
    let (mut sums, mut bounds) = ([Sums::default(); ROWS.len()], Sums::default());
    for seed in seeds.clone() {
        let drawn = law.draw(seed as u64)?;
        let trace = Trace::new(&drawn.ids, &drawn.costs, 1, None)?;
        let paid = uncached(&trace, None);
        let bound = pfoo_l(&trace, capacity, None) / paid;
        bounds.add(bound, bound, 0.0);
        for (row, sums) in ROWS.iter().zip(&mut sums) {
            let began = Instant::now();
            let run = replay(&trace, &settings(row, capacity, seed as u64))?;
            let micros = began.elapsed().as_secs_f64() * 1e6 / law.requests.max(1) as f64;
            sums.add(1.0 - run.total_cost / paid, bound, micros);
        }
    }
    println!("\n{name}: {} requests, room for {capacity}, means of seeds {seeds:?}", law.requests);
    println!("{:<24}{:>8}{:>10}{:>10}{:>14}", "", "saved", "of bound", "least", "us a request");
    for (row, sums) in ROWS.iter().zip(&sums) {
        sums.print(row.name, seeds.len());
    }
    bounds.print("offline bound (PFOO-L)", seeds.len());
    Ok(())
}

fn main() -> Result<(), Error> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |or| numbers.next().and_then(Result::ok).unwrap_or(or);
    let (requests, first, seeds) = (next(1_000_000), next(0), next(4).max(1));
    for (name, law) in laws(requests) {
        table(name, &law, first..first + seeds)?;
    }
    Ok(())
}
