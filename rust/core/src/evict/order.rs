//! A lazy priority queue of slots: the least score first, the lowest slot among equals.
//!
//! A hit only raises a score, and raising is one store: the heap keeps the old, lower score and is put right
//! when that node comes to the top. Lowering and removing leave a stale node behind, told apart by a ticket
//! and swept out once such nodes outnumber the live ones.

use super::Slot;
use crate::room;

const ARITY: usize = 4;
/// Ticket of a slot that is not in the order.
const ABSENT: u32 = 0;

#[derive(Clone, Copy, Debug)]
struct Node {
    score: f64,
    slot: Slot,
    ticket: u32,
}

impl Node {
    fn before(&self, other: &Self) -> bool {
        match self.score.total_cmp(&other.score) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => self.slot < other.slot,
            std::cmp::Ordering::Greater => false,
        }
    }
}

/// Slots ordered by score.
#[derive(Clone, Debug, Default)]
pub struct Order {
    heap: Vec<Node>,
    scores: Vec<f64>,
    tickets: Vec<u32>,
    next_ticket: u32,
    len: usize,
    /// The root was popped and not filled yet: a newcomer often belongs near it, so the next push goes there.
    hole: bool,
}

impl Order {
    /// Slots held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no slot is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds `slot`, or gives it a new score. O(1) when the score does not fall, else O(log n).
    #[inline]
    pub fn set(&mut self, slot: Slot, score: f64) {
        let at = slot as usize;
        if at >= self.scores.len() {
            room::fill(&mut self.scores, at + 1, 0.0);
            room::fill(&mut self.tickets, at + 1, ABSENT);
        }
        if self.tickets[at] == ABSENT {
            self.len += 1;
        } else if score >= self.scores[at] {
            self.scores[at] = score;
            return;
        }
        self.scores[at] = score;
        self.push(slot, score);
    }

    fn push(&mut self, slot: Slot, score: f64) {
        self.sweep_if_stale();
        self.next_ticket = self.next_ticket.wrapping_add(1);
        if self.next_ticket == ABSENT {
            self.renumber();
        }
        self.tickets[slot as usize] = self.next_ticket;
        let node = Node { score, slot, ticket: self.next_ticket };
        if std::mem::take(&mut self.hole) {
            self.heap[0] = node;
            self.sift_down(0);
        } else {
            room::for_one(&mut self.heap);
            self.heap.push(node);
            self.sift_up(self.heap.len() - 1);
        }
    }

    /// Takes `slot` out; a no-op when it is not held.
    pub fn remove(&mut self, slot: Slot) {
        if let Some(ticket) = self.tickets.get_mut(slot as usize).filter(|ticket| **ticket != ABSENT) {
            *ticket = ABSENT;
            self.len -= 1;
        }
    }

    /// The slot with the least score. Amortised O(log n).
    pub fn lowest(&mut self) -> Option<(Slot, f64)> {
        self.lowest_by(|_, score| score)
    }

    /// As [`Order::lowest`], where `now` gives the score of a slot from what was set: scores may have risen
    /// meanwhile without a word, and only those that come to the top are looked at.
    pub fn lowest_by(&mut self, now: impl Fn(Slot, f64) -> f64) -> Option<(Slot, f64)> {
        self.fill_hole();
        while let Some(&top) = self.heap.first() {
            let at = top.slot as usize;
            if self.tickets[at] != top.ticket {
                self.pop();
                continue;
            }
            let score = now(top.slot, self.scores[at]).max(self.scores[at]);
            if score > top.score {
                self.scores[at] = score;
                self.heap[0].score = score;
                self.sift_down(0);
            } else {
                return Some((top.slot, top.score));
            }
        }
        None
    }

    /// Takes out what [`Order::lowest`] gives.
    pub fn pop_lowest(&mut self) -> Option<(Slot, f64)> {
        let (slot, score) = self.lowest()?;
        self.tickets[slot as usize] = ABSENT;
        self.len -= 1;
        self.hole = true;
        Some((slot, score))
    }

    /// Puts a slot that [`Order::pop_lowest`] gave back where it was.
    pub fn put_back(&mut self, slot: Slot) {
        self.set(slot, self.popped_score(slot));
    }

    /// The score of a slot when [`Order::pop_lowest`] gave it.
    #[must_use]
    pub fn popped_score(&self, slot: Slot) -> f64 {
        self.scores[slot as usize]
    }

    /// The current score of `slot`, if held.
    #[must_use]
    pub fn score(&self, slot: Slot) -> Option<f64> {
        let at = slot as usize;
        (*self.tickets.get(at)? != ABSENT).then(|| self.scores[at])
    }

    /// Multiplies every score by `factor` > 0, which keeps the order.
    pub fn rescale(&mut self, factor: f64) {
        self.fill_hole();
        self.scores.iter_mut().for_each(|score| *score *= factor);
        self.heap.iter_mut().for_each(|node| node.score *= factor);
        // Underflow can make equals of what was ordered, and equals are ordered by slot.
        self.heapify();
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.heap.capacity() * size_of::<Node>() + self.scores.capacity() * 8 + self.tickets.capacity() * 4
    }

    /// Checks that exactly `resident` is held and the heap is one.
    ///
    /// # Panics
    /// When not.
    pub fn check(&self, resident: &[Slot]) {
        let held = self.tickets.iter().filter(|&&ticket| ticket != ABSENT).count();
        assert!(!self.hole || !self.heap.is_empty(), "a hole in an empty heap");
        assert_eq!(self.len, held, "length and tickets disagree");
        assert_eq!(held, resident.len(), "the order holds other slots than the shard");
        assert!(resident.iter().all(|&slot| self.score(slot).is_some()), "a resident slot is not ordered");
        for (at, node) in self.heap.iter().enumerate().skip(1) {
            let parent = (at - 1) / ARITY;
            let ordered = (self.hole && parent == 0) || !node.before(&self.heap[parent]);
            assert!(ordered, "heap order broken at {at}");
        }
        let live = self.heap.iter().skip(usize::from(self.hole)).filter(|node| self.is_live(node));
        assert_eq!(live.clone().count(), held, "each held slot has one live node");
        for node in live {
            assert!(node.score <= self.scores[node.slot as usize], "a node above its slot's score");
        }
    }

    fn is_live(&self, node: &Node) -> bool {
        self.tickets[node.slot as usize] == node.ticket
    }

    /// Drops stale nodes once they are half as many as the live ones.
    fn sweep_if_stale(&mut self) {
        if self.heap.len() > self.len + self.len / 2 + 64 {
            self.fill_hole();
            let tickets = &self.tickets;
            self.heap.retain(|node| tickets[node.slot as usize] == node.ticket);
            self.heapify();
        }
    }

    /// Tickets ran out: give the live nodes new ones from 1.
    fn renumber(&mut self) {
        self.fill_hole();
        let tickets = &self.tickets;
        self.heap.retain(|node| tickets[node.slot as usize] == node.ticket);
        self.next_ticket = 0;
        for node in &mut self.heap {
            self.next_ticket += 1;
            node.ticket = self.next_ticket;
            self.tickets[node.slot as usize] = self.next_ticket;
        }
        self.heapify();
        self.next_ticket += 1;
    }

    /// Gives the root of a popped heap its successor.
    fn fill_hole(&mut self) {
        if std::mem::take(&mut self.hole) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(last) = self.heap.pop()
            && !self.heap.is_empty()
        {
            self.heap[0] = last;
            self.sift_down(0);
        }
    }

    fn heapify(&mut self) {
        for at in (0..self.heap.len().div_ceil(ARITY)).rev() {
            self.sift_down(at);
        }
    }

    fn sift_up(&mut self, mut at: usize) {
        let node = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if !node.before(&self.heap[parent]) {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = node;
    }

    fn sift_down(&mut self, mut at: usize) {
        let node = self.heap[at];
        loop {
            let first = at * ARITY + 1;
            let Some(children) = self.heap.get(first..self.heap.len().min(first + ARITY)) else { break };
            let mut least = None;
            for (offset, child) in children.iter().enumerate() {
                if child.before(least.map_or(&node, |(_, best)| best)) {
                    least = Some((first + offset, child));
                }
            }
            let Some((child_at, &child)) = least else { break };
            self.heap[at] = child;
            at = child_at;
        }
        self.heap[at] = node;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Op {
        Set(Slot, u8),
        Remove(Slot),
        Pop,
        Halve,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (0u32..20, 0u8..10).prop_map(|(slot, score)| Op::Set(slot, score)),
            2 => (0u32..20).prop_map(Op::Remove),
            2 => Just(Op::Pop),
            1 => Just(Op::Halve),
        ]
    }

    proptest! {
        #[test]
        fn pops_like_a_sorted_list(ops in prop::collection::vec(op(), 0..400)) {
            let mut order = Order::default();
            let mut naive: Vec<(Slot, f64)> = Vec::new();
            for op in ops {
                match op {
                    Op::Set(slot, score) => {
                        order.set(slot, f64::from(score));
                        naive.retain(|held| held.0 != slot);
                        naive.push((slot, f64::from(score)));
                    }
                    Op::Remove(slot) => {
                        order.remove(slot);
                        naive.retain(|held| held.0 != slot);
                    }
                    Op::Pop => {
                        naive.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
                        prop_assert_eq!(order.pop_lowest(), naive.pop());
                    }
                    Op::Halve => {
                        order.rescale(0.5);
                        for held in &mut naive {
                            held.1 *= 0.5;
                        }
                    }
                }
                let slots: Vec<Slot> = naive.iter().map(|held| held.0).collect();
                order.check(&slots);
            }
        }
    }

    #[test]
    fn tickets_may_wrap() {
        let mut order = Order { next_ticket: u32::MAX - 2, ..Order::default() };
        for slot in 0..8 {
            order.set(slot, f64::from(slot));
            order.check(&(0..=slot).collect::<Vec<_>>());
        }
        assert_eq!(order.pop_lowest(), Some((0, 0.0)));
    }
}
