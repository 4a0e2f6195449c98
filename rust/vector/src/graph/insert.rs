//! A node comes: it is linked with near ones that lie in different directions, and those who are full let one go.

use crate::graph::find::dots;
use crate::graph::guide::ByRow;
use crate::graph::links::Links;
use crate::graph::search::{Found, Seen, climb, walk};
use crate::graph::{BOUND, BUILD, Graph, WANTED, dot, read};
use crate::metric::Kernels;
use crate::rows::Rows;

impl Graph {
    /// Takes in the row of `node`, which is the next number or one whose place is empty, up to `level`.
    pub(crate) fn insert(&mut self, rows: &Rows, kernels: &Kernels, node: u32, level: usize) {
        let row = read(rows, node);
        self.coded_in(rows, node, &row);
        let first = self.is_empty_but(node);
        let top = self.levels.len() - 1;
        for at in 0..=level {
            if at == self.levels.len() {
                self.levels.push(Links::of_some(WANTED));
            }
            if !self.levels[at].contains(node) {
                self.levels[at].push(node);
            }
        }
        if !first {
            self.link_in(rows, kernels, (node, &row), level.min(top), top);
        }
        if first || level > top {
            self.entry = node;
        }
    }

    /// Whether no other node is there.
    fn is_empty_but(&self, node: u32) -> bool {
        self.len() <= usize::from((node as usize) < self.len())
    }

    /// Links a new node on each level from `from` down, where `top` is the highest that others are on.
    fn link_in(
        &mut self,
        rows: &Rows,
        kernels: &Kernels,
        (node, row): (u32, &[f32]),
        from: usize,
        top: usize,
    ) {
        let exact = ByRow { rows, kernels, query: row };
        let mut at = self.entry;
        for level in (from + 1..=top).rev() {
            at = climb(&self.levels[level], &exact, at);
        }
        let mut seen = Seen::none_of(self.len());
        for level in (0..=from).rev() {
            let near = self.near(rows, kernels, row, level, at, &mut seen);
            at = near[0].node;
            let links = &mut self.levels[level];
            for (count, other) in diverse(rows, kernels, &near, WANTED).into_iter().enumerate() {
                connect(links, rows, kernels, (node, row), other, count == 0);
            }
        }
    }

    /// The nodes most similar to `row`, of those a walk finds.
    fn near(
        &self,
        rows: &Rows,
        kernels: &Kernels,
        row: &[f32],
        level: usize,
        start: u32,
        seen: &mut Seen,
    ) -> Vec<Found> {
        seen.clear();
        let links = &self.levels[level];
        let exact = ByRow { rows, kernels, query: row };
        match &self.coded {
            None => walk(links, &exact, start, BUILD, seen),
            Some(coded) => walk(links, &coded.codes.by(exact), start, BUILD, seen),
        }
    }
}

/// Of `near`, most similar first, those that are more similar to the query than to any chosen before.
fn diverse(rows: &Rows, kernels: &Kernels, near: &[Found], most: usize) -> Vec<u32> {
    let mut chosen: Vec<(u32, Vec<f32>)> = Vec::with_capacity(most);
    for found in near {
        if chosen.iter().all(|(_, row)| dot(rows, kernels, row, found.node) < found.similarity) {
            chosen.push((found.node, read(rows, found.node)));
            if chosen.len() == most {
                break;
            }
        }
    }
    chosen.into_iter().map(|chosen| chosen.0).collect()
}

/// Links a new node with `other`, which makes room where it must; it may refuse unless it is the `first`.
fn connect(
    links: &mut Links,
    rows: &Rows,
    kernels: &Kernels,
    (new, row): (u32, &[f32]),
    other: u32,
    first: bool,
) {
    if links.linked(new, other) || !links.has_room(new) {
        return;
    }
    if !links.has_room(other) && !make_room(links, rows, kernels, (new, row), other, first) {
        return;
    }
    links.link(new, other);
}

/// Takes from `other` the link to the least similar that the new node stands for: their link becomes one to the
/// new node, or goes where another way is known.
fn make_room(
    links: &mut Links,
    rows: &Rows,
    kernels: &Kernels,
    (new, row): (u32, &[f32]),
    other: u32,
    first: bool,
) -> bool {
    let own = read(rows, other);
    let to_new = dot(rows, kernels, row, other);
    let held = links.of(other);
    let to_other = dots(rows, kernels, &own, &held);
    let mut held: Vec<(u32, f32, f32)> = held
        .iter()
        .zip(to_other)
        .map(|(&held, to_other)| (held, to_other, dot(rows, kernels, row, held)))
        .collect();
    held.sort_by(|a, b| a.1.total_cmp(&b.1));
    let covered = |&&(_, to_other, to_new): &&(u32, f32, f32)| to_new > to_other;
    if let Some(&(gone, ..)) = held.iter().find(covered) {
        if links.linked(new, gone) || links.have_common(other, gone) && !room_to_slide(links, new, gone) {
            links.unlink(other, gone);
            return true;
        }
        if room_to_slide(links, new, gone) {
            slide(links, other, gone, new);
            return true;
        }
    }
    // The new node lies nearer to one that is linked already: it is reached from there.
    if !first && held.iter().any(|&(_, to_other, between)| between > to_new && to_other > to_new) {
        return false;
    }
    if let Some(&(gone, ..)) = held.iter().find(|held| links.have_common(other, held.0)) {
        links.unlink(other, gone);
        return true;
    }
    let gone = held[0].0;
    if room_to_slide(links, new, gone) {
        slide(links, other, gone, new);
        return true;
    }
    false
}

/// Whether a new node can take over a link to `gone`, and has room for one more.
fn room_to_slide(links: &Links, new: u32, gone: u32) -> bool {
    links.of(new).len() + 2 <= links.bound() && !links.linked(new, gone)
}

/// The link of `other` and `gone` becomes one of the new node and `gone`; the caller links `other` and the new node.
fn slide(links: &mut Links, other: u32, gone: u32, new: u32) {
    links.unlink(other, gone);
    links.link(new, gone);
}

const _: () = assert!(WANTED <= BOUND && WANTED >= 3);
