//! Greedy dual size frequency: priority = age + count · cost / bytes.
//!
//! Cherkasova 1998 (HPL-98-69R1). The age is the priority of the last victim, so what is not asked for again
//! is overtaken in time. Always admits unless `bypass` is set.

use super::order::Order;
use super::{Eviction, LOOK_AHEAD, Slot, Worth};

/// State of the policy.
#[derive(Clone, Debug)]
pub struct Gdsf {
    keep_counts: bool,
    bypass: bool,
    age: f64,
    order: Order,
}

impl Gdsf {
    /// `keep_counts`: counts outlive the entry; `bypass`: decline newcomers of the lowest priority.
    #[must_use]
    pub fn new(keep_counts: bool, bypass: bool) -> Self {
        Self { keep_counts, bypass, age: 0.0, order: Order::default() }
    }

    /// Priority of the last victim.
    #[must_use]
    pub fn age(&self) -> f64 {
        self.age
    }

    /// Current priority of a resident slot.
    #[must_use]
    pub fn priority(&self, slot: Slot) -> Option<f64> {
        self.order.score(slot)
    }

    fn score(&self, worth: &Worth) -> f64 {
        self.age + worth.count * worth.value / worth.bytes as f64
    }
}

impl Eviction for Gdsf {
    fn on_insert(&mut self, slot: Slot, worth: &Worth) {
        let score = self.score(worth);
        self.order.set(slot, score);
    }

    fn on_hit(&mut self, slot: Slot, worth: &Worth) {
        self.on_learn(slot, worth);
    }

    fn on_learn(&mut self, slot: Slot, worth: &Worth) {
        let score = self.score(worth);
        self.order.set(slot, score);
    }

    fn on_cover(&mut self, slot: Slot, worth: &Worth) {
        self.on_learn(slot, worth);
    }

    fn on_remove(&mut self, slot: Slot) {
        self.order.remove(slot);
    }

    fn victim(&mut self, newcomer: &Worth, _: &dyn Fn(Slot) -> Worth) -> Option<Slot> {
        let (_, lowest) = self.order.lowest()?;
        if self.bypass && self.score(newcomer) <= lowest {
            return None;
        }
        self.order.pop_lowest().map(|(slot, _)| slot)
    }

    fn on_evict(&mut self, slot: Slot) {
        self.age = self.age.max(self.order.popped_score(slot));
    }

    fn upcoming(&self) -> [Option<Slot>; LOOK_AHEAD] {
        self.order.upcoming()
    }

    fn on_return(&mut self, slot: Slot) {
        self.order.put_back(slot);
    }

    fn rescale(&mut self, factor: f64) {
        self.age *= factor;
        self.order.rescale(factor);
    }

    fn watches_hits(&self) -> bool {
        true
    }

    fn remembers(&self) -> bool {
        self.keep_counts
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

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(count: f64, value: f64, bytes: u64) -> Worth {
        Worth { hash: 0, count, value, bytes, given: None }
    }

    #[test]
    fn the_age_is_the_priority_of_the_last_victim() {
        let mut gdsf = Gdsf::new(false, false);
        gdsf.on_insert(0, &worth(1.0, 5.0, 2));
        gdsf.on_insert(1, &worth(1.0, 6.0, 1));
        assert_eq!(gdsf.victim(&worth(1.0, 4.0, 4), &|_| worth(1.0, 1.0, 1)), Some(0));
        gdsf.on_evict(0);
        assert!((gdsf.age() - 2.5).abs() < 1e-12);
        gdsf.on_insert(0, &worth(1.0, 4.0, 4));
        assert_eq!(gdsf.priority(0), Some(3.5));
        gdsf.on_hit(1, &worth(2.0, 6.0, 1));
        assert_eq!(gdsf.priority(1), Some(14.5));
    }

    #[test]
    fn a_victim_that_stays_neither_ages_nor_is_aged() {
        let mut gdsf = Gdsf::new(false, true);
        gdsf.on_insert(0, &worth(1.0, 5.0, 1));
        gdsf.on_insert(1, &worth(1.0, 9.0, 1));
        assert_eq!(gdsf.victim(&worth(1.0, 7.0, 1), &|_| worth(1.0, 1.0, 1)), Some(0));
        assert_eq!(gdsf.victim(&worth(1.0, 7.0, 1), &|_| worth(1.0, 1.0, 1)), None);
        gdsf.on_return(0);
        assert_eq!((gdsf.age(), gdsf.priority(0)), (0.0, Some(5.0)));
        gdsf.check(&[0, 1]);
    }
}
