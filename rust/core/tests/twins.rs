//! Two shards that must decide alike, driven alike.

mod common;

use common::{Desk, GIVEN, LEC, LFU, Terms, config, hash};
use lecmux_core::estimate::Estimator;
use lecmux_core::evict::Policy;
use lecmux_core::shard::{Cost, Outcome, ShardConfig};
use proptest::prelude::*;

const WORDS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const POOLED: Estimator = Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 };

/// Words asked for in turn, early ones more often.
fn requests() -> impl Strategy<Value = Vec<usize>> {
    let skewed = (0usize..12, 0usize..12).prop_map(|(a, b)| a.min(b));
    prop::collection::vec(skewed, 1..300)
}

/// Serves every request in both shards, each at its own terms for the word, and compares what became of it.
fn alike(
    left: ShardConfig,
    right: ShardConfig,
    requests: &[usize],
    terms: impl Fn(usize) -> (Terms, Terms),
) -> Result<(), TestCaseError> {
    let (mut left, mut right) = (Desk::new(left), Desk::new(right));
    for &at in requests {
        let (first, second) = terms(at);
        let did: (Option<Outcome>, _) = (left.serve(WORDS[at], first), right.serve(WORDS[at], second));
        prop_assert_eq!(did.0, did.1, "{}", WORDS[at]);
        prop_assert_eq!(left.gone(), right.gone());
        prop_assert_eq!(left.held(), right.held());
    }
    Ok(())
}

fn sizes() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(1u64..5, 12)
}

const POLICIES: [Policy; 6] = [
    LEC,
    GIVEN,
    LFU,
    Policy::Gdsf { keep_counts: true, bypass: true },
    Policy::Lru,
    Policy::S3Fifo { small_share: 0.3 },
];

proptest! {
    /// Looking ahead names what then leaves, and a shard that is looked at goes on like one that is not.
    #[test]
    fn looking_ahead_changes_nothing(
        requests in requests(), sizes in sizes(), budget in 4u64..12, at in 0usize..POLICIES.len(), share in 0.5f64..=1.0
    ) {
        let shard = ShardConfig { tenant_share: share, ..config(POLICIES[at], budget) };
        let (mut looked_at, mut left_alone) = (Desk::new(shard), Desk::new(shard));
        for &at in &requests {
            let word = WORDS[at];
            let given = (at % 4 > 0).then_some(at as f64 % 5.0 - 1.0);
            let terms = Terms { cost: Cost::Bound(1.0 + (at % 3) as f64), given, ..Terms::new(sizes[at], 0.0) };
            let bytes = terms.bytes;
            let Cost::Bound(worth) = terms.cost else { unreachable!() };
            prop_assert_eq!(looked_at.ask(word).is_some(), left_alone.ask(word).is_some());
            let resident = looked_at.shard.peek(hash(word), |held| held == word, 0).is_some();
            let ahead = looked_at.shard.would_evict(hash(word), |held| held == word, bytes, Some(worth), given, "");
            looked_at.shard.check();
            let did = looked_at.put(word, terms);
            prop_assert_eq!(did, left_alone.put(word, terms));
            let gone = looked_at.gone();
            prop_assert_eq!(&gone, &left_alone.gone());
            if !resident {
                prop_assert_eq!(ahead.is_some(), matches!(did, Outcome::Stored { .. }));
                let told = ahead.unwrap_or_default().join(" ");
                prop_assert_eq!(told, if matches!(did, Outcome::Stored { .. }) { gone } else { String::new() });
            }
        }
    }

    #[test]
    fn lec_of_equals_is_lfu(requests in requests(), budget in 1u64..6, bypass: bool) {
        let lec = config(Policy::Lec { bypass }, budget);
        let lfu = config(Policy::Lfu { bypass }, budget);
        alike(lec, lfu, &requests, |_| (Terms::new(1, 3.0), Terms::new(1, 3.0)))?;
    }

    #[test]
    fn without_scores_given_is_lec(requests in requests(), sizes in sizes(), budget in 4u64..12, bypass: bool) {
        let lec = config(Policy::Lec { bypass }, budget);
        let given = config(Policy::Given { bypass }, budget);
        alike(lec, given, &requests, |at| {
            let terms = Terms::new(sizes[at], 1.0 + (at % 3) as f64);
            (terms, terms)
        })?;
    }

    /// With one cost for all, bounds only rise: scores set at the last touch and raised when looked at are
    /// those that rescoring gives.
    #[test]
    fn lazy_scores_are_rescored_ones(requests in requests(), sizes in sizes(), budget in 4u64..12) {
        for estimator in [POOLED, Estimator::Hoeffding { delta: 0.1, horizon: 100, queries: 12 }, Estimator::PlugIn] {
            let lazy = ShardConfig { estimator, ..config(LEC, budget) };
            let rescored = ShardConfig { rescore: true, ..lazy };
            alike(lazy, rescored, &requests, |at| {
                let terms = Terms::new(sizes[at], 3.0);
                (terms, terms)
            })?;
        }
    }

    /// Dollars or nano-dollars: decisions do not depend on the unit.
    #[test]
    fn the_unit_does_not_matter(requests in requests(), sizes in sizes(), rescore: bool, budget in 4u64..12) {
        let shard = ShardConfig { estimator: POOLED, rescore, ..config(LEC, budget) };
        alike(shard, shard, &requests, |at| {
            let cost = 1.0 + (at * 7 % 5) as f64;
            (Terms::new(sizes[at], cost), Terms::new(sizes[at], cost * 1024.0))
        })?;
    }

    #[test]
    fn lfu_does_not_look_at_costs(requests in requests(), budget in 1u64..6) {
        let shard = config(LFU, budget);
        alike(shard, shard, &requests, |at| (Terms::new(1, 1.0), Terms::new(1, at as f64)))?;
    }
}
