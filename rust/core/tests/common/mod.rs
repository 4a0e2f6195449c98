//! A shard with one-line requests and puts.
#![allow(dead_code, reason = "each test takes what it needs")]

use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_core::shard::{Cost, EntryView, NEVER, NewEntry, Outcome, Shard, ShardConfig};

pub(crate) const LEC: Policy = Policy::Lec { bypass: true };
pub(crate) const LFU: Policy = Policy::Lfu { bypass: true };
pub(crate) const GIVEN: Policy = Policy::Given { bypass: true };
pub(crate) const GDSF: Policy = Policy::Gdsf { keep_counts: false, bypass: false };

/// A shard of `budget` units without overhead: plain means, nothing decays, room for 1,000 counts.
pub(crate) fn config(policy: Policy, budget: u64) -> ShardConfig {
    ShardConfig {
        budget,
        overhead: 0,
        history_bytes: 1 << 16,
        policy,
        decay: DecayRule::None,
        rescore: false,
        estimator: Estimator::PlugIn,
        range: CostRange { floor: 0.0, ceiling: None },
        tenant_share: 1.0,
    }
}

/// The terms of a put.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) bytes: u64,
    pub(crate) cost: Cost,
    pub(crate) hit_cost: f64,
    pub(crate) given: Option<f64>,
    pub(crate) expires_ms: u64,
}

impl Terms {
    /// `bytes` that cost `cost` to make, served free of charge and for ever.
    pub(crate) fn new(bytes: u64, cost: f64) -> Self {
        Self { bytes, cost: Cost::Observed(cost), hit_cost: 0.0, given: None, expires_ms: NEVER }
    }
}

/// A shard of words, a clock, and what left. A word is owned by the scope before its slash, if it has one.
pub(crate) struct Desk {
    pub(crate) shard: Shard<String, u64>,
    pub(crate) left: Vec<(String, u64)>,
    pub(crate) now_ms: u64,
    puts: u64,
}

impl Desk {
    pub(crate) fn new(config: ShardConfig) -> Self {
        Self { shard: Shard::new(config), left: Vec::new(), now_ms: 0, puts: 0 }
    }

    /// Counts a request; the value of a hit.
    pub(crate) fn ask(&mut self, key: &str) -> Option<u64> {
        let found =
            self.shard.request(hash(key), |held| held == key, self.now_ms).map(|found| *found.value());
        self.shard.check();
        found
    }

    /// Puts the next number under `key`.
    pub(crate) fn put(&mut self, key: &str, terms: Terms) -> Outcome {
        self.put_at(hash(key), key, terms)
    }

    /// As `put`, under a hash of one's own.
    pub(crate) fn put_at(&mut self, hash: u64, key: &str, terms: Terms) -> Outcome {
        self.puts += 1;
        let entry = NewEntry {
            hash,
            key: key.to_owned(),
            value: self.puts,
            bytes: terms.bytes,
            cost: terms.cost,
            hit_cost: terms.hit_cost,
            given: terms.given,
            expires_ms: terms.expires_ms,
            scope: key.split_once('/').map_or("", |(scope, _)| scope),
        };
        let outcome = self.shard.put(entry, |held| held == key, self.now_ms, &mut self.left);
        self.shard.check();
        outcome
    }

    /// A request and, when it misses, a put.
    pub(crate) fn serve(&mut self, key: &str, terms: Terms) -> Option<Outcome> {
        if self.ask(key).is_some() { None } else { Some(self.put(key, terms)) }
    }

    pub(crate) fn view(&self, key: &str) -> Option<EntryView> {
        self.shard.peek(hash(key), |held| held == key, self.now_ms).map(|found| found.view())
    }

    pub(crate) fn count(&self, key: &str) -> f64 {
        self.shard.count(hash(key), |held| held == key)
    }

    pub(crate) fn delete(&mut self, key: &str) -> bool {
        let gone = self.shard.delete(hash(key), |held| held == key).is_some();
        self.shard.check();
        gone
    }

    /// The resident words in order of the alphabet.
    pub(crate) fn held(&self) -> String {
        let mut words: Vec<&str> = self.shard.residents().map(|(key, ..)| key.as_str()).collect();
        words.sort_unstable();
        words.join(" ")
    }

    /// The words that left since the last call, in the order in which they did.
    pub(crate) fn gone(&mut self) -> String {
        let words: Vec<String> = self.left.drain(..).map(|(key, _)| key).collect();
        words.join(" ")
    }
}

/// FNV-1a, then mixed, so that the upper bits differ as well.
pub(crate) fn hash(key: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    let hash = key.bytes().fold(0xCBF2_9CE4_8422_2325, step);
    (hash ^ (hash >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
