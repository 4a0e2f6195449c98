//! The table of beliefs against a list of every cost observed.

use std::collections::HashMap;

use lecmux_core::error::Error;
use lecmux_core::estimate::{Beliefs, CostRange, Estimator, Reason};
use proptest::prelude::*;

const FLOOR: f64 = 0.5;
const RANGE: CostRange = CostRange { floor: FLOOR, ceiling: None };
const VOI: Estimator =
    Estimator::ValueOfInformation { z: 2.0, s0: Some(1.0), forecast: 1.0, least_share: 0.3 };

fn beliefs(models: usize, estimator: Estimator, max_keys: usize) -> Beliefs {
    Beliefs::new(models, estimator, RANGE, max_keys).unwrap()
}

#[derive(Clone, Debug)]
enum Op {
    Observe(u64, usize, f64),
    Amend(u64, usize, f64),
    Decide(u64, f64),
    Reload,
}

fn op() -> impl Strategy<Value = Op> {
    let (key, model) = (0u64..12, 0usize..3);
    prop_oneof![
        6 => (key.clone(), model.clone(), 0.0..50.0).prop_map(|(key, model, cost)| Op::Observe(key, model, cost)),
        1 => (key.clone(), model, 0.0..9.0).prop_map(|(key, model, delta)| Op::Amend(key, model, delta)),
        3 => (key, 0.0..100.0).prop_map(|(key, count)| Op::Decide(key, count)),
        1 => Just(Op::Reload),
    ]
}

fn estimator() -> impl Strategy<Value = Estimator> {
    prop_oneof![
        Just(VOI),
        Just(Estimator::ValueOfInformation { z: 1.0, s0: None, forecast: 0.5, least_share: 0.7 }),
        Just(Estimator::PooledVariance { z: 2.0, s0: None }),
        Just(Estimator::Hoeffding { delta: 0.01, horizon: 1000, queries: 12 }),
        Just(Estimator::EmpiricalBernstein { delta: 0.01, horizon: 1000, queries: 12 }),
        Just(Estimator::SqrtBonus { queries: 12 }),
        Just(Estimator::PlugIn),
    ]
}

fn mean(costs: &[f64]) -> Option<f64> {
    (!costs.is_empty()).then(|| costs.iter().sum::<f64>() / costs.len() as f64)
}

/// Deviation of all costs about the means of their arms, with one prior square of 1.
fn deviation<'a>(arms: impl Iterator<Item = &'a Vec<f64>>) -> f64 {
    let (mut squares, mut freedom) = (1.0, 1.0);
    for costs in arms {
        let mean = mean(costs).unwrap_or(0.0);
        squares += costs.iter().map(|cost| (cost - mean).powi(2)).sum::<f64>();
        freedom += costs.len().saturating_sub(1) as f64;
    }
    (squares / freedom).sqrt()
}

proptest! {
    #[test]
    fn remembers_like_a_list(estimator in estimator(), ops in prop::collection::vec(op(), 1..200)) {
        let mut beliefs = beliefs(3, estimator, 100);
        let mut seen: HashMap<(u64, usize), Vec<f64>> = HashMap::new();
        for op in ops {
            match op {
                Op::Observe(key, model, cost) => {
                    beliefs.observe(key, model, cost).unwrap();
                    seen.entry((key, model)).or_default().push(cost);
                }
                Op::Amend(key, model, delta) => {
                    let last = seen.get_mut(&(key, model)).and_then(|costs| costs.last_mut());
                    prop_assert_eq!(beliefs.amend(key, model, delta).unwrap(), last.is_some());
                    if let Some(last) = last {
                        *last += delta;
                    }
                }
                Op::Decide(key, count) => {
                    let choice = beliefs.decide(key, count, None).unwrap();
                    for model in 0..3 {
                        let costs = seen.get(&(key, model)).cloned().unwrap_or_default();
                        prop_assert_eq!(choice.tries[model] as usize, costs.len());
                        prop_assert_eq!(choice.mean[model].is_some(), !costs.is_empty());
                        if let (Some(got), Some(want)) = (choice.mean[model], mean(&costs)) {
                            prop_assert!((got - want).abs() < 1e-9, "{} instead of {}", got, want);
                            prop_assert!((FLOOR..=got.max(FLOOR)).contains(&choice.lower[model]));
                        }
                    }
                    prop_assert!(beliefs.value(key, count) >= FLOOR);
                    prop_assert!(beliefs.value(key, count) <= choice.lower[choice.model].max(FLOOR));
                }
                Op::Reload => beliefs = Beliefs::decode(&beliefs.encode()).unwrap(),
            }
            beliefs.check();
        }
        prop_assert!((beliefs.pooled().sd(Some(1.0)) - deviation(seen.values())).abs() < 1e-6);
    }

    #[test]
    fn a_full_table_stays_within_its_keys(costs in prop::collection::vec((0u64..500, 0usize..2, 0.0..9.0), 1..600)) {
        let mut beliefs = beliefs(2, VOI, 8);
        for (key, model, cost) in costs {
            beliefs.observe(key, model, cost).unwrap();
            beliefs.check();
            prop_assert!(beliefs.len() <= 8);
            prop_assert!(beliefs.decide(key, 1.0, None).unwrap().tries[model] > 0, "the last key is known");
        }
        let reloaded = Beliefs::decode(&beliefs.encode()).unwrap();
        reloaded.check();
        prop_assert_eq!(reloaded.encode(), beliefs.encode());
    }

    #[test]
    fn damaged_bytes_are_refused_or_valid(flips in prop::collection::vec((0usize..4000, 0u8..8), 1..4), cut in 0usize..600) {
        let mut beliefs = beliefs(2, VOI, 100);
        for key in 0..10 {
            beliefs.observe(key, (key % 2) as usize, 1.0 + key as f64).unwrap();
        }
        let mut bytes = beliefs.encode();
        for (at, bit) in flips {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
        }
        bytes.truncate(bytes.len().saturating_sub(cut % 40));
        match Beliefs::decode(&bytes) {
            Ok(decoded) => decoded.check(),
            Err(error) => {
                let refused = matches!(error, Error::Snapshot { .. });
                prop_assert!(refused, "{}", error);
            }
        }
    }
}

#[test]
fn an_older_cost_can_be_amended() {
    let mut beliefs = beliefs(1, VOI, 4);
    beliefs.observe(1, 0, 9.0).unwrap();
    beliefs.observe(1, 0, 1.0).unwrap();
    assert_eq!(beliefs.amend(1, 0, -8.0), Ok(true));
    beliefs.check();
    assert_eq!(beliefs.decide(1, 1.0, None).unwrap().mean, [Some(1.0)]);
    assert_eq!(beliefs.amend(2, 0, 1.0), Ok(false));
}

#[test]
fn a_busy_key_outlives_keys_seen_once() {
    let mut beliefs = beliefs(1, VOI, 16);
    for stranger in 100..1000 {
        beliefs.observe(7, 0, 2.0).unwrap();
        beliefs.observe(stranger, 0, 2.0).unwrap();
    }
    assert_eq!(beliefs.decide(7, 1.0, None).unwrap().tries, [900]);
}

#[test]
fn unseen_queries_go_to_the_model_that_was_cheap_elsewhere() {
    let mut beliefs = beliefs(2, VOI, 100);
    assert_eq!(beliefs.pick(1, 1.0, None), Ok((0, Reason::Untried)));
    beliefs.observe(1, 0, 100.0).unwrap();
    assert_eq!(beliefs.pick(2, 1.0, None), Ok((1, Reason::Untried)));
}

#[test]
fn an_untried_model_is_tried_once_the_query_comes_often_enough() {
    let mut beliefs = beliefs(2, VOI, 100);
    for key in 0..9 {
        beliefs.observe(key, 0, 4.0).unwrap();
        beliefs.observe(key, 1, if key == 0 { 1.0 } else { 50.0 }).unwrap();
    }
    beliefs.observe(9, 0, 4.0).unwrap();
    // Of ten values, the floor included, two save: 3 and 3.5; a look costs 40.15 - 4 more.
    let (model, reason) = beliefs.pick(9, 55.0, None).unwrap();
    assert_eq!((model, reason), (0, Reason::LowestBound));
    assert_eq!(beliefs.pick(9, 56.0, None), Ok((1, Reason::Exploring)));
    assert!((beliefs.value(9, 56.0) - FLOOR).abs() < 1e-12);
    assert!(beliefs.value(9, 55.0) > FLOOR);
    assert_eq!(beliefs.pick(9, 56.0, Some(&[0])), Ok((0, Reason::Only)));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut beliefs = beliefs(2, VOI, 4);
    beliefs.observe(1, 0, 3.0).unwrap();
    let before = beliefs.encode();
    for cost in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(beliefs.observe(1, 0, cost), Err(Error::Cost { .. })));
        assert!(matches!(beliefs.observe(2, 0, cost), Err(Error::Cost { .. })));
    }
    for delta in [f64::NAN, f64::NEG_INFINITY, f64::MAX] {
        assert!(matches!(beliefs.amend(1, 0, delta), Err(Error::Cost { .. })));
    }
    assert!(matches!(beliefs.observe(1, 2, 1.0), Err(Error::Config { .. })));
    assert!(matches!(beliefs.decide(1, 1.0, Some(&[])), Err(Error::Config { .. })));
    assert!(matches!(beliefs.decide(1, 1.0, Some(&[2])), Err(Error::Config { .. })));
    assert_eq!(beliefs.encode(), before);
    for (models, max_keys) in [(0, 1), (65, 1), (1, 0)] {
        assert!(matches!(Beliefs::new(models, VOI, RANGE, max_keys), Err(Error::Config { .. })));
    }
}
