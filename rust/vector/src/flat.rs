//! The flat engine: every code is looked at, few vectors are.

use crate::candidates::Candidates;
use crate::codes::{Coded, Codes};
use crate::metric::{Kernels, LANES};
use crate::rows::{Rows, Store};

/// From this many vectors on there are codes: scanning fewer rows exactly is as fast.
pub const CODED_FROM: usize = 128;
/// Below this many the codes go again; the gap keeps a collection at the border from building them over and over.
pub const EXACT_BELOW: usize = 64;

/// Bytes of codes that one query after the other scans while they are in the nearest cache.
const TILE_BYTES: usize = 24 << 10;
/// Queries that scan a tile in turn.
const QUERIES_A_TILE: usize = 8;
/// Rows asked for ahead of their use.
const AHEAD: usize = 4;
/// The centre moves when the mean has left it by this share of the vectors' mean square distance from the mean.
const DRIFT: f64 = 0.01;
/// Standard errors by which an estimate may be too low: a vector that may still be among the best is compared.
const DOUBT: f32 = 2.0;

/// Rows in slots, and codes of them where there are many.
pub(crate) struct Flat {
    rows: Rows,
    coded: Option<Box<About>>,
}

/// Codes, and where their centre should be.
struct About {
    codes: Codes,
    /// Of all rows as they are stored.
    sum: Vec<f64>,
    /// Rows that came or left since the centre was last looked at.
    changes: usize,
}

/// A slot and the similarity of its vector.
pub(crate) type Scored = (u32, f32);

impl Flat {
    pub(crate) fn new(store: Store, width: usize) -> Self {
        Self { rows: Rows::new(store, width), coded: None }
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Appends a row of unit norm.
    pub(crate) fn push(&mut self, row: &mut [f32]) {
        let slot = self.rows.len();
        self.rows.push_empty();
        self.rows.write(slot, row);
        if let Some(about) = &mut self.coded {
            self.rows.read(slot, row);
            about.codes.push(row);
            about.moved(row, 1.0);
        }
        self.settle();
    }

    /// Puts a row of unit norm in the place of another.
    pub(crate) fn write(&mut self, slot: usize, row: &mut [f32]) {
        self.forget(slot);
        self.rows.write(slot, row);
        if let Some(about) = &mut self.coded {
            self.rows.read(slot, row);
            about.codes.write(slot, row);
            about.moved(row, 1.0);
        }
        self.settle();
    }

    /// The last row takes the slot of the one that leaves.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        self.forget(slot);
        self.rows.swap_remove(slot);
        if let Some(about) = &mut self.coded {
            about.codes.swap_remove(slot);
        }
        self.settle();
    }

    /// Takes the row in a slot out of the sum.
    fn forget(&mut self, slot: usize) {
        if let Some(about) = &mut self.coded {
            let mut row = vec![0.0; self.rows.width()];
            self.rows.read(slot, &mut row);
            about.moved(&row, -1.0);
        }
    }

    /// Makes, drops or centres the codes, where that is due.
    fn settle(&mut self) {
        let len = self.rows.len();
        let sum = match self.coded.take() {
            None if len >= CODED_FROM => self.sum(),
            None => return,
            Some(_) if len < EXACT_BELOW => return,
            Some(mut about) => {
                if !about.has_drifted(len) {
                    self.coded = Some(about);
                    return;
                }
                about.sum
            }
        };
        self.code_about(mean(&sum, len), sum);
    }

    /// Codes every row about `centre`.
    fn code_about(&mut self, centre: Vec<f32>, sum: Vec<f64>) {
        let mut codes = Codes::new(centre);
        codes.reserve(self.rows.len());
        self.each_row(|row| codes.push(row));
        self.coded = Some(Box::new(About { codes, sum, changes: 0 }));
    }

    fn sum(&self) -> Vec<f64> {
        let mut sum = vec![0.0; self.rows.width()];
        self.each_row(|row| sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value)));
        sum
    }

    fn each_row(&self, mut take: impl FnMut(&[f32])) {
        let mut row = vec![0.0; self.rows.width()];
        for slot in 0..self.rows.len() {
            self.rows.read(slot, &mut row);
            take(&row);
        }
    }

    /// The centre of the codes, where there are any.
    pub(crate) fn centre(&self) -> Option<&[f32]> {
        self.coded.as_ref().map(|about| about.codes.centre())
    }

    /// An engine over `rows` as they are, coded about `centre`.
    pub(crate) fn restored(rows: Rows, centre: Option<Vec<f32>>) -> Self {
        let mut flat = Self { rows, coded: None };
        if let Some(centre) = centre {
            let sum = flat.sum();
            flat.code_about(centre, sum);
        }
        flat
    }

    /// The `k` most similar rows to each of `queries`, which lie one after the other, the most similar first.
    pub(crate) fn search(&self, kernels: &Kernels, queries: &[f32], k: usize) -> Vec<Vec<Scored>> {
        let width = self.rows.width();
        let Some(about) = &self.coded else {
            let exact = |query| best(k, self.scored(kernels, query, 0..to_slot(self.rows.len())));
            return queries.chunks_exact(width).map(exact).collect();
        };
        let mut found = Vec::with_capacity(queries.len() / width);
        for group in queries.chunks(QUERIES_A_TILE * width) {
            let coded: Vec<Coded> =
                group.chunks_exact(width).map(|query| about.codes.query(kernels, query)).collect();
            let candidates = about.codes.nearest(kernels, &coded, Effort::for_best(k, &self.rows).scanned);
            for ((query, own), candidates) in group.chunks_exact(width).zip(&coded).zip(candidates) {
                found.push(self.ranked(kernels, &about.codes, (query, own), &candidates.slots(), k));
            }
        }
        found
    }

    /// The best `k` of `slots`: the most likely by their rows, then those that may still be better.
    fn ranked(
        &self,
        kernels: &Kernels,
        codes: &Codes,
        (query, own): (&[f32], &Coded),
        slots: &[u32],
        k: usize,
    ) -> Vec<Scored> {
        let kept = Effort::for_best(k, &self.rows).compared;
        if slots.len() <= kept {
            return best(k, self.scored(kernels, query, slots.iter().copied()));
        }
        let mut estimates = Vec::with_capacity(slots.len());
        for (at, &slot) in slots.iter().enumerate() {
            if let Some(&soon) = slots.get(at + AHEAD) {
                codes.prefetch(soon as usize);
            }
            estimates.push(codes.estimate(kernels, own, slot));
        }
        estimates.select_nth_unstable_by(kept, |a, b| b.similarity.total_cmp(&a.similarity));
        let (likely, others) = estimates.split_at(kept);
        let mut found = best(k, self.scored(kernels, query, likely.iter().map(|likely| likely.slot)));
        let worst = found.last().map_or(f32::NEG_INFINITY, |worst| worst.1);
        let doubtful: Vec<u32> = others
            .iter()
            .filter(|other| other.similarity + DOUBT * other.error >= worst)
            .map(|other| other.slot)
            .collect();
        found.extend(self.scored(kernels, query, doubtful.iter().copied()));
        best(k, found)
    }

    /// Each slot with its exact similarity, as far as the store is exact.
    fn scored(
        &self,
        kernels: &Kernels,
        query: &[f32],
        slots: impl ExactSizeIterator<Item = u32> + Clone,
    ) -> Vec<Scored> {
        let mut scored = Vec::with_capacity(slots.len());
        let mut soon = slots.clone().skip(AHEAD);
        for slot in slots {
            if let Some(soon) = soon.next() {
                self.rows.prefetch(soon as usize);
            }
            scored.push((slot, self.rows.dot(kernels, query, slot as usize).clamp(-1.0, 1.0)));
        }
        scored
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let coded = self.coded.as_ref().map_or(0, |about| about.memory_bytes());
        self.rows.memory_bytes() + coded
    }

    /// Panics unless every invariant holds.
    pub(crate) fn check(&self) {
        let len = self.rows.len();
        match &self.coded {
            None => assert!(len < CODED_FROM, "{len} vectors have codes"),
            Some(about) => {
                assert!(len >= EXACT_BELOW, "{len} vectors have none");
                let mut rows = Vec::new();
                self.each_row(|row| rows.push(row.to_vec()));
                about.codes.check(rows.iter().map(Vec::as_slice));
                let apart = about.sum.iter().zip(self.sum()).map(|(a, b)| (a - b).abs());
                assert!(apart.fold(0.0, f64::max) < 1e-6, "the sum is that of the rows");
                assert!(about.changes < interval(len) + LANES, "the centre is looked at in time");
            }
        }
    }
}

impl About {
    /// Notes that `row` came (1) or left (-1).
    fn moved(&mut self, row: &[f32], sign: f64) {
        self.changes += 1;
        self.sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += sign * f64::from(value));
    }

    /// Looks now and then whether the mean of `len` rows has left the centre.
    fn has_drifted(&mut self, len: usize) -> bool {
        if self.changes < interval(len) {
            return false;
        }
        self.changes = 0;
        let (mut apart, mut norm) = (0.0, 0.0);
        for (sum, &centre) in self.sum.iter().zip(self.codes.centre()) {
            let mean = sum / len as f64;
            apart += (mean - f64::from(centre)).powi(2);
            norm += mean * mean;
        }
        apart > DRIFT * (1.0 - norm).max(f64::EPSILON)
    }

    fn memory_bytes(&self) -> usize {
        self.codes.memory_bytes() + self.sum.capacity() * size_of::<f64>() + size_of::<Self>()
            - size_of::<Codes>()
    }
}

/// Changes between two looks at the mean.
fn interval(len: usize) -> usize {
    (len / 8).max(EXACT_BELOW)
}

fn mean(sum: &[f64], len: usize) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "a centre need not be exact")]
    sum.iter().map(|sum| (sum / len as f64) as f32).collect()
}

/// How many vectors each stage hands to the next.
struct Effort {
    /// By Hamming distance.
    scanned: usize,
    /// By estimate, at the least: what may still be better than the worst of these is compared as well.
    compared: usize,
}

/// Coordinates at which codes are as good as `Effort` takes them to be.
const AMPLE_WIDTH: usize = 384;

impl Effort {
    /// Enough for the best `k` of `rows`: what a code misjudges does not depend on the collection, but more of a
    /// larger one is near. The error of a code falls with the root of its bits, so short ones are looked at longer.
    fn for_best(k: usize, rows: &Rows) -> Self {
        let shorter = AMPLE_WIDTH.div_ceil(rows.width()).pow(2);
        let scanned = (112 + 16 * k + rows.len() / 250) * shorter;
        Self { scanned, compared: (8 + 2 * k) * shorter }
    }
}

impl Codes {
    /// The `wanted` nearest codes of each query, and those as near as the last of them.
    fn nearest(&self, kernels: &Kernels, queries: &[Coded], wanted: usize) -> Vec<Candidates> {
        let words = self.centre().len() / 64;
        let furthest = u16::try_from(64 * words).expect("dimensions are bounded");
        let mut candidates: Vec<_> = queries.iter().map(|_| Candidates::new(wanted, furthest)).collect();
        let tile_blocks = (TILE_BYTES / (words * LANES * 8)).next_multiple_of(LANES);
        let (mut distances, mut near) = (vec![0; tile_blocks * LANES], vec![0; tile_blocks]);
        for (tile, blocks) in self.blocks().chunks(tile_blocks * words * LANES).enumerate() {
            let count = blocks.len() / (words * LANES);
            let (distances, near) = (&mut distances[..count * LANES], &mut near[..count]);
            let from = tile * tile_blocks * LANES;
            for (query, candidates) in queries.iter().zip(&mut candidates) {
                kernels.scan(blocks, &query.bits, candidates.limit(), distances, near);
                offer(near, &distances[..(self.len() - from).min(count * LANES)], from, candidates);
            }
        }
        candidates
    }
}

/// Reports those of a tile that are near.
fn offer(near: &[u8], distances: &[u16], from: usize, candidates: &mut Candidates) {
    for (group, bytes) in near.chunks(8).enumerate() {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let mut bits = u64::from_le_bytes(word);
        while bits != 0 {
            let at = 64 * group + bits.trailing_zeros() as usize;
            // The lanes past the last vector are no vectors.
            let Some(&distance) = distances.get(at) else { return };
            candidates.offer(distance, to_slot(from + at));
            bits &= bits - 1;
        }
    }
}

fn to_slot(at: usize) -> u32 {
    u32::try_from(at).expect("the index checks its size")
}

/// The `k` best, the best first.
fn best(k: usize, mut scored: Vec<Scored>) -> Vec<Scored> {
    let better = |a: &Scored, b: &Scored| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if k < scored.len() {
        scored.select_nth_unstable_by(k, better);
        scored.truncate(k);
    }
    scored.sort_unstable_by(better);
    scored
}
