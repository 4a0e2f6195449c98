//! A heap of four children a node that lie side by side in one cache line.
//!
//! So a node that sinks reads one line a level, where children that begin anywhere take two.

use prefetch_index::prefetch_index;

use super::Slot;
use crate::room;

const ARITY: usize = 4;
/// Where the root lies: the children of the node at `i` then fill line `i - 2`, and nothing lies in two lines.
const ROOT: usize = ARITY - 1;

/// A slot in the heap, in one word that orders like (score, slot): the bits of a score that is not negative rise
/// with it. Below lies the ticket, by which the nodes of one slot are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node(u128);

/// Fills the places without a node: none comes after it.
const NOBODY: Node = Node(u128::MAX);

impl Node {
    /// `score`: at least 0.
    #[inline]
    pub(super) fn new(score: f64, slot: Slot, ticket: u32) -> Self {
        Self((u128::from(score.to_bits()) << 64) | (u128::from(slot) << 32) | u128::from(ticket))
    }

    #[inline]
    pub(super) fn score(self) -> f64 {
        f64::from_bits((self.0 >> 64) as u64)
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes its part of the word")]
    pub(super) fn slot(self) -> Slot {
        (self.0 >> 32) as Slot
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes its part of the word")]
    pub(super) fn ticket(self) -> u32 {
        self.0 as u32
    }
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([Node; ARITY]);

/// Nodes by score, the least first; the lowest slot among equals.
#[derive(Clone, Debug, Default)]
pub(super) struct Heap {
    lines: Vec<Line>,
    len: usize,
}

impl Heap {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The first node.
    #[inline]
    pub(super) fn top(&self) -> Option<&Node> {
        (self.len > 0).then(|| self.at(ROOT))
    }

    /// The nodes at the front, the top first.
    #[inline]
    pub(super) fn front<const N: usize>(&self) -> [Option<Node>; N] {
        std::array::from_fn(|place| (place < self.len).then(|| *self.at(ROOT + place)))
    }

    /// Every node, the top first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> + Clone {
        self.lines.iter().flat_map(|Line(nodes)| nodes).skip(ROOT).take(self.len)
    }

    pub(super) fn push(&mut self, node: Node) {
        let at = ROOT + self.len;
        if at / ARITY == self.lines.len() {
            room::for_one(&mut self.lines);
            self.lines.push(Line([NOBODY; ARITY]));
        }
        self.len += 1;
        self.sift_up(at, node);
    }

    /// Puts `node` in place of the top.
    pub(super) fn replace_top(&mut self, node: Node) {
        self.sift_down(ROOT, node);
    }

    pub(super) fn pop(&mut self) {
        if self.len > 0 {
            self.len -= 1;
            let last = std::mem::replace(self.at_mut(ROOT + self.len), NOBODY);
            if self.len > 0 {
                self.sift_down(ROOT, last);
            }
        }
    }

    /// Keeps the nodes that `keeps` accepts, as it may change them; O(n).
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&mut Node) -> bool) {
        let mut nodes: Vec<Node> = self.iter().copied().collect();
        nodes.retain_mut(&mut keeps);
        self.lines.truncate((ROOT + nodes.len()).div_ceil(ARITY));
        self.lines.iter_mut().for_each(|line| *line = Line([NOBODY; ARITY]));
        self.len = nodes.len();
        for (at, node) in nodes.into_iter().enumerate() {
            *self.at_mut(ROOT + at) = node;
        }
        for at in (ROOT..ROOT + self.len).rev() {
            self.sift_down(at, *self.at(at));
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// Panics unless it is a heap.
    pub(super) fn check(&self) {
        for at in ROOT + 1..ROOT + self.len {
            assert!(self.at(at) >= self.at(at / ARITY + 2), "heap order broken at {at}");
        }
        let places = self.lines.iter().flat_map(|Line(nodes)| nodes).enumerate();
        let beyond = places.filter(|(at, _)| !(ROOT..ROOT + self.len).contains(at));
        assert!(beyond.into_iter().all(|(_, &node)| node == NOBODY), "a node beyond the end");
    }

    #[inline]
    fn at(&self, at: usize) -> &Node {
        &self.lines[at / ARITY].0[at % ARITY]
    }

    #[inline]
    fn at_mut(&mut self, at: usize) -> &mut Node {
        &mut self.lines[at / ARITY].0[at % ARITY]
    }

    fn sift_up(&mut self, mut at: usize, node: Node) {
        while at > ROOT {
            let parent = at / ARITY + 2;
            if node >= *self.at(parent) {
                break;
            }
            *self.at_mut(at) = *self.at(parent);
            at = parent;
        }
        *self.at_mut(at) = node;
    }

    fn sift_down(&mut self, mut at: usize, node: Node) {
        while let Some(Line(children)) = self.lines.get(at - 2) {
            // The grandchildren lie side by side: they come while the least of the children is found.
            for child in 0..ARITY {
                prefetch_index(&self.lines, (at - 2) * ARITY + child - 2);
            }
            // No branch: which child is least cannot be predicted.
            let [a, b, c, d] = *children;
            let (left, right) = (usize::from(b < a), 2 + usize::from(d < c));
            let (first, second) = (a.min(b), c.min(d));
            let (least, child) = (if second < first { right } else { left }, first.min(second));
            if child >= node {
                break;
            }
            *self.at_mut(at) = child;
            at = (at - 2) * ARITY + least;
        }
        *self.at_mut(at) = node;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(score: u8, slot: Slot) -> Node {
        Node::new(f64::from(score), slot, 1)
    }

    proptest! {
        #[test]
        fn gives_the_least_like_a_sorted_list(
            ops in prop::collection::vec((0u8..5, 0u8..9, 0u32..50), 0..300),
        ) {
            let (mut heap, mut naive) = (Heap::default(), Vec::<(u8, Slot)>::new());
            for (op, score, slot) in ops {
                match op {
                    0 => {
                        heap.pop();
                        naive.pop();
                    }
                    1 if !naive.is_empty() => {
                        heap.replace_top(node(score, slot));
                        naive.pop();
                        naive.push((score, slot));
                    }
                    2 => {
                        heap.retain(|node| node.slot() % 3 > 0);
                        naive.retain(|(_, slot)| slot % 3 > 0);
                    }
                    _ => {
                        heap.push(node(score, slot));
                        naive.push((score, slot));
                    }
                }
                naive.sort_unstable_by(|a, b| b.cmp(a));
                heap.check();
                prop_assert_eq!(heap.len(), naive.len());
                let least = heap.top().map(|top| (top.score(), top.slot()));
                prop_assert_eq!(least, naive.last().map(|&(score, slot)| (f64::from(score), slot)));
            }
        }
    }

    #[test]
    fn the_children_of_a_node_lie_in_one_line() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
    }
}
