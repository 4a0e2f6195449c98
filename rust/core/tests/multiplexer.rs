//! The multiplexer: it pays where features tell, and does no harm where they do not.

use lecmux_core::error::Error;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::route::multiplexer::Settings;
use lecmux_core::route::{Expected, Features, Multiplexer, Router, Weight};
use proptest::prelude::*;

const SETTINGS: Settings = Settings { models: 2, dims: 3, penalty: 3.0, strength: None };
const RANGE: CostRange = CostRange { floor: 0.0, ceiling: None };
const VOI: Estimator = Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 };

/// Uniform in [0, 1); the same on every machine.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[expect(clippy::cast_possible_truncation, reason = "features are single precision")]
fn features(values: &[f64]) -> Features {
    Features::dense(&values.iter().map(|&value| value as f32).collect::<Vec<_>>()).unwrap()
}

/// A stream of queries, a tenth of which comes back often. Model 0 costs 1 and, on hard ones, an error of 30;
/// model 1 costs 6. `seen` is what a query shows of its difficulty.
struct World {
    hard: Vec<bool>,
    seen: Vec<Features>,
    stream: Vec<usize>,
}

fn world(seed: u64, telling: bool) -> World {
    let mut draws = Draws(seed);
    let hard: Vec<bool> = (0..800).map(|_| draws.next() < 0.4).collect();
    let shown = hard
        .iter()
        .map(|&hard| {
            let noise = [draws.next(), draws.next(), draws.next()];
            let told = if telling && hard { 1.0 } else { 0.0 };
            features(&[told + 0.3 * noise[0], noise[1], noise[2]])
        })
        .collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 800")]
    let stream = (0..4000).map(|_| (800.0 * draws.next().powi(3)) as usize).collect();
    World { hard, seen: shown, stream }
}

/// What a stream costs without a cache.
fn paid(world: &World, mut multiplexer: Option<Multiplexer>, seed: u64) -> f64 {
    let mut router = Router::new(2, VOI, RANGE, 10_000).unwrap();
    let mut draws = Draws(seed);
    let mut asked = vec![0.0; world.hard.len()];
    let mut total = 0.0;
    for &query in &world.stream {
        asked[query] += 1.0;
        let x = &world.seen[query];
        let expected = multiplexer.as_ref().and_then(|known| known.expect(x, true).unwrap());
        let hash = query as u64 + 1;
        let model = router.decide(hash, asked[query], None, expected.as_ref()).unwrap().model;
        let error = if model == 0 && world.hard[query] { 30.0 } else { 0.0 };
        let cost = [1.0, 6.0][model] * (0.8 + 0.4 * draws.next()) + error;
        total += cost;
        let first = router.observe(hash, model, cost).unwrap();
        if let Some(multiplexer) = multiplexer.as_mut().filter(|_| first) {
            multiplexer.learn(x, model, cost).unwrap();
            multiplexer.check();
        }
    }
    total
}

fn totals(telling: bool) -> (f64, f64) {
    let mut totals = (0.0, 0.0);
    for seed in 1000..1010 {
        let world = world(seed, telling);
        totals.0 += paid(&world, None, seed);
        totals.1 += paid(&world, Some(Multiplexer::new(SETTINGS).unwrap()), seed);
    }
    totals
}

#[test]
fn telling_features_pay_from_bandit_feedback_alone() {
    let (tabular, multiplexed) = totals(true);
    assert!(multiplexed < 0.9 * tabular, "{multiplexed} against {tabular}");
}

#[test]
fn features_that_tell_nothing_do_no_harm() {
    let (tabular, multiplexed) = totals(false);
    assert!(multiplexed < 1.01 * tabular, "{multiplexed} against {tabular}");
}

#[test]
fn labels_give_calibrated_costs_before_the_first_request() {
    let world = world(7, true);
    let mut multiplexer = Multiplexer::new(SETTINGS).unwrap();
    assert_eq!(multiplexer.expect(&world.seen[0], true), Ok(None));
    let costs: Vec<f64> =
        world.hard[..400].iter().flat_map(|&hard| [if hard { 31.0 } else { 1.0 }, f64::NAN]).collect();
    multiplexer.fit(&world.seen[..400], &costs).unwrap();
    assert_eq!(multiplexer.labels(), [400, 0]);
    assert!(multiplexer.skills()[0] > 0.8);
    let (mut of_hard, mut of_easy) = (Vec::new(), Vec::new());
    for (x, &hard) in world.seen[400..].iter().zip(&world.hard[400..]) {
        let expected = multiplexer.expect(x, false).unwrap().unwrap();
        assert!(matches!(&expected.weight, Weight::Spread(spreads) if spreads[0] > 0.0));
        if hard { &mut of_hard } else { &mut of_easy }.push(expected.means[0]);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!((mean(&of_hard) - 31.0).abs() < 3.0 && (mean(&of_easy) - 1.0).abs() < 2.0);
}

#[test]
fn an_error_learnt_later_counts_as_if_known_at_once() {
    let world = world(3, true);
    let (mut late, mut at_once) = (Multiplexer::new(SETTINGS).unwrap(), Multiplexer::new(SETTINGS).unwrap());
    for (x, &hard) in world.seen[..60].iter().zip(&world.hard) {
        let error = if hard { 30.0 } else { 0.0 };
        let number = late.learn(x, 0, 1.0).unwrap();
        late.amend(x, 0, number, error).unwrap();
        at_once.learn(x, 0, 1.0 + error).unwrap();
        late.check();
    }
    for x in &world.seen[60..80] {
        let (a, b) = (late.expect(x, true).unwrap().unwrap(), at_once.expect(x, true).unwrap().unwrap());
        assert!((a.means[0] - b.means[0]).abs() < 1e-6);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut multiplexer = Multiplexer::new(SETTINGS).unwrap();
    let before = multiplexer.clone();
    let (x, short) = (features(&[1.0, 2.0, 3.0]), features(&[1.0]));
    assert!(matches!(multiplexer.learn(&short, 0, 1.0), Err(Error::Config { .. })));
    assert!(matches!(multiplexer.learn(&x, 2, 1.0), Err(Error::Config { .. })));
    assert!(matches!(multiplexer.learn(&x, 0, -1.0), Err(Error::Cost { .. })));
    assert!(matches!(multiplexer.expect(&short, true), Err(Error::Config { .. })));
    assert!(matches!(multiplexer.fit(std::slice::from_ref(&x), &[1.0]), Err(Error::Config { .. })));
    let bad = multiplexer.fit(&[x.clone(), x], &[1.0, 2.0, 3.0, f64::INFINITY]);
    assert!(matches!(bad, Err(Error::Cost { what }) if what.starts_with("row 1")));
    assert_eq!(multiplexer, before);
    for settings in [
        Settings { models: 0, ..SETTINGS },
        Settings { dims: 0, ..SETTINGS },
        Settings { penalty: 0.0, ..SETTINGS },
        Settings { strength: Some(-1.0), ..SETTINGS },
    ] {
        assert!(matches!(Multiplexer::new(settings), Err(Error::Config { .. })), "{settings:?}");
    }
    assert!(Expected::new(vec![1.0, f64::NAN], 4.0).is_err());
}

#[test]
fn memory_is_bounded() {
    let mut multiplexer = Multiplexer::new(SETTINGS).unwrap();
    let mut draws = Draws(1);
    let mut bytes = Vec::new();
    for _ in 0..4 {
        for _ in 0..1200 {
            let x = features(&[draws.next(), draws.next(), draws.next()]);
            for model in 0..2 {
                multiplexer.learn(&x, model, draws.next()).unwrap();
            }
        }
        bytes.push(multiplexer.bytes());
    }
    assert!(bytes[3] < bytes[0] + 1000, "{bytes:?}");
}

proptest! {
    #[test]
    fn it_survives_a_round_trip_and_its_checks(
        labels in prop::collection::vec((prop::array::uniform3(-2.0..2.0), 0usize..2, 0.0..50.0), 0..200),
    ) {
        let mut multiplexer = Multiplexer::new(SETTINGS).unwrap();
        for (x, model, cost) in labels {
            multiplexer.learn(&features(&x), model, cost).unwrap();
        }
        multiplexer.check();
        let read = Multiplexer::decode(&multiplexer.encode()).unwrap();
        read.check();
        prop_assert_eq!(read.encode(), multiplexer.encode());
        let x = features(&[0.5, -0.5, 1.0]);
        prop_assert_eq!(read.labels(), multiplexer.labels());
        prop_assert_eq!(read.expect(&x, true).unwrap().is_some(), multiplexer.expect(&x, true).unwrap().is_some());
    }

    #[test]
    fn damaged_bytes_are_refused_or_sound(at in any::<prop::sample::Index>(), flip in 1u8.., cut in 0usize..40) {
        let mut multiplexer = Multiplexer::new(SETTINGS).unwrap();
        for place in 0..20 {
            multiplexer.learn(&features(&[f64::from(place), 1.0, 0.0]), 0, f64::from(place)).unwrap();
        }
        let mut bytes = multiplexer.encode();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        bytes.truncate(bytes.len() - cut);
        match Multiplexer::decode(&bytes) {
            Ok(read) => read.check(),
            Err(error) => {
                let refused = matches!(error, Error::Snapshot { .. });
                prop_assert!(refused);
            }
        }
    }
}
