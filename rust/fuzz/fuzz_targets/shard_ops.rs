//! Any operations on a shard: the invariants hold after each, and a hit gives what was put last.
#![no_main]

use std::collections::HashMap;

use arbitrary::Arbitrary;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_core::shard::{Cost, NEVER, NewEntry, Shard, ShardConfig};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    policy: u8,
    decay: u8,
    estimator: u8,
    rescore: bool,
    tenant_tenths: u8,
    budget: u16,
    history_bytes: u16,
    ops: Vec<Op>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Request(u8),
    Put { key: u8, bytes: u16, cost: f64, kind: u8, hit_cost: f32, given: Option<f64>, ttl: Option<u8> },
    Delete(u8),
    DeleteHash(u8),
    Clear(u8),
    Revalue(u8, f64, f32, Option<f64>),
    Remember(u8, f32),
    ForgetHistory,
    Later(u8),
}

fn config(input: &Input) -> ShardConfig {
    let bypass = input.policy & 8 == 0;
    ShardConfig {
        budget: u64::from(input.budget).max(1),
        overhead: 3,
        history_bytes: usize::from(input.history_bytes),
        policy: match input.policy % 6 {
            0 => Policy::Lec { bypass },
            1 => Policy::Gdsf { keep_counts: input.policy & 16 == 0, bypass },
            2 => Policy::Lfu { bypass },
            3 => Policy::Lru,
            4 => Policy::Given { bypass },
            _ => Policy::S3Fifo { small_share: 0.1 },
        },
        decay: match input.decay % 4 {
            0 => DecayRule::None,
            1 => DecayRule::HalfLife(0.1),
            2 => DecayRule::HalfLife(30.0),
            _ => DecayRule::SelfTuned,
        },
        rescore: input.rescore,
        estimator: match input.estimator % 5 {
            0 => Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 },
            1 => Estimator::Hoeffding { delta: 0.01, horizon: 1000, queries: 10 },
            2 => Estimator::EmpiricalBernstein { delta: 0.01, horizon: 1000, queries: 10 },
            3 => Estimator::SqrtBonus { queries: 10 },
            _ => Estimator::PlugIn,
        },
        range: CostRange { floor: 0.0, ceiling: None },
        tenant_share: f64::from(input.tenant_tenths % 10 + 1) / 10.0,
    }
}

/// A cost such as the cache lets through, by the bits of any number.
fn cost(any: f64) -> f64 {
    let cost = any.abs();
    if cost.is_finite() { cost.min(1e140) } else { 1.0 }
}

/// Few distinct upper halves, so that keys meet in the table.
fn hash(key: u8) -> u64 {
    (u64::from(key % 16) << 60) | u64::from(key)
}

const SCOPES: [&str; 3] = ["", "a", "b"];

fuzz_target!(|input: Input| {
    let mut shard: Shard<u8, u32> = Shard::new(config(&input));
    let mut last: HashMap<u8, (u32, u64)> = HashMap::new();
    let (mut now, mut version, mut removed) = (1_u64, 0, Vec::new());
    for op in input.ops {
        match op {
            Op::Request(key) => {
                let found = shard.request(hash(key), |&held| held == key, now).map(|found| *found.value());
                if let Some(value) = found {
                    let (put, expires) = last[&key];
                    assert!(value == put && expires > now, "{value} of {put}, {expires} at {now}");
                }
            }
            Op::Put { key, bytes, cost: any, kind, hit_cost, given, ttl } => {
                version += 1;
                let expires_ms = ttl.map_or(NEVER, |ttl| now + u64::from(ttl));
                last.insert(key, (version, expires_ms));
                let entry = NewEntry {
                    hash: hash(key),
                    key,
                    value: version,
                    bytes: u64::from(bytes),
                    cost: match kind % 3 {
                        0 => Cost::Observed(cost(any)),
                        1 => Cost::Bound(cost(any)),
                        _ => Cost::Unknown,
                    },
                    hit_cost: cost(f64::from(hit_cost)),
                    given: given.filter(|score| score.is_finite()),
                    expires_ms,
                    scope: SCOPES[usize::from(key) % SCOPES.len()],
                };
                shard.put(entry, |&held| held == key, now, &mut removed);
            }
            Op::Delete(key) => drop(shard.delete(hash(key), |&held| held == key)),
            Op::DeleteHash(key) => {
                assert!(shard.delete_hash(hash(key)).is_none_or(|(held, _)| held == key));
            }
            Op::Clear(part) => shard.delete_all(|&key| key % 3 == part % 3, &mut removed),
            Op::Revalue(key, miss, hit, given) => {
                let given = given.filter(|score| score.is_finite());
                shard.revalue(hash(key), |&held| held == key, cost(miss), cost(f64::from(hit)), given);
            }
            Op::Remember(key, count) => shard.remember(hash(key), cost(f64::from(count)).min(1e15)),
            Op::ForgetHistory => shard.forget_history(),
            Op::Later(ms) => now += u64::from(ms),
        }
        removed.clear();
        shard.check();
        assert!(shard.count(hash(7), |&held| held == 7).is_finite());
    }
    assert!(shard.history().all(|(_, count)| count.is_finite() && count >= 0.0));
    let _ = shard.totals();
});
