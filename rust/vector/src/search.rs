//! The most similar rows by way of their codes: most codes are looked at, few rows are.
//!
//! The cells are passed from the nearest to the furthest, and left out where the border says that nothing in them can be
//! better than what was found. In a cell, the nearest few by Hamming distance are estimated and the best of those compared exactly. How similar these are
//! says how far a code may lie whose vector is more similar still; whatever lies within is looked at as well.

use std::cell::RefCell;

use crate::candidates::{A_WORD, Distances};
use crate::cells::{Cell, Cells};
use crate::codes::{Coded, Codes, Estimate};
use crate::metric::Kernels;
use crate::rows::Rows;

/// Rows and codes asked for ahead of their use.
const AHEAD: usize = 4;
/// Standard errors by which an estimate may be too low: a vector that may still be among the best is compared.
const DOUBT: f32 = 2.0;
/// By how much a similarity may be off, and a vector from unit norm, by the rounding of rows.
const ROUNDING: f32 = 0.02;
/// Distances a thread keeps room for between searches.
const KEPT: usize = 1 << 20;

/// A slot and the similarity of its vector.
pub(crate) type Scored = (u32, f32);

/// Rows with their codes, cell by cell.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) kernels: &'a Kernels,
    pub(crate) rows: &'a Rows,
    pub(crate) cells: &'a Cells,
}

thread_local! {
    /// Room for distances: memory that is new to the process costs more than to fill it.
    static ROOM: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// What was found so far, and what it has to be better than.
struct Best {
    k: usize,
    floor: f32,
    found: Vec<Scored>,
}

impl Best {
    /// What is less similar is of no use.
    fn bar(&self) -> f32 {
        self.found.get(self.k - 1).map_or(self.floor, |worst| worst.1.max(self.floor))
    }

    fn take(&mut self, more: Vec<Scored>) {
        let found = std::mem::take(&mut self.found);
        self.found = best(self.k, if found.is_empty() { more } else { [found, more].concat() });
    }
}

impl Search<'_> {
    /// The `k` most similar rows to `query`, the most similar first; what is less similar than `floor` need not be the
    /// most similar.
    pub(crate) fn nearest(self, query: &[f32], k: usize, floor: f32) -> Vec<Scored> {
        let mut best = Best { k, floor, found: Vec::new() };
        let cells = self.cells.all();
        if let [only] = cells {
            self.look_into(only, query, &mut best);
            return best.found;
        }
        let apart = |cell: &Cell| cell.codes.apart(self.kernels, query).max(0.0);
        let mut near: Vec<(f32, &Cell)> = cells.iter().map(|cell| (apart(cell), cell)).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (apart, cell) in near {
            // The triangle's inequality: nothing in the cell is nearer than its border.
            let gap = (apart.sqrt() - cell.reach().sqrt()).max(0.0);
            if 1.0 - gap * gap / 2.0 >= best.bar() - ROUNDING {
                self.look_into(cell, query, &mut best);
            }
        }
        best.found
    }

    /// Takes what is better out of one cell.
    fn look_into(self, cell: &Cell, query: &[f32], best: &mut Best) {
        let own = cell.codes.query(self.kernels, query);
        with_distances(self.kernels, &cell.codes, &own, |distances| {
            self.ranked(cell, query, &own, distances, best);
        });
    }

    /// The same, given the distances of all.
    fn ranked(self, cell: &Cell, query: &[f32], own: &Coded, mut distances: Distances<'_>, best: &mut Best) {
        let codes = &cell.codes;
        let effort = Effort::for_best(best.k, codes.len(), self.rows.width());
        let mut limit = distances.limit_of(effort.nearest);
        if best.found.len() == best.k {
            limit = limit.min(codes.reach(own, None, best.bar(), cell.spread()));
        }
        let mut others = self.estimates(codes, own, &distances.slots(None, limit));
        let compared = effort.compared.min(others.len());
        if compared < others.len() {
            others.select_nth_unstable_by(compared, |a, b| b.similarity.total_cmp(&a.similarity));
        }
        best.take(self.compared(cell, query, &others[..compared]));
        let bar = best.bar();
        let like = others[..compared].iter().max_by(|a, b| a.similarity.total_cmp(&b.similarity));
        let reach = codes.reach(own, like.map(|like| like.slot), bar, cell.spread());
        others.drain(..compared);
        if reach > limit {
            let wider = distances.lowered(reach, effort.most);
            if wider > limit {
                others.extend(self.estimates(codes, own, &distances.slots(Some(limit), wider)));
            }
        }
        others.retain(|other| other.similarity + DOUBT * other.error >= bar);
        best.take(self.compared(cell, query, &others));
    }

    fn estimates(self, codes: &Codes, own: &Coded, places: &[u32]) -> Vec<Estimate> {
        let mut estimates = Vec::with_capacity(places.len());
        places.iter().take(AHEAD).for_each(|&soon| codes.prefetch(soon as usize));
        for (at, &place) in places.iter().enumerate() {
            if let Some(&soon) = places.get(at + AHEAD) {
                codes.prefetch(soon as usize);
            }
            estimates.push(codes.estimate(self.kernels, own, place));
        }
        estimates
    }

    fn compared(self, cell: &Cell, query: &[f32], estimates: &[Estimate]) -> Vec<Scored> {
        scored(self.kernels, self.rows, query, estimates.iter().map(|estimate| cell.slot(estimate.slot)))
    }
}

/// Hands on the Hamming distances of all codes to `own`.
fn with_distances<T>(
    kernels: &Kernels,
    codes: &Codes,
    own: &Coded,
    look: impl FnOnce(Distances<'_>) -> T,
) -> T {
    let words = codes.scanned_words();
    let furthest = u16::try_from(64 * words).expect("few words are scanned");
    let mut room = ROOM.take();
    let scanned = codes.blocks().len() / words;
    let all = codes.len().next_multiple_of(A_WORD);
    if room.len() < all {
        room.resize(all, 0);
    }
    kernels.scan(codes.blocks(), &own.bits[..words], &mut room[..scanned]);
    // The lanes past the last vector are no vectors.
    room[codes.len()..all].fill(u16::MAX);
    let result = look(Distances::new(kernels, &room[..all], furthest));
    if room.capacity() <= KEPT {
        ROOM.set(room);
    }
    result
}

/// The places in `cell` whose codes lie within the limit that is found for them.
pub(crate) fn nearby(
    kernels: &Kernels,
    cell: &Cell,
    query: &[f32],
    limit: impl FnOnce(&Codes, &Coded) -> u16,
) -> Vec<u32> {
    let own = cell.codes.query(kernels, query);
    let limit = limit(&cell.codes, &own);
    with_distances(kernels, &cell.codes, &own, |mut distances| distances.slots(None, limit))
}

/// How many vectors each stage looks at.
struct Effort {
    /// By estimate, at the least: those with the nearest codes.
    nearest: usize,
    /// Exactly, at the least: the best of those by estimate.
    compared: usize,
    /// By estimate, at the most, however many may be more similar than what was found.
    most: usize,
}

/// Coordinates at which codes are as good as `Effort` takes them to be.
const AMPLE_WIDTH: usize = 384;

impl Effort {
    /// Enough for the best `k` of `rows`: what a code misjudges does not depend on the collection, but more of a
    /// larger one is near. The error of a code falls with the root of its bits, so short ones are looked at longer.
    fn for_best(k: usize, len: usize, width: usize) -> Self {
        let shorter = AMPLE_WIDTH.div_ceil(width).pow(2);
        Self {
            nearest: (24 + 8 * k) * shorter,
            compared: (2 + 2 * k) * shorter,
            most: (1024 + 16 * k + len / 32) * shorter,
        }
    }
}

/// Each slot with its exact similarity, as far as the store is exact.
pub(crate) fn scored(
    kernels: &Kernels,
    rows: &Rows,
    query: &[f32],
    slots: impl ExactSizeIterator<Item = u32> + Clone,
) -> Vec<Scored> {
    let mut scored = Vec::with_capacity(slots.len());
    let mut soon = slots.clone();
    soon.by_ref().take(AHEAD).for_each(|soon| rows.prefetch(soon as usize));
    for slot in slots {
        if let Some(soon) = soon.next() {
            rows.prefetch(soon as usize);
        }
        scored.push((slot, rows.dot(kernels, query, slot as usize).clamp(-1.0, 1.0)));
    }
    scored
}

/// The `k` best, the best first.
pub(crate) fn best(k: usize, mut scored: Vec<Scored>) -> Vec<Scored> {
    let better = |a: &Scored, b: &Scored| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if k < scored.len() {
        scored.select_nth_unstable_by(k, better);
        scored.truncate(k);
    }
    scored.sort_unstable_by(better);
    scored
}
