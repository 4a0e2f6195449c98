//! A node leaves: those who were linked with it are linked with each other, so that each has as many links
//! as before.

use crate::graph::links::Links;
use crate::graph::{Graph, dot, read};
use crate::metric::Kernels;
use crate::rows::Rows;

impl Graph {
    /// Takes a node out of every level, and leaves its place empty: it is to be filled by `insert` or by
    /// [`Self::close`] before anything else happens. Its row must still be there.
    pub(crate) fn empty(&mut self, rows: &Rows, kernels: &Kernels, node: u32) {
        if let Some(coded) = &mut self.coded {
            coded.moved(&read(rows, node), -1.0);
        }
        for level in 0..self.levels.len() {
            if self.levels[level].contains(node) {
                repair(&mut self.levels[level], rows, kernels, node);
                if level > 0 {
                    self.levels[level].drop(node);
                }
            }
        }
        while self.levels.len() > 1 && self.levels.last().is_some_and(|level| level.len() == 0) {
            self.levels.pop();
        }
        if self.entry == node {
            self.entry = self.any_but(node);
        }
    }

    /// A node of the highest level; `node`'s place is empty.
    fn any_but(&self, node: u32) -> u32 {
        let top = self.levels.last().expect("there is a lowest level");
        match top.any() {
            Some(any) if any != node => any,
            _ => u32::from(node == 0 && self.len() > 1),
        }
    }

    /// The last node takes the empty place of `node`, as its row is about to.
    pub(crate) fn close(&mut self, node: u32) {
        let last = u32::try_from(self.len() - 1).expect("nodes have such numbers");
        if node != last {
            for level in &mut self.levels {
                if level.contains(last) {
                    level.rename(last, node);
                }
            }
            if self.entry == last {
                self.entry = node;
            }
        }
        self.levels[0].drop(last);
        if let Some(coded) = &mut self.coded {
            coded.codes.swap_remove(node as usize);
        }
    }
}

/// Takes the links of `node` away and makes new ones between those it was linked with: first, from the most similar
/// pair on, until each that has room has one for the one it lost, then between parts that may have come apart.
///
/// To spare pairs that have a nearer way to each other makes too few: nodes then have fewer links than in a
/// graph built afresh.
fn repair(links: &mut Links, rows: &Rows, kernels: &Kernels, node: u32) {
    let others = links.isolate(node);
    let pairs = pairs_of(rows, kernels, &others);
    let mut gained = vec![false; others.len()];
    for &(_, a, b) in &pairs {
        let (one, other) = (others[a], others[b]);
        let lacking = !(gained[a] && gained[b]);
        if lacking && links.has_room(one) && links.has_room(other) && !links.linked(one, other) {
            links.link(one, other);
            (gained[a], gained[b]) = (true, true);
        }
    }
    let mut parts = Parts::of(links, &others);
    for &(_, a, b) in &pairs {
        if parts.merge(a, b) {
            links.join(others[a], others[b]);
        }
    }
}

/// All pairs of `nodes` by their places there, the most similar first.
fn pairs_of(rows: &Rows, kernels: &Kernels, nodes: &[u32]) -> Vec<(f32, usize, usize)> {
    let mut pairs = Vec::with_capacity(nodes.len() * nodes.len() / 2);
    for (a, &node) in nodes.iter().enumerate() {
        let row = read(rows, node);
        pairs.extend((a + 1..nodes.len()).map(|b| (dot(rows, kernels, &row, nodes[b]), a, b)));
    }
    pairs.sort_by(|x, y| y.0.total_cmp(&x.0));
    pairs
}

/// Which of some nodes are known to reach each other.
struct Parts(Vec<usize>);

impl Parts {
    /// By links among `nodes`, and by nodes that two of them are linked with.
    fn of(links: &Links, nodes: &[u32]) -> Self {
        let mut parts = Self((0..nodes.len()).collect());
        let mut who: Vec<(u32, usize)> = nodes.iter().copied().zip(0..).collect();
        who.extend(
            (0..).zip(nodes).flat_map(|(at, &node)| links.of(node).into_iter().map(move |next| (next, at))),
        );
        who.sort_unstable();
        for pair in who.windows(2) {
            if pair[0].0 == pair[1].0 {
                parts.merge(pair[0].1, pair[1].1);
            }
        }
        parts
    }

    fn root(&mut self, at: usize) -> usize {
        let mut at = at;
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    /// Whether the two were not known to.
    fn merge(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a] = b;
        a != b
    }
}
