//! Settings of a cache, validated once.

use crate::error::Error;
use crate::estimate::decay::DecayRule;
use crate::estimate::{CostRange, Estimator};
use crate::evict::Policy;
use crate::shard::{ENTRY_OVERHEAD_BYTES, ShardConfig};

/// Budgets from here on are split over [`SHARDS`] shards.
const SPLIT_FROM_BYTES: u64 = 64 << 20;
const SHARDS: u32 = 8;
const MAX_SHARDS: u32 = 1024;
/// Share of the budget for counts of keys that are not resident.
const HISTORY_SHARE: u64 = 16;

/// Settings of a cache.
#[derive(Clone, Copy, Debug)]
pub struct CacheConfig {
    /// Bytes for keys, values, metadata, index and history.
    pub capacity_bytes: u64,
    /// Who leaves.
    pub policy: Policy,
    /// How counts decay.
    pub decay: DecayRule,
    /// Recompute all worths on each decision.
    pub rescore: bool,
    /// Lower bounds of costs.
    pub estimator: Estimator,
    /// What costs can be.
    pub range: CostRange,
    /// Largest share of the budget that one tenant may hold, in (0, 1].
    pub tenant_share: f64,
    /// Independent parts of the cache, each with its own lock and share of the budget; `None`: 8 from 64 MiB
    /// on, else 1. An entry must fit into one part.
    pub shards: Option<u32>,
    /// Keys the hash; decisions do not depend on anything else random.
    pub seed: u64,
}

impl CacheConfig {
    /// Returns the settings when they make sense.
    ///
    /// # Errors
    /// [`Error::Config`] naming the setting and what it may be.
    pub fn validate(self) -> Result<Self, Error> {
        let fail = |what: String| Err(Error::Config { what });
        if self.capacity_bytes == 0 {
            return fail("capacity_bytes must be at least 1, got 0".into());
        }
        if !(self.tenant_share > 0.0 && self.tenant_share <= 1.0) {
            return fail(format!("tenant_share must lie in (0, 1], got {}", self.tenant_share));
        }
        if let Some(shards) = self.shards
            && (shards == 0 || shards > MAX_SHARDS || !shards.is_power_of_two())
        {
            return fail(format!("shards must be a power of two from 1 to {MAX_SHARDS}, got {shards}"));
        }
        if let DecayRule::HalfLife(requests) = self.decay
            && !(requests > 0.0 && requests.is_finite())
        {
            return fail(format!("a half-life must be a positive number of requests, got {requests}"));
        }
        if matches!(self.policy, Policy::Given { .. }) && (self.decay != DecayRule::None || self.rescore) {
            return fail(
                "given scores neither fade nor can be recomputed: leave decay and rescore off".into(),
            );
        }
        self.policy.validate()?;
        self.estimator.validate()?;
        Ok(self)
    }

    /// How many shards to make.
    #[must_use]
    pub fn shard_count(&self) -> u32 {
        self.shards.unwrap_or(if self.capacity_bytes < SPLIT_FROM_BYTES { 1 } else { SHARDS })
    }

    /// Settings of one shard.
    #[must_use]
    pub fn shard(&self) -> ShardConfig {
        let part = self.capacity_bytes / u64::from(self.shard_count());
        let history = if self.policy.build(false).remembers() { part / HISTORY_SHARE } else { 0 };
        ShardConfig {
            budget: part - history,
            overhead: ENTRY_OVERHEAD_BYTES,
            history_bytes: usize::try_from(history).unwrap_or(usize::MAX),
            policy: self.policy,
            decay: self.decay,
            rescore: self.rescore,
            estimator: self.estimator,
            range: self.range,
            tenant_share: self.tenant_share,
        }
    }
}
