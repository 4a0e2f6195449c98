//! The most similar rows by way of their codes: all codes are looked at, few rows are.
//!
//! The nearest few by Hamming distance are estimated and the best of those compared exactly. How similar these are
//! says how far a code may lie whose vector is more similar still; whatever lies within is looked at as well.

use std::cell::RefCell;

use crate::candidates::{A_WORD, Distances};
use crate::codes::{Coded, Codes, Estimate};
use crate::metric::Kernels;
use crate::rows::Rows;

/// Bytes of codes that one query after the other scans while they are in the nearest cache.
const TILE_BYTES: usize = 24 << 10;
/// Queries that scan a tile in turn.
const QUERIES_A_TILE: usize = 8;
/// Rows and codes asked for ahead of their use.
const AHEAD: usize = 4;
/// Standard errors by which an estimate may be too low: a vector that may still be among the best is compared.
const DOUBT: f32 = 2.0;
/// Distances a thread keeps room for between searches.
const KEPT: usize = 1 << 20;

/// A slot and the similarity of its vector.
pub(crate) type Scored = (u32, f32);

/// Rows with their codes, slot by slot.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) kernels: &'a Kernels,
    pub(crate) rows: &'a Rows,
    pub(crate) codes: &'a Codes,
}

thread_local! {
    /// Room for distances: memory that is new to the process costs more than to fill it.
    static ROOM: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

impl Search<'_> {
    /// The `k` most similar rows to each of `queries`, which lie one after the other, the most similar first; what is
    /// less similar than `floor` need not be the most similar.
    pub(crate) fn nearest(self, queries: &[f32], k: usize, floor: f32) -> Vec<Vec<Scored>> {
        let width = self.rows.width();
        let room = self.codes.len().next_multiple_of(A_WORD);
        let furthest = u16::try_from(64 * self.codes.scanned_words()).expect("few words are scanned");
        let mut found = Vec::with_capacity(queries.len() / width);
        let mut distances = ROOM.take();
        for group in queries.chunks(QUERIES_A_TILE * width) {
            let queries = group.chunks_exact(width);
            let coded: Vec<Coded> =
                queries.clone().map(|query| self.codes.query(self.kernels, query)).collect();
            distances.resize(coded.len() * room, 0);
            self.scan(&coded, &mut distances, room);
            for ((query, own), distances) in queries.zip(&coded).zip(distances.chunks_exact(room)) {
                let distances = Distances::new(self.kernels, distances, furthest);
                found.push(self.ranked(query, own, distances, k, floor));
            }
        }
        if distances.capacity() <= KEPT {
            ROOM.set(distances);
        }
        found
    }

    /// The Hamming distances of every code to each query, `room` a query.
    fn scan(self, queries: &[Coded], distances: &mut [u16], room: usize) {
        let words = self.codes.scanned_words();
        let tile =
            if queries.len() == 1 { room } else { (TILE_BYTES / (words * 8)).next_multiple_of(A_WORD) };
        for (number, blocks) in self.codes.blocks().chunks(tile * words).enumerate() {
            for (query, distances) in queries.iter().zip(distances.chunks_exact_mut(room)) {
                let distances = &mut distances[number * tile..][..blocks.len() / words];
                self.kernels.scan(blocks, &query.bits[..words], distances);
            }
        }
        // The lanes past the last vector are no vectors.
        distances.chunks_exact_mut(room).for_each(|all| all[self.codes.len()..].fill(u16::MAX));
    }

    /// The best `k`, given the distances of all.
    fn ranked(
        self,
        query: &[f32],
        own: &Coded,
        mut distances: Distances<'_>,
        k: usize,
        floor: f32,
    ) -> Vec<Scored> {
        let effort = Effort::for_best(k, self.rows);
        let limit = distances.limit_of(effort.nearest);
        let mut others = self.estimates(own, &distances.slots(None, limit));
        let compared = effort.compared.min(others.len());
        if compared < others.len() {
            others.select_nth_unstable_by(compared, |a, b| b.similarity.total_cmp(&a.similarity));
        }
        let mut found = self.compared(query, &others[..compared], k);
        let Some(&(worst, similarity)) = found.last() else { return found };
        others.drain(..compared);
        let similarity = similarity.max(floor);
        let reach = self.codes.reach(own, worst, similarity);
        if reach > limit {
            let wider = distances.lowered(reach, effort.most);
            if wider > limit {
                others.extend(self.estimates(own, &distances.slots(Some(limit), wider)));
            }
        }
        others.retain(|other| other.similarity + DOUBT * other.error >= similarity);
        found.extend(self.compared(query, &others, k));
        best(k, found)
    }

    fn estimates(self, own: &Coded, slots: &[u32]) -> Vec<Estimate> {
        let mut estimates = Vec::with_capacity(slots.len());
        slots.iter().take(AHEAD).for_each(|&soon| self.codes.prefetch(soon as usize));
        for (at, &slot) in slots.iter().enumerate() {
            if let Some(&soon) = slots.get(at + AHEAD) {
                self.codes.prefetch(soon as usize);
            }
            estimates.push(self.codes.estimate(self.kernels, own, slot));
        }
        estimates
    }

    fn compared(self, query: &[f32], estimates: &[Estimate], k: usize) -> Vec<Scored> {
        best(k, scored(self.kernels, self.rows, query, estimates.iter().map(|estimate| estimate.slot)))
    }
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
    fn for_best(k: usize, rows: &Rows) -> Self {
        let shorter = AMPLE_WIDTH.div_ceil(rows.width()).pow(2);
        Self {
            nearest: (24 + 8 * k) * shorter,
            compared: (2 + 2 * k) * shorter,
            most: (1024 + 16 * k + rows.len() / 32) * shorter,
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
