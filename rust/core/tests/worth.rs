//! What an entry is worth where costs have no floor: told apart from others however noisy its cost was.

use lecmux_core::estimate::{ArmView, Beliefs, CostRange, Estimator};
use proptest::prelude::*;

const NO_FLOOR: CostRange = CostRange { floor: 0.0, ceiling: None };

fn rule(z: f64, least_share: f64) -> Estimator {
    Estimator::ValueOfInformation { z, s0: None, forecast: 1.0, least_share }
}

fn arm(n: u32, mean: f64) -> ArmView {
    ArmView { n, mean, variance: None }
}

fn worth(rule: Estimator, arm: ArmView, deviation: f64, range: CostRange) -> f64 {
    rule.worth_at(arm, deviation, 0.0, range)
}

proptest! {
    #[test]
    fn a_cost_above_0_is_worth_something(
        mean in 1e-9..1e9f64, n in 1u32..1000, deviation in 0.0..1e12f64, z in 0.0..10.0f64, share in 0.01..1.0f64,
    ) {
        let found = worth(rule(z, share), arm(n, mean), deviation, NO_FLOOR);
        prop_assert!(found > 0.0 && found <= mean);
        prop_assert!(found >= rule(z, share).lower_at(arm(n, mean), deviation, 0.0, NO_FLOOR));
    }

    #[test]
    fn it_rises_with_the_mean_and_with_what_was_paid_for(
        mean in 1e-3..1e3f64, more in 1.01..10.0f64, n in 1u32..1000, others in 1u32..1000, deviation in 0.0..1e4f64,
    ) {
        let of = |n, mean| worth(rule(2.0, 0.3), arm(n, mean), deviation, NO_FLOOR);
        prop_assert!(of(n, mean * more) > of(n, mean));
        prop_assert!(of(n + others, mean) >= of(n, mean));
    }

    #[test]
    fn a_known_floor_or_no_share_leaves_the_bound_alone(
        mean in 0.0..1e3f64, n in 0u32..1000, deviation in 0.0..1e4f64, floor in 1e-3..10.0f64,
    ) {
        let range = CostRange { floor, ceiling: None };
        let same = |share, range| {
            let rule = rule(2.0, share);
            let bound = rule.lower_at(arm(n, mean), deviation, 0.0, range);
            worth(rule, arm(n, mean), deviation, range).to_bits() == bound.to_bits()
        };
        prop_assert!(same(0.3, range) && same(0.0, range) && same(0.0, NO_FLOOR));
    }

    #[test]
    fn the_route_takes_the_bound_alone(first in 0.0..50.0f64, second in 0.0..50.0f64, count in 0.0..100.0f64) {
        let choices = [0.0, 1.0].map(|share| {
            let mut beliefs = Beliefs::new(2, rule(2.0, share), NO_FLOOR, 8).unwrap();
            for (model, cost) in [(0, first), (1, second), (0, second)] {
                beliefs.observe(7, model, cost).unwrap();
            }
            beliefs.decide(7, count, None).unwrap()
        });
        prop_assert_eq!(&choices[0], &choices[1]);
    }
}

/// Two queries whose other model is worth a look: both are worth little, the dear one more.
#[test]
fn queries_half_explored_are_told_apart() {
    let mut beliefs = Beliefs::new(2, rule(2.0, 0.3), NO_FLOOR, 8).unwrap();
    for (hash, model, cost) in [(1, 0, 10.0), (2, 1, 4.0), (3, 0, 20.0)] {
        beliefs.observe(hash, model, cost).unwrap();
    }
    let (cheap, dear, known) = (beliefs.value(1, 9.0), beliefs.value(3, 9.0), beliefs.value(2, 0.1));
    assert!(cheap > 0.0 && dear >= cheap, "{cheap} {dear}");
    assert!(known > 10.0 * dear, "{known} {dear}");
}
