//! The answer to a query: a walk by codes, then the most promising by their rows.

use crate::graph::guide::{ByCode, ByRow, Guide};
use crate::graph::search::{Found, Seen, climb, walk};
use crate::graph::{Graph, dot};
use crate::metric::Kernels;
use crate::rows::Rows;

/// Standard errors by which an estimate may be too low: a vector that may still be among the best is compared.
const DOUBT: f32 = 2.0;
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
        let mut found = match &self.coded {
            None => {
                let found = self.descend(&exact, effort, seen);
                found.into_iter().map(|found| (found.node, found.similarity)).collect()
            }
            Some(coded) => {
                let guide = coded.codes.by(kernels, query);
                compared(&self.descend(&guide, effort, seen), &guide, &exact, k)
            }
        };
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

/// Nodes with their exact similarities: the most likely, and those that may still be better than the `k`-th of them.
fn compared(found: &[Found], guide: &ByCode<'_>, exact: &ByRow<'_>, k: usize) -> Vec<(u32, f32)> {
    let (likely, others) = found.split_at(found.len().min(8 + 2 * k));
    let mut compared = rows_of(likely.iter().map(|found| found.node), exact);
    if others.is_empty() {
        return compared;
    }
    compared.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
    let worst = compared[k - 1].1;
    let doubtful: Vec<u32> = others
        .iter()
        .filter(|found| found.similarity + DOUBT * guide.error(found.node) >= worst)
        .map(|found| found.node)
        .collect();
    compared.extend(rows_of(doubtful.iter().copied(), exact));
    compared
}

fn rows_of(nodes: impl Iterator<Item = u32> + Clone, exact: &ByRow<'_>) -> Vec<(u32, f32)> {
    let mut soon = nodes.clone();
    soon.by_ref().take(AHEAD).for_each(|node| exact.prefetch(node));
    let each = nodes.map(|node| {
        if let Some(next) = soon.next() {
            exact.prefetch(next);
        }
        (node, exact.similarity(node))
    });
    each.collect()
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
