//! Requests a second of the core alone: hits, misses, and puts that evict; one thread and two.
//!
//! `cargo bench -p lecmux-core --bench requests` prints the best of many short rounds, so that a busy machine
//! disturbs few of them. The marks are printed beside and asserted nowhere: they depend on the machine.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use lecmux_core::cache::{Cache, Terms};
use lecmux_core::config::CacheConfig;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_core::key::{Key, KeyRef};
use lecmux_core::shard::{Cost, NEVER, Outcome};

const ROUNDS: usize = 60;
/// Requests a thread and round.
const REQUESTS: usize = 20_000;
/// Rounds until the same texts are asked for again.
const LISTS: usize = 10;
const VALUE_BYTES: u64 = 1000;
const SHARDS: u32 = 8;

/// xorshift64*, enough to draw keys with.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        usize::try_from((high * end as u64) >> 32).unwrap_or(0)
    }
}

/// About 200 bytes, as a chat's key has.
fn text(at: usize) -> String {
    format!("{at:012} {:180}", "what is the capital of the country that lies to the west of it?")
}

fn key(text: &str) -> KeyRef<'_> {
    KeyRef { scope: "", fingerprint: "", text }
}

/// Puts at one of seven costs.
fn put(cache: &Cache<u64>, text: &str, at: usize, removed: &mut Vec<(Key, u64)>) -> Outcome {
    let cost = Cost::Observed(1.0 + (at % 7) as f64);
    let terms = Terms { value_bytes: VALUE_BYTES, cost, hit_cost: 0.0, given: None, expires_ms: NEVER };
    let outcome = cache.put(key(text), at as u64, terms, 0, removed);
    removed.clear();
    outcome.unwrap_or(Outcome::Bypassed)
}

/// A cache of `entries`, with room for a few more or none.
fn filled(entries: usize, policy: Policy, full: bool) -> Cache<u64> {
    let each = VALUE_BYTES + text(0).len() as u64 + 24 + 160;
    // A sixteenth is for the history.
    let capacity_bytes = entries as u64 * each * 16 / 15 * if full { 10 } else { 12 } / 10;
    let config = CacheConfig {
        capacity_bytes,
        policy,
        decay: DecayRule::SelfTuned,
        rescore: false,
        estimator: Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 },
        range: CostRange { floor: 0.0, ceiling: None },
        tenant_share: 1.0,
        shards: Some(SHARDS),
        seed: 1,
    };
    let cache = Cache::new(config).unwrap_or_else(|error| unreachable!("{error}"));
    let mut removed = Vec::new();
    for at in 0..entries {
        put(&cache, &text(at), at, &mut removed);
    }
    cache
}

/// Runs `work` on `threads` at once, given round and thread; the time from the first start to the last end,
/// best of all rounds.
fn best(threads: usize, work: impl Fn(usize, usize) + Sync) -> Duration {
    let run = |round: usize, me: usize, start: &Barrier| {
        start.wait();
        let began = Instant::now();
        work(round, me);
        (began, Instant::now())
    };
    let round = |round: usize| {
        let start = Barrier::new(threads);
        let times: Vec<(Instant, Instant)> = thread::scope(|scope| {
            let spawn = |me| {
                scope.spawn({
                    let (run, start) = (&run, &start);
                    move || run(round, me, start)
                })
            };
            let workers: Vec<_> = (0..threads).map(spawn).collect();
            workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
        });
        let began = times.iter().map(|time| time.0).min();
        let ended = times.iter().map(|time| time.1).max();
        ended.zip(began).map_or(Duration::MAX, |(ended, began)| ended - began)
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

/// Requests a second, in millions.
fn rate(requests: usize, took: Duration) -> f64 {
    requests as f64 / took.as_secs_f64() / 1e6
}

/// Fresh texts in the order they are asked for, as requests come in from a framework.
fn asked(entries: usize, offset: usize) -> Vec<Vec<String>> {
    let mut draw = Draw(11);
    let mut list = || (0..REQUESTS).map(|_| text(draw.below(entries) + offset)).collect();
    (0..2 * LISTS).map(|_| list()).collect()
}

fn requests(name: &str, entries: usize, offset: usize) {
    let cache = filled(entries, Policy::Lec { bypass: true }, false);
    let asked = asked(entries, offset);
    let ask = |round: usize, me: usize| {
        for text in &asked[(2 * round + me) % asked.len()] {
            black_box(cache.request(cache.hash(key(text)), key(text), 0, |found| *found.value()));
        }
    };
    let one = rate(REQUESTS, best(1, ask));
    let two = rate(2 * REQUESTS, best(2, ask));
    println!("{name:<6} {entries:>9} {one:>10.1} {two:>11.1} {:>6.2}", two / one);
}

fn puts(entries: usize) {
    let cache = filled(entries, Policy::Lec { bypass: false }, true);
    let (mut removed, mut fastest, mut evicting) = (Vec::new(), f64::NAN, 0);
    for round in 0..ROUNDS {
        let texts: Vec<String> = (0..REQUESTS).map(|at| text(entries + round * REQUESTS + at)).collect();
        let began = Instant::now();
        let mut stored = 0;
        for (at, text) in texts.iter().enumerate() {
            let outcome = put(&cache, text, at, &mut removed);
            stored += usize::from(matches!(outcome, Outcome::Stored { evicted } if evicted > 0));
        }
        fastest = fastest.max(rate(stored, began.elapsed()));
        evicting += stored;
    }
    let all = ROUNDS * REQUESTS;
    println!(
        "{:<6} {entries:>9} {fastest:>10.1} {:>11} {:>6}   ({evicting} of {all} evicted)",
        "put", "", ""
    );
}

fn main() {
    println!("millions a second: 200-byte keys, {SHARDS} shards, best of {ROUNDS} rounds of {REQUESTS}");
    println!("mark: hit 15 on one thread, 1.8 times as many on two");
    println!("{:<6} {:>9} {:>10} {:>11} {:>6}", "what", "entries", "one thread", "two threads", "ratio");
    for entries in [1_000, 10_000, 100_000, 1_000_000] {
        requests("hit", entries, 0);
        requests("miss", entries, 10_000_000);
        puts(entries);
    }
}
