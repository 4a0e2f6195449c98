//! Least recently used: the score of a slot is the time of its last touch. Always admits.

use super::order::Order;
use super::{Eviction, LOOK_AHEAD, Slot, Worth};

/// State of the policy.
#[derive(Clone, Debug, Default)]
pub struct Lru {
    touches: u64,
    order: Order,
}

impl Lru {
    fn touch(&mut self, slot: Slot) {
        self.touches += 1;
        self.order.set(slot, self.touches as f64);
    }
}

impl Eviction for Lru {
    fn on_insert(&mut self, slot: Slot, _: &Worth) {
        self.touch(slot);
    }

    fn on_hit(&mut self, slot: Slot, _: &Worth) {
        self.touch(slot);
    }

    fn on_learn(&mut self, _: Slot, _: &Worth) {}

    fn on_remove(&mut self, slot: Slot) {
        self.order.remove(slot);
    }

    fn victim(&mut self, _: &Worth, _: &dyn Fn(Slot) -> Worth) -> Option<Slot> {
        self.order.pop_lowest().map(|(slot, _)| slot)
    }

    fn upcoming(&self) -> [Option<Slot>; LOOK_AHEAD] {
        self.order.upcoming()
    }

    fn on_return(&mut self, slot: Slot) {
        self.order.put_back(slot);
    }

    fn watches_hits(&self) -> bool {
        true
    }

    fn remembers(&self) -> bool {
        false
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
