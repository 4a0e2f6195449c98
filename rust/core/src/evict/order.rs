//! A lazy priority queue of slots: the least score first, the lowest slot among equals.
//!
//! A hit only raises a score, and raising is one store: the heap keeps the old, lower score and is put right
//! when that node comes to the top. Lowering and removing leave a stale node behind, told apart by a ticket
//! and swept out once such nodes outnumber the live ones.

use prefetch_index::prefetch_index;

use super::heap::{Heap, Node};
use super::{LOOK_AHEAD, Slot};
use crate::room;

/// Ticket of a slot that is not in the order.
const ABSENT: u32 = 0;

/// What is known of a slot: side by side, since a look at one is a look at the other.
#[derive(Clone, Copy, Debug)]
struct Mark {
    score: f64,
    ticket: u32,
}

const OUT: Mark = Mark { score: 0.0, ticket: ABSENT };

/// Slots ordered by score.
#[derive(Clone, Debug, Default)]
pub struct Order {
    heap: Heap,
    marks: Vec<Mark>,
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

    /// Adds `slot`, or gives it a new `score`, at least 0. O(1) when the score does not fall, else O(log n).
    #[inline]
    pub fn set(&mut self, slot: Slot, score: f64) {
        // 0 has two signs, and the heap goes by the bits; the sum has one.
        let score = score + 0.0;
        debug_assert!(score.is_sign_positive(), "a score below 0");
        let at = slot as usize;
        if at >= self.marks.len() {
            room::fill(&mut self.marks, at + 1, OUT);
        }
        let mark = &mut self.marks[at];
        let rises = mark.ticket != ABSENT && score >= mark.score;
        self.len += usize::from(mark.ticket == ABSENT);
        mark.score = score;
        if !rises {
            self.push(slot, score);
        }
    }

    fn push(&mut self, slot: Slot, score: f64) {
        self.sweep_if_stale();
        self.next_ticket = self.next_ticket.wrapping_add(1);
        if self.next_ticket == ABSENT {
            self.renumber();
        }
        self.marks[slot as usize].ticket = self.next_ticket;
        let node = Node::new(score, slot, self.next_ticket);
        if std::mem::take(&mut self.hole) {
            self.heap.replace_top(node);
        } else {
            self.heap.push(node);
        }
    }

    /// Takes `slot` out; a no-op when it is not held.
    pub fn remove(&mut self, slot: Slot) {
        if let Some(mark) = self.marks.get_mut(slot as usize).filter(|mark| mark.ticket != ABSENT) {
            mark.ticket = ABSENT;
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
        while let Some(&top) = self.heap.top() {
            let mark = &mut self.marks[top.slot() as usize];
            if mark.ticket != top.ticket() {
                self.heap.pop();
                continue;
            }
            let score = now(top.slot(), mark.score).max(mark.score);
            if score > top.score() {
                mark.score = score;
                self.heap.replace_top(Node::new(score, top.slot(), top.ticket()));
            } else {
                return Some((top.slot(), top.score()));
            }
        }
        None
    }

    /// Takes out what [`Order::lowest`] gives.
    pub fn pop_lowest(&mut self) -> Option<(Slot, f64)> {
        let (slot, score) = self.lowest()?;
        self.marks[slot as usize].ticket = ABSENT;
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
        self.marks[slot as usize].score
    }

    /// Slots that may well be popped next, the likeliest first; what is known of them here is being fetched.
    #[inline]
    #[must_use]
    pub fn upcoming(&self) -> [Option<Slot>; LOOK_AHEAD] {
        self.heap.front().map(|node| {
            let slot = node?.slot();
            prefetch_index(&self.marks, slot as usize);
            Some(slot)
        })
    }

    /// The current score of `slot`, if held.
    #[must_use]
    pub fn score(&self, slot: Slot) -> Option<f64> {
        self.marks.get(slot as usize).filter(|mark| mark.ticket != ABSENT).map(|mark| mark.score)
    }

    /// Multiplies every score by `factor` > 0, which keeps the order.
    pub fn rescale(&mut self, factor: f64) {
        self.fill_hole();
        self.marks.iter_mut().for_each(|mark| mark.score *= factor);
        // Underflow can make equals of what was ordered, and equals are ordered by slot: so it is built anew.
        self.heap.retain(|node| {
            *node = Node::new(node.score() * factor, node.slot(), node.ticket());
            true
        });
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.heap.heap_bytes() + self.marks.capacity() * size_of::<Mark>()
    }

    /// Checks that exactly `resident` is held and the heap is one.
    ///
    /// # Panics
    /// When not.
    pub fn check(&self, resident: &[Slot]) {
        let held = self.marks.iter().filter(|mark| mark.ticket != ABSENT).count();
        assert!(!self.hole || self.heap.len() > 0, "a hole in an empty heap");
        assert_eq!(self.len, held, "length and tickets disagree");
        assert_eq!(held, resident.len(), "the order holds other slots than the shard");
        assert!(resident.iter().all(|&slot| self.score(slot).is_some()), "a resident slot is not ordered");
        self.heap.check();
        let live = self.heap.iter().skip(usize::from(self.hole)).filter(|node| self.is_live(node));
        assert_eq!(live.clone().count(), held, "each held slot has one live node");
        for node in live {
            assert!(node.score() <= self.marks[node.slot() as usize].score, "a node above its slot's score");
        }
    }

    fn is_live(&self, node: &Node) -> bool {
        self.marks[node.slot() as usize].ticket == node.ticket()
    }

    /// Drops stale nodes once they are half as many as the live ones.
    fn sweep_if_stale(&mut self) {
        if self.heap.len() > self.len + self.len / 2 + 64 {
            self.sweep();
        }
    }

    fn sweep(&mut self) {
        self.fill_hole();
        let marks = &self.marks;
        self.heap.retain(|node| marks[node.slot() as usize].ticket == node.ticket());
    }

    /// Tickets ran out: give the live nodes new ones from 1.
    fn renumber(&mut self) {
        self.sweep();
        self.next_ticket = 0;
        let Self { heap, marks, next_ticket, .. } = self;
        heap.retain(|node| {
            *next_ticket += 1;
            *node = Node::new(node.score(), node.slot(), *next_ticket);
            marks[node.slot() as usize].ticket = *next_ticket;
            true
        });
        self.next_ticket += 1;
    }

    /// Gives the root of a popped heap its successor.
    fn fill_hole(&mut self) {
        if std::mem::take(&mut self.hole) {
            self.heap.pop();
        }
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

    #[test]
    fn a_negative_zero_is_a_zero() {
        let mut order = Order::default();
        order.set(0, 1.0);
        order.set(1, -0.0);
        assert_eq!(order.pop_lowest(), Some((1, 0.0)));
    }
}
