//! A multiplexer's prior and a first guess, against the formula and against its own mistakes.

use lecmux_core::error::Error;
use lecmux_core::estimate::{Advice, Beliefs, CostRange, Estimator, Prior, Reason};
use proptest::prelude::*;

const RANGE: CostRange = CostRange { floor: 0.0, ceiling: None };
const VOI: Estimator =
    Estimator::ValueOfInformation { z: 2.0, s0: Some(1.0), forecast: 1.0, least_share: 0.3 };

fn beliefs(models: usize, estimator: Estimator) -> Beliefs {
    Beliefs::new(models, estimator, RANGE, 1000).unwrap()
}

fn prior(means: &[f64], strength: f64) -> Advice<'_> {
    Advice { prior: Some(Prior::new(means, strength).unwrap()), guess: None }
}

#[test]
fn the_prior_decides_where_nothing_else_is_known() {
    let mut beliefs = beliefs(3, VOI);
    let advice = prior(&[5.0, 2.0, 9.0], 4.0);
    assert_eq!(beliefs.pick_with(1, 1.0, None, advice), Ok((1, Reason::Prior)));
    assert_eq!(beliefs.pick_with(1, 1.0, Some(&[0, 2]), advice), Ok((0, Reason::Prior)));
    assert_eq!(beliefs.pick_with(1, 1.0, Some(&[2]), advice), Ok((2, Reason::Only)));
    assert_eq!(beliefs.decide_with(1, 1.0, None, advice).unwrap().prior, Some(vec![5.0, 2.0, 9.0]));
    assert_eq!(beliefs.decide(1, 1.0, None).unwrap().prior, None);
}

#[test]
fn own_costs_count_on_top_of_the_prior() {
    let mut beliefs = beliefs(2, Estimator::PlugIn);
    for cost in [10.0, 14.0] {
        beliefs.observe(7, 0, cost).unwrap();
    }
    // (4 · 6 + 24) / (4 + 2) = 8, and the untried model stands at its prior.
    let choice = beliefs.decide_with(7, 3.0, None, prior(&[6.0, 9.0], 4.0)).unwrap();
    assert!((choice.lower[0] - 8.0).abs() < 1e-12 && (choice.lower[1] - 9.0).abs() < 1e-12);
    assert_eq!((choice.model, choice.reason), (0, Reason::LowestBound));
    assert_eq!((choice.mean, choice.tries), (vec![Some(12.0), None], vec![2, 0]));
    let value = beliefs.value_with(7, 3.0, None, prior(&[6.0, 9.0], 4.0)).unwrap();
    assert!((value - 8.0).abs() < 1e-12);
    // A query without costs is worth what the prior expects of its cheapest model.
    assert_eq!(beliefs.value_with(8, 1.0, Some(&[1]), prior(&[6.0, 9.0], 4.0)), Ok(9.0));
}

#[test]
fn the_bound_keeps_a_quarter_of_its_width() {
    let mut beliefs = beliefs(1, VOI);
    for _ in 0..5 {
        beliefs.observe(7, 0, 3.0).unwrap();
    }
    // Prior square 1 and four degrees of freedom without spread: sd² = 1/5; n + strength = 9.
    let lower = beliefs.decide_with(7, 6.0, None, prior(&[3.0], 4.0)).unwrap().lower[0];
    let expected = 3.0 - 0.25 * 2.0 * (1.0_f64 / 5.0).sqrt() / 3.0;
    assert!((lower - expected).abs() < 1e-12, "{lower} is not {expected}");
}

#[test]
fn memory_overrules_a_prior_that_is_wrong() {
    for estimator in [VOI, Estimator::PooledVariance { z: 1.0, s0: None }, Estimator::PlugIn] {
        let mut beliefs = beliefs(2, estimator);
        let wrong = prior(&[1.0, 10.0], 4.0);
        let costs = [40.0, 10.0];
        let mut calls = [0; 2];
        for _ in 0..100 {
            let (model, _) = beliefs.pick_with(3, 1.0, None, wrong).unwrap();
            beliefs.observe(3, model, costs[model]).unwrap();
            calls[model] += 1;
        }
        assert!(calls[0] <= 3, "{estimator:?} stays with the wrong model: {calls:?}");
    }
}

#[test]
fn a_guess_names_the_first_model_and_no_more() {
    let mut beliefs = beliefs(3, VOI);
    let guess = Advice { prior: None, guess: Some(2) };
    assert_eq!(beliefs.pick_with(1, 1.0, None, guess), Ok((2, Reason::Guessed)));
    assert_ne!(beliefs.pick_with(1, 1.0, Some(&[0, 1]), guess).unwrap().1, Reason::Guessed);
    beliefs.observe(1, 2, 4.0).unwrap();
    assert_eq!(beliefs.pick_with(1, 2.0, None, guess), beliefs.pick(1, 2.0, None));
    let both = Advice { guess: Some(2), ..prior(&[5.0, 2.0, 9.0], 4.0) };
    assert_eq!(beliefs.pick_with(9, 1.0, None, both), Ok((2, Reason::Guessed)));
    assert_eq!(beliefs.pick_with(1, 2.0, None, both).unwrap().0, 1);
}

#[test]
fn advice_that_does_not_fit_is_refused() {
    let mut beliefs = beliefs(2, VOI);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Prior::new(&[1.0], bad), Err(Error::Config { .. })), "{bad}");
    }
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(Prior::new(&[1.0, bad], 4.0), Err(Error::Cost { .. })), "{bad}");
    }
    let short = prior(&[1.0], 4.0);
    assert!(matches!(beliefs.pick_with(1, 1.0, None, short), Err(Error::Config { .. })));
    assert!(matches!(beliefs.value_with(1, 1.0, None, short), Err(Error::Config { .. })));
    let guess = Advice { prior: None, guess: Some(2) };
    assert!(matches!(beliefs.decide_with(1, 1.0, None, guess), Err(Error::Config { .. })));
}

proptest! {
    #[test]
    fn advice_leaves_no_trace(
        costs in prop::collection::vec((0u64..6, 0usize..2, 0.0..50.0), 0..40),
        means in prop::collection::vec(0.0..50.0, 2),
        strength in 0.01..100.0,
    ) {
        let (mut advised, mut plain) = (beliefs(2, VOI), beliefs(2, VOI));
        for (key, model, cost) in costs {
            let choice = advised.decide_with(key, 2.0, None, prior(&means, strength)).unwrap();
            let value = advised.value_with(key, 2.0, None, prior(&means, strength)).unwrap();
            prop_assert!((value - choice.lower[choice.model]).abs() < 1e-12);
            plain.pick(key, 2.0, None).unwrap();
            advised.observe(key, model, cost).unwrap();
            plain.observe(key, model, cost).unwrap();
            prop_assert_eq!(advised.encode(), plain.encode());
            prop_assert_eq!(advised.decide(key, 2.0, None), plain.decide(key, 2.0, None));
        }
        advised.check();
    }
}
