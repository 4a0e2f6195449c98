//! What a replay is to do.

use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;

use crate::multiplexer::Multiplexer;

/// Where costs are estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Estimates {
    /// In a table of all queries, as a router does; what was learnt outlives the entry.
    #[default]
    Routed,
    /// In the shard, as a cache without a router does. One model.
    InShard,
}

/// What a miss shows of the costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Feedback {
    /// The cost of the model that was called, once: all that a live system sees.
    #[default]
    Bandit,
    /// What the public code of arXiv 2306.02003 sees (Ying1123/llm-caching-multiplexing, `server.py`); two
    /// models, the small one first. See `knowledge.rs`.
    Artifact,
}

/// Settings of a replay.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Total size that may be resident.
    pub capacity: u64,
    /// Who leaves.
    pub policy: Policy,
    /// How counts decay.
    pub decay: DecayRule,
    /// Recompute the worth of all residents on each miss.
    pub rescore: bool,
    /// Lower bounds of costs.
    pub estimator: Estimator,
    /// What costs can be.
    pub range: CostRange,
    /// Where costs are estimated.
    pub estimates: Estimates,
    /// What a miss shows.
    pub feedback: Feedback,
    /// The only model to call; `None`: all are there to choose from.
    pub arm: Option<usize>,
    /// What is known of a query before it has costs of its own.
    pub multiplexer: Option<Multiplexer<'a>>,
    /// Queries held from the start and for good; nothing else is stored then.
    pub resident: Option<&'a [i64]>,
    /// Keys the hash; nothing else is random.
    pub seed: u64,
}

impl Settings<'_> {
    /// Counts that never decay, scores stored at the last touch, every model there to choose from, and bandit
    /// feedback.
    #[must_use]
    pub fn new(capacity: u64, policy: Policy, estimator: Estimator) -> Self {
        Self {
            capacity,
            policy,
            decay: DecayRule::None,
            rescore: false,
            estimator,
            range: CostRange { floor: 0.0, ceiling: None },
            estimates: Estimates::Routed,
            feedback: Feedback::Bandit,
            arm: None,
            multiplexer: None,
            resident: None,
            seed: 0,
        }
    }
}
