//! What holds of every replay, whatever the trace.
#![expect(clippy::float_cmp, reason = "costs in quarters sum exactly")]

use lecmux_core::estimate::Estimator;
use lecmux_core::evict::Policy;
use lecmux_sim::optimum::{Kind, Pay, optimum};
use lecmux_sim::{Estimates, Feedback, Multiplexer, Offline, Rank, Replay, Settings, Trace, offline, replay};
use proptest::prelude::*;

const QUERIES: i64 = 12;
const VOI: Estimator = Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 };

/// Query and costs with two models, in quarters, so that sums are exact.
type Requests = Vec<(i64, u8, u8)>;

fn requests() -> impl Strategy<Value = Requests> {
    prop::collection::vec((0..QUERIES, 0_u8..40, 0_u8..40), 0..150)
}

fn policies() -> impl Strategy<Value = Policy> {
    prop_oneof![
        Just(Policy::Lec { bypass: true }),
        Just(Policy::Lec { bypass: false }),
        Just(Policy::Gdsf { keep_counts: true, bypass: false }),
        Just(Policy::Lfu { bypass: true }),
        Just(Policy::Lru),
        Just(Policy::S3Fifo { small_share: 0.1 }),
    ]
}

fn estimators() -> impl Strategy<Value = Estimator> {
    prop_oneof![
        Just(VOI),
        Just(Estimator::PooledVariance { z: 1.0, s0: None }),
        Just(Estimator::Hoeffding { delta: 0.1, horizon: 100, queries: 12 }),
        Just(Estimator::PlugIn),
    ]
}

fn ids(requests: &Requests) -> Vec<i64> {
    requests.iter().map(|request| request.0).collect()
}

fn costs(requests: &Requests) -> Vec<f64> {
    requests.iter().flat_map(|&(_, small, large)| [small, large]).map(|cost| f64::from(cost) / 4.0).collect()
}

fn run(ids: &[i64], costs: &[f64], models: usize, settings: &Settings<'_>) -> Replay {
    replay(&Trace::new(ids, costs, models, None).unwrap(), settings).unwrap()
}

proptest! {
    #[test]
    fn the_cost_is_what_the_chosen_models_cost(
        requests in requests(), policy in policies(), estimator in estimators(), capacity in 1_u64..8,
    ) {
        let (ids, costs) = (ids(&requests), costs(&requests));
        for feedback in [Feedback::Bandit, Feedback::Artifact] {
            let settings = Settings { feedback, ..Settings::new(capacity, policy, estimator) };
            let run = run(&ids, &costs, 2, &settings);
            let paid = |(at, &model): (usize, &i8)| usize::try_from(model).map_or(0.0, |k| costs[2 * at + k]);
            let total: f64 = run.choices.iter().enumerate().map(paid).sum();
            prop_assert_eq!(run.total_cost, total);
            prop_assert_eq!(run.curve.costs.last(), Some(&total));
            prop_assert_eq!(run.hits, run.choices.iter().filter(|&&model| model < 0).count() as u64);
            prop_assert!(run.resident.len() as u64 <= capacity);
        }
    }

    #[test]
    fn no_choice_looks_ahead(
        requests in requests(), policy in policies(), estimator in estimators(), seen in 0_usize..150,
    ) {
        let (ids, costs) = (ids(&requests), costs(&requests));
        let trace = Trace::new(&ids, &costs, 2, None).unwrap();
        let (settings, seen) = (Settings::new(4, policy, estimator), seen.min(ids.len()));
        let whole = replay(&trace, &settings).unwrap();
        prop_assert_eq!(&replay(&trace.prefix(seen), &settings).unwrap().choices[..], &whole.choices[..seen]);
    }

    #[test]
    fn an_arm_is_a_trace_of_that_model_alone(
        requests in requests(), policy in policies(), estimator in estimators(), arm in 0_usize..2,
    ) {
        let (ids, costs) = (ids(&requests), costs(&requests));
        let column: Vec<f64> = costs.iter().copied().skip(arm).step_by(2).collect();
        // The range bounds divide delta among the models there are.
        prop_assume!(!matches!(estimator, Estimator::Hoeffding { .. }));
        let settings = Settings::new(4, policy, estimator);
        let one = run(&ids, &column, 1, &settings);
        let two = run(&ids, &costs, 2, &Settings { arm: Some(arm), ..settings });
        prop_assert_eq!((one.total_cost, one.hits, one.resident), (two.total_cost, two.hits, two.resident));
    }

    #[test]
    fn with_one_model_of_fixed_costs_router_and_shard_agree(requests in requests(), policy in policies()) {
        let ids = ids(&requests);
        let costs: Vec<f64> = ids.iter().map(|&id| 1.0 + (id * 7 % 5) as f64).collect();
        let settings = Settings::new(4, policy, Estimator::PlugIn);
        let in_shard = run(&ids, &costs, 1, &Settings { estimates: Estimates::InShard, ..settings });
        prop_assert_eq!(run(&ids, &costs, 1, &settings), in_shard);
    }

    #[test]
    fn with_equal_costs_lec_is_lfu(requests in requests(), capacity in 1_u64..8) {
        let (ids, costs) = (ids(&requests), vec![3.0; requests.len()]);
        let of = |policy| run(&ids, &costs, 1, &Settings::new(capacity, policy, Estimator::PlugIn));
        prop_assert_eq!(of(Policy::Lec { bypass: true }), of(Policy::Lfu { bypass: true }));
    }

    #[test]
    fn the_unit_of_costs_does_not_matter(requests in requests(), policy in policies(), rescore: bool) {
        let (ids, costs) = (ids(&requests), costs(&requests));
        let scaled: Vec<f64> = costs.iter().map(|cost| cost * 1024.0).collect();
        for estimator in [VOI, Estimator::PlugIn] {
            let settings = Settings { rescore, ..Settings::new(3, policy, estimator) };
            let (plain, scaled) = (run(&ids, &costs, 2, &settings), run(&ids, &scaled, 2, &settings));
            prop_assert_eq!((plain.choices, plain.resident), (scaled.choices, scaled.resident));
        }
    }

    #[test]
    fn names_of_queries_do_not_matter(requests in requests(), policy in policies(), seed: u64) {
        let (ids, costs) = (ids(&requests), costs(&requests));
        let renamed: Vec<i64> = ids.iter().map(|id| (id * 5 + 3) % 13 + 100).collect();
        let settings = Settings::new(4, policy, VOI);
        let (plain, renamed) =
            (run(&ids, &costs, 2, &settings), run(&renamed, &costs, 2, &Settings { seed, ..settings }));
        prop_assert_eq!((plain.choices, plain.total_cost), (renamed.choices, renamed.total_cost));
    }

    #[test]
    fn the_offline_protocol_with_a_perfect_selector_is_the_static_optimum(
        requests in requests(), capacity in 1_u64..8,
    ) {
        let (ids, costs) = (ids(&requests), costs(&requests));
        let trace = Trace::new(&ids, &costs, 2, None).unwrap();
        let rank = Rank::Cost { accuracy: 1.0 };
        let settings = Offline { capacity, rank, accuracy: 1.0, arm: None, seed: 0 };
        let best = optimum(&trace, capacity, Kind::Static, Pay::Cheapest).unwrap();
        prop_assert_eq!(offline(&trace, &settings).unwrap().total_cost, best);
    }

    #[test]
    fn a_static_set_is_the_offline_protocol_of_its_arm(requests in requests(), capacity in 1_u64..8) {
        let (ids, costs) = (ids(&requests), costs(&requests));
        let trace = Trace::new(&ids, &costs, 2, None).unwrap();
        let rank = Rank::Cost { accuracy: 1.0 };
        let protocol = Offline { capacity, rank, accuracy: 1.0, arm: Some(1), seed: 0 };
        let chosen = offline(&trace, &protocol).unwrap();
        let settings = Settings {
            arm: Some(1),
            resident: Some(&chosen.resident),
            ..Settings::new(capacity, Policy::Lec { bypass: true }, VOI)
        };
        prop_assert_eq!(replay(&trace, &settings).unwrap(), chosen);
    }

    #[test]
    fn a_certain_and_true_prior_never_calls_the_dearer_model(requests in requests(), policy in policies()) {
        let ids = ids(&requests);
        let row = |id: i64| [1 + id * 5 % 7, 1 + id * 3 % 7].map(|cost| cost as f64);
        let means: Vec<f64> = (0..QUERIES).flat_map(row).collect();
        let costs: Vec<f64> = ids.iter().copied().flat_map(row).collect();
        let multiplexer = Some(Multiplexer::Prior { means: &means, strength: 1e9 });
        let run = run(&ids, &costs, 2, &Settings { multiplexer, ..Settings::new(3, policy, VOI) });
        for (at, &model) in run.choices.iter().enumerate() {
            let dearer = usize::try_from(model).is_ok_and(|k| costs[2 * at + k] > costs[2 * at + 1 - k]);
            prop_assert!(!dearer, "request {} went to model {}", at, model);
        }
    }
}
