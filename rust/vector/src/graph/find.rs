//! The answer to a query.

use crate::graph::guide::{ByRow, Guide};
use crate::graph::search::{Found, Seen, climb, walk};
use crate::graph::{Graph, dot};
use crate::metric::Kernels;
use crate::rows::Rows;

/// Rows asked for ahead of their use.
const AHEAD: usize = 4;

impl Graph {
    /// The `k` most similar rows to each of `queries`, which lie one after the other, the most similar first.
    ///
    /// `effort`: how many nodes a walk keeps in view.
    pub(crate) fn search(
        &self,
        rows: &Rows,
        kernels: &Kernels,
        queries: &[f32],
        k: usize,
        effort: usize,
    ) -> Vec<Vec<(u32, f32)>> {
        let mut seen = Seen::none_of(self.len());
        let each = queries.chunks_exact(rows.width());
        each.map(|query| self.nearest(rows, kernels, query, (k, effort.max(k)), &mut seen)).collect()
    }

    fn nearest(
        &self,
        rows: &Rows,
        kernels: &Kernels,
        query: &[f32],
        (k, effort): (usize, usize),
        seen: &mut Seen,
    ) -> Vec<(u32, f32)> {
        if self.len() == 0 {
            return Vec::new();
        }
        seen.clear();
        let exact = ByRow { rows, kernels, query };
        let found = match &self.coded {
            None => self.descend(&exact, effort, seen),
            Some(coded) => self.descend(&coded.codes.by(exact), effort, seen),
        };
        let mut found: Vec<_> = found.into_iter().map(|found| (found.node, found.similarity)).collect();
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(k);
        found
    }

    fn descend(&self, guide: &impl Guide, effort: usize, seen: &mut Seen) -> Vec<Found> {
        let (lowest, above) = self.levels.split_first().expect("there is a lowest level");
        let start = above.iter().rev().fold(self.entry, |at, links| climb(links, guide, at));
        walk(lowest, guide, start, effort, seen)
    }
}

/// Inner products with a row, of nodes that lie anywhere.
pub(super) fn dots(rows: &Rows, kernels: &Kernels, row: &[f32], nodes: &[u32]) -> Vec<f32> {
    nodes.iter().take(AHEAD).for_each(|&node| rows.prefetch(node as usize));
    let each = nodes.iter().enumerate().map(|(at, &node)| {
        if let Some(&next) = nodes.get(at + AHEAD) {
            rows.prefetch(next as usize);
        }
        dot(rows, kernels, row, node)
    });
    each.collect()
}
