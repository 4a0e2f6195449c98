//! What goes in, what is found, what is booked: the plain data of a shard.

use crate::estimate::decay::DecayRule;
use crate::estimate::{CostRange, Estimator};
use crate::evict::{Policy, Slot};

/// Bytes an entry is charged beyond its key and value: table bucket, slot, order node and allocator slack at
/// their worst load.
pub const ENTRY_OVERHEAD_BYTES: u64 = 160;
/// Expiry of an entry that never expires, in ms.
pub const NEVER: u64 = u64::MAX;

/// Settings of a shard.
#[derive(Clone, Copy, Debug)]
pub struct ShardConfig {
    /// What entries may be charged in total (bytes, or units in a simulation).
    pub budget: u64,
    /// What an entry is charged beyond its own size: [`ENTRY_OVERHEAD_BYTES`], or 0 in a simulation.
    pub overhead: u64,
    /// Memory for counts of keys that are not resident.
    pub history_bytes: usize,
    /// Who leaves.
    pub policy: Policy,
    /// How counts decay (policies that remember counts only).
    pub decay: DecayRule,
    /// Recompute the worth of all residents on each decision: exact and O(n).
    pub rescore: bool,
    /// Lower bounds of costs.
    pub estimator: Estimator,
    /// What costs can be.
    pub range: CostRange,
    /// Largest share of the budget that one tenant may hold, in (0, 1].
    pub tenant_share: f64,
}

/// The cost side of a put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// What the answer cost, observed just now.
    Observed(f64),
    /// Not known: the running mean of observed costs stands in.
    Unknown,
    /// A lower bound of a miss that somebody else (a router) estimated.
    Bound(f64),
    /// What was learnt before, from a snapshot; observes nothing.
    Learnt(Learnt),
}

/// What a shard has learnt of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Learnt {
    /// Requests, in units of one request now.
    pub count: f64,
    /// Mean of the observed costs, or a bound given from outside.
    pub mean_cost: f64,
    /// Observations behind the mean; 0: it is a bound.
    pub observed: u32,
}

/// What is put.
#[derive(Debug)]
pub struct NewEntry<'a, K, V> {
    /// Keyed hash of the key.
    pub hash: u64,
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// Size of key and value, without overhead.
    pub bytes: u64,
    /// What a miss costs.
    pub cost: Cost,
    /// What a hit costs (the price of an answer known to be wrong).
    pub hit_cost: f64,
    /// A score from outside, finite, for [`Policy::Given`].
    pub given: Option<f64>,
    /// Expiry in ms, [`NEVER`] for none.
    pub expires_ms: u64,
    /// Who owns the entry.
    pub scope: &'a str,
}

/// What became of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored; `evicted` entries left for it.
    Stored {
        /// Entries that left for it.
        evicted: u32,
    },
    /// The policy holds what is resident to be worth more.
    Bypassed,
    /// Larger than the budget, or than the tenant's share of it.
    TooLarge,
}

/// What the shard knows of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntryView {
    /// The slot it lies in.
    pub slot: Slot,
    /// Requests in units of one request now.
    pub count: f64,
    /// Lower bound of the cost of a miss.
    pub miss_cost: f64,
    /// Cost of a hit.
    pub hit_cost: f64,
    /// Charged bytes.
    pub bytes: u64,
    /// Expiry in ms.
    pub expires_ms: u64,
    /// Share of its requests that a near twin would answer if it left: it counts for the rest.
    pub covered: f64,
}

/// Totals since the shard was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests that found an entry.
    pub hits: u64,
    /// Requests that did not.
    pub misses: u64,
    /// Puts that stored.
    pub stored: u64,
    /// Puts that the policy declined.
    pub bypassed: u64,
    /// Puts of entries larger than the budget.
    pub too_large: u64,
    /// Entries that left for others.
    pub evicted: u64,
    /// Entries that left because their time was up.
    pub expired: u64,
    /// Cost of misses less cost of hits over all hits, in 10^-9 of the cost unit.
    pub saved_nano: u64,
}
