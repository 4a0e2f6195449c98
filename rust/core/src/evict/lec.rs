//! Least expected cost: keep what costs most to lose per byte.
//!
//! Zhu et al. 2023, "On Optimal Caching and Model Multiplexing for Large Model Inference", arXiv 2306.02003,
//! Algorithm 1 and 2: score = count · lower bound of (cost of a miss − cost of a hit) / bytes. A newcomer
//! replaces the lowest score only when its own is strictly higher, or, where the estimator says so, as high.

use super::order::Order;
use super::{Eviction, LOOK_AHEAD, Slot, Worth};

/// State of the policy.
#[derive(Clone, Debug)]
pub struct Lec {
    bypass: bool,
    ties_to_newcomer: bool,
    order: Order,
}

impl Lec {
    /// `bypass`: decline newcomers that are worth less than the lowest resident; an equal score is declined too
    /// unless `ties_to_newcomer`.
    #[must_use]
    pub fn new(bypass: bool, ties_to_newcomer: bool) -> Self {
        Self { bypass, ties_to_newcomer, order: Order::default() }
    }

    fn declines(&self, newcomer: f64, lowest: f64) -> bool {
        self.bypass && if self.ties_to_newcomer { newcomer < lowest } else { newcomer <= lowest }
    }
}

/// Cost that one byte of the entry saves.
pub(super) fn score(worth: &Worth) -> f64 {
    worth.count * worth.value / worth.bytes as f64
}

impl Eviction for Lec {
    fn on_insert(&mut self, slot: Slot, worth: &Worth) {
        self.order.set(slot, score(worth));
    }

    fn on_hit(&mut self, slot: Slot, worth: &Worth) {
        self.on_learn(slot, worth);
    }

    fn on_learn(&mut self, slot: Slot, worth: &Worth) {
        self.order.set(slot, score(worth));
    }

    fn on_cover(&mut self, slot: Slot, worth: &Worth) {
        self.on_learn(slot, worth);
    }

    fn on_remove(&mut self, slot: Slot) {
        self.order.remove(slot);
    }

    fn victim(&mut self, newcomer: &Worth, worth_of: &dyn Fn(Slot) -> Worth) -> Option<Slot> {
        let (_, lowest) = self.order.lowest_by(|slot, _| score(&worth_of(slot)))?;
        if self.declines(score(newcomer), lowest) {
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

    fn rescale(&mut self, factor: f64) {
        self.order.rescale(factor);
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
        self.order.heap_bytes()
    }

    fn check(&self, resident: &[Slot]) {
        self.order.check(resident);
    }
}
