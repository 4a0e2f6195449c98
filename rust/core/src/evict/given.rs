//! Scores given from outside: the lowest leaves first; an entry without one has the score of LEC.
//!
//! score = given score, else count · value / bytes (`lec.rs`). A newcomer replaces the lowest score only when
//! its own is strictly higher. A given score stays until it is given anew; that of LEC rises with hits.

use super::lec;
use super::order::Order;
use super::{Eviction, LOOK_AHEAD, Slot, Worth};
use crate::room;

/// State of the policy.
#[derive(Clone, Debug)]
pub struct Given {
    bypass: bool,
    order: Order,
    /// By slot: whether its score was given, as long as it is in the order.
    fixed: Vec<bool>,
}

impl Given {
    /// `bypass`: decline newcomers whose score is no higher than the lowest.
    #[must_use]
    pub fn new(bypass: bool) -> Self {
        Self { bypass, order: Order::default(), fixed: Vec::new() }
    }
}

fn score(worth: &Worth) -> f64 {
    rank(worth.given.unwrap_or_else(|| lec::score(worth)))
}

/// A number of at least 0 that rises with `score`, which must be finite but may be below 0: an [`Order`] takes
/// no others. Scores that agree in their first 50 bits become equals.
fn rank(score: f64) -> f64 {
    const SIGN: u64 = 1 << 63;
    // 0 has two signs; the sum has one.
    let bits = (score + 0.0).to_bits();
    let rising = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    // Finite for every finite score: the two bits let go keep clear of the largest exponent.
    f64::from_bits(rising >> 2)
}

impl Eviction for Given {
    fn on_insert(&mut self, slot: Slot, worth: &Worth) {
        self.on_learn(slot, worth);
    }

    fn on_hit(&mut self, slot: Slot, worth: &Worth) {
        self.on_learn(slot, worth);
    }

    fn on_learn(&mut self, slot: Slot, worth: &Worth) {
        let at = slot as usize;
        if at >= self.fixed.len() {
            room::fill(&mut self.fixed, at + 1, false);
        }
        self.fixed[at] = worth.given.is_some();
        self.order.set(slot, score(worth));
    }

    fn on_remove(&mut self, slot: Slot) {
        self.order.remove(slot);
    }

    fn victim(&mut self, newcomer: &Worth, worth_of: &dyn Fn(Slot) -> Worth) -> Option<Slot> {
        let Self { order, fixed, .. } = self;
        let now = |slot: Slot, set: f64| if fixed[slot as usize] { set } else { score(&worth_of(slot)) };
        let (_, lowest) = order.lowest_by(now)?;
        if self.bypass && score(newcomer) <= lowest {
            return None;
        }
        self.order.pop_lowest().map(|(slot, _)| slot)
    }

    fn upcoming(&self) -> [Option<Slot>; LOOK_AHEAD] {
        self.order.upcoming()
    }

    fn on_return(&mut self, slot: Slot) {
        self.order.put_back(slot);
    }

    fn watches_hits(&self) -> bool {
        false
    }

    fn remembers(&self) -> bool {
        true
    }

    fn copied(&self) -> Box<dyn Eviction> {
        Box::new(self.clone())
    }

    fn heap_bytes(&self) -> usize {
        self.order.heap_bytes() + self.fixed.capacity()
    }

    fn check(&self, resident: &[Slot]) {
        self.order.check(resident);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn worth(given: Option<f64>, value: f64) -> Worth {
        Worth { hash: 0, count: 1.0, value, bytes: 2, given }
    }

    fn filled(scores: &[Option<f64>]) -> Given {
        let mut policy = Given::new(true);
        for (slot, &given) in (0..).zip(scores) {
            policy.on_insert(slot, &worth(given, 4.0));
        }
        policy
    }

    fn next(policy: &mut Given) -> Option<Slot> {
        policy.victim(&worth(Some(1e9), 0.0), &|_| worth(None, 4.0))
    }

    #[test]
    fn the_lowest_leaves_first_below_0_too() {
        let mut policy = filled(&[Some(3.0), Some(-7.0), Some(0.0), None, Some(-0.5)]);
        let order: Vec<Option<Slot>> = (0..6).map(|_| next(&mut policy)).collect();
        assert_eq!(order, [Some(1), Some(4), Some(2), Some(3), Some(0), None]);
    }

    #[test]
    fn a_newcomer_must_score_higher() {
        let mut policy = filled(&[Some(1.0), Some(2.0)]);
        let residents = |_| worth(None, 1e9);
        assert_eq!(policy.victim(&worth(Some(1.0), 1e9), &residents), None);
        assert_eq!(policy.victim(&worth(None, 2.0), &residents), None);
        assert_eq!(policy.victim(&worth(None, 2.1), &residents), Some(0));
    }

    #[test]
    fn a_score_is_given_anew_and_taken_back() {
        let mut policy = filled(&[Some(5.0), Some(6.0), Some(7.0)]);
        policy.on_learn(1, &worth(Some(-1.0), 0.0));
        policy.on_learn(2, &worth(None, 4.0));
        assert_eq!([next(&mut policy), next(&mut policy), next(&mut policy)], [Some(1), Some(2), Some(0)]);
        policy.check(&[]);
    }

    #[test]
    fn only_the_score_of_lec_rises_with_hits() {
        let mut policy = filled(&[None, Some(3.0)]);
        let asked_often = |_| Worth { count: 10.0, ..worth(None, 4.0) };
        assert_eq!(policy.victim(&worth(Some(1e9), 0.0), &asked_often), Some(1));
    }

    proptest! {
        #[test]
        fn ranks_rise_with_scores(one: f64, other: f64) {
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert!(rank(one).is_finite() && rank(one).is_sign_positive());
            if one <= other {
                prop_assert!(rank(one) <= rank(other));
            }
            if one < other && (other - one) > one.abs().max(other.abs()) * 1e-14 {
                prop_assert!(rank(one) < rank(other));
            }
        }
    }

    #[test]
    fn the_largest_scores_have_ranks() {
        assert!(rank(f64::MIN) < rank(-1.0) && rank(1.0) < rank(f64::MAX) && rank(f64::MAX).is_finite());
        assert_eq!(rank(-0.0).to_bits(), rank(0.0).to_bits());
    }
}
