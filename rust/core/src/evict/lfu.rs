//! Least frequently used, with counts that outlive the entry.
//!
//! The baseline of arXiv 2306.02003: a newcomer replaces the lowest count only when its own is strictly higher.

use super::order::Order;
use super::{Eviction, LOOK_AHEAD, Slot, Worth};

/// State of the policy.
#[derive(Clone, Debug)]
pub struct Lfu {
    bypass: bool,
    order: Order,
}

impl Lfu {
    /// `bypass`: decline newcomers that were asked for no more often than the lowest resident.
    #[must_use]
    pub fn new(bypass: bool) -> Self {
        Self { bypass, order: Order::default() }
    }
}

impl Eviction for Lfu {
    fn on_insert(&mut self, slot: Slot, worth: &Worth) {
        self.order.set(slot, worth.count);
    }

    fn on_hit(&mut self, slot: Slot, worth: &Worth) {
        self.on_learn(slot, worth);
    }

    fn on_learn(&mut self, slot: Slot, worth: &Worth) {
        self.order.set(slot, worth.count);
    }

    fn on_remove(&mut self, slot: Slot) {
        self.order.remove(slot);
    }

    fn victim(&mut self, newcomer: &Worth, worth_of: &dyn Fn(Slot) -> Worth) -> Option<Slot> {
        let (_, lowest) = self.order.lowest_by(|slot, _| worth_of(slot).count)?;
        if self.bypass && newcomer.count <= lowest {
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
