//! The default policy against the offline bound, at a tenth of the size of `examples/savings.rs`.

use lecmux_core::estimate::Estimator;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::evict::Policy;
use lecmux_sim::bound::{pfoo_l, uncached};
use lecmux_sim::laws::{CostLaw, Drift, Law};
use lecmux_sim::{Estimates, Settings, Trace, replay};

const REQUESTS: usize = 100_000;
const CAPACITY: u64 = 1000;
const LEC: Policy = Policy::Lec { bypass: true };

/// Mean over three seeds of the share of the bound that each policy saves.
fn shares_of_bound(drift: Option<Drift>, costs: CostLaw, policies: &[(Policy, DecayRule)]) -> Vec<f64> {
    let law = Law { requests: REQUESTS, universe: REQUESTS, zipf: 0.8, costs, drift };
    let mut shares = vec![0.0; policies.len()];
    for seed in 0..3 {
        let drawn = law.draw(seed).unwrap();
        let trace = Trace::new(&drawn.ids, &drawn.costs, 1, None).unwrap();
        let (paid, bound) = (uncached(&trace, None), pfoo_l(&trace, CAPACITY, None));
        for (share, &(policy, decay)) in shares.iter_mut().zip(policies) {
            let settings = Settings {
                decay,
                estimates: Estimates::InShard,
                seed,
                ..Settings::new(
                    CAPACITY,
                    policy,
                    Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 },
                )
            };
            *share += (paid - replay(&trace, &settings).unwrap().total_cost) / bound / 3.0;
        }
    }
    shares
}

#[test]
fn the_default_nears_the_bound_where_popularity_stands_still() {
    let policies = [
        (Policy::Lru, DecayRule::None),
        (Policy::Lfu { bypass: true }, DecayRule::None),
        (Policy::Gdsf { keep_counts: true, bypass: false }, DecayRule::None),
        (LEC, DecayRule::SelfTuned),
    ];
    for costs in [CostLaw::LogNormal(1.5), CostLaw::Pareto(1.2)] {
        let shares = shares_of_bound(None, costs, &policies);
        assert!(shares.is_sorted(), "LRU < LFU < GDSF < LEC, not {shares:?}");
        assert!((0.77..1.0).contains(&shares[3]), "{costs:?}: {shares:?}");
    }
}

#[test]
fn the_default_follows_where_popularity_drifts() {
    let drift = Drift { share: 0.2, every: REQUESTS / 20 };
    let policies = [(LEC, DecayRule::None), (LEC, DecayRule::SelfTuned)];
    let shares = shares_of_bound(Some(drift), CostLaw::LogNormal(1.5), &policies);
    assert!(shares[1] > shares[0] && shares[1] > 0.68, "{shares:?}");
}

#[test]
fn hindsight_bounds_every_policy() {
    let law = Law { requests: 5000, universe: 500, zipf: 1.0, costs: CostLaw::Pareto(1.2), drift: None };
    let drawn = law.draw(9).unwrap();
    let sizes: Vec<i64> = drawn.ids.iter().map(|id| 1 + id % 9).collect();
    let trace = Trace::new(&drawn.ids, &drawn.costs, 1, Some(&sizes)).unwrap();
    for policy in [LEC, Policy::Lru, Policy::S3Fifo { small_share: 0.1 }] {
        let settings = Settings::new(200, policy, Estimator::PlugIn);
        let saved = uncached(&trace, None) - replay(&trace, &settings).unwrap().total_cost;
        assert!(saved > 0.0 && saved <= pfoo_l(&trace, 200, None), "{policy:?} saves {saved}");
    }
}
