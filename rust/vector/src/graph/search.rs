//! The walk: from node to linked node, always on from the most similar that was not yet left.

use crate::graph::guide::Guide;
use crate::graph::links::Links;

/// The nodes of one walk, most similar first, and which of them were left.
pub(crate) struct Pool {
    most: usize,
    found: Vec<Found>,
    /// All before this one were left.
    next: usize,
}

/// A node a walk came to.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) similarity: f32,
    pub(crate) node: u32,
    left: bool,
}

impl Pool {
    fn new(most: usize) -> Self {
        Self { most, found: Vec::with_capacity(most + 1), next: 0 }
    }

    #[inline]
    fn offer(&mut self, similarity: f32, node: u32) {
        if self.found.len() == self.most {
            if self.found[self.most - 1].similarity >= similarity {
                return;
            }
            self.found.pop();
        }
        let at = self.found.partition_point(|found| found.similarity >= similarity);
        self.found.insert(at, Found { similarity, node, left: false });
        self.next = self.next.min(at);
    }

    /// What is no more similar than this is of no use.
    #[inline]
    fn worst(&self) -> f32 {
        if self.found.len() < self.most { f32::NEG_INFINITY } else { self.found[self.most - 1].similarity }
    }

    /// The most similar that was not left, which it is now.
    #[inline]
    fn leave(&mut self) -> Option<u32> {
        while let Some(found) = self.found.get_mut(self.next) {
            self.next += 1;
            if !found.left {
                found.left = true;
                return Some(found.node);
            }
        }
        None
    }

    /// The one that is likely to be left next.
    #[inline]
    fn upcoming(&self) -> Option<u32> {
        self.found.get(self.next).map(|found| found.node)
    }
}

/// Which nodes a walk has seen: a bit each.
pub(crate) struct Seen(Vec<u64>);

impl Seen {
    pub(crate) fn none_of(nodes: usize) -> Self {
        Self(vec![0; nodes.div_ceil(64)])
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Notes a node; whether it was new.
    #[inline]
    fn note(&mut self, node: u32) -> bool {
        let (word, bit) = (&mut self.0[node as usize / 64], 1 << (node % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// The `most` most similar nodes that a walk from `start` comes to. As it goes on until all of them were left,
/// it sees every node where there are no more than `most`.
pub(crate) fn walk(
    links: &Links,
    guide: &impl Guide,
    start: u32,
    most: usize,
    seen: &mut Seen,
) -> Vec<Found> {
    let mut pool = Pool::new(most);
    seen.note(start);
    pool.offer(guide.similarity(start), start);
    let mut new = Vec::with_capacity(links.bound());
    while let Some(node) = pool.leave() {
        new.clear();
        for next in links.of(node) {
            if seen.note(next) {
                guide.prefetch(next);
                new.push(next);
            }
        }
        if let Some(upcoming) = pool.upcoming() {
            links.prefetch(upcoming);
        }
        guide.sift(&mut new, pool.worst());
        for &next in &new {
            pool.offer(guide.similarity(next), next);
        }
    }
    pool.found
}

/// The node at which no linked one is more similar, going uphill from `start`.
pub(crate) fn climb(links: &Links, guide: &impl Guide, start: u32) -> u32 {
    let (mut at, mut best) = (start, guide.similarity(start));
    loop {
        let here = at;
        let linked = links.of(here);
        linked.iter().for_each(|&next| guide.prefetch(next));
        for next in linked {
            let similarity = guide.similarity(next);
            if similarity > best {
                (at, best) = (next, similarity);
            }
        }
        if at == here {
            return at;
        }
    }
}
