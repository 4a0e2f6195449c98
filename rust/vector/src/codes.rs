//! One bit a coordinate: on which side of the centre a vector lies.
//!
//! Of a residual r = x - centre the code keeps the signs s, and two numbers make an unbiased estimate of them
//! (Gao and Long, "`RaBitQ`", SIGMOD 2024, arXiv 2405.12497): for a query q with residual p = q - centre,
//! `q.x = p.r + centre.x + q.centre - |centre|^2`, and `p.r` is about `p.s |r|^2 / |r|_1`.

use std::f32::consts::PI;

use prefetch_index::prefetch_index;

use crate::metric::{Kernels, LANES};
use crate::room;

/// Codes of the vectors in slots 0 to n - 1, about one centre.
pub struct Codes {
    /// Words of a code that are scanned, and words that only an estimate reads.
    words: (usize, usize),
    len: usize,
    /// The words scanned, in blocks of [`LANES`]; the lanes past the last vector are zero.
    blocks: Vec<u64>,
    /// The others, code by code.
    rest: Vec<u64>,
    terms: Vec<Terms>,
    centre: Vec<f32>,
    norm: f32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Terms {
    /// `|r|^2 / |r|_1`.
    factor: f32,
    /// `centre.x`.
    offset: f32,
}

/// A query as the codes meet it.
pub(crate) struct Coded {
    /// Its own signs about the centre.
    pub(crate) bits: Vec<u64>,
    residual: Vec<f32>,
    /// Sum of the residual's coordinates.
    total: f32,
    /// `q.centre - |centre|^2`.
    shift: f32,
    /// `|p|`.
    norm: f32,
}

/// What a code says of a vector's similarity to a query.
#[derive(Clone, Copy)]
pub(crate) struct Estimate {
    pub(crate) slot: u32,
    pub(crate) similarity: f32,
    /// Its standard error, about.
    pub(crate) error: f32,
}

/// Words of a code that are scanned: what they leave open, an estimate by all of them settles, and reading less is
/// most of what a scan can save.
const SCANNED: usize = 4;
/// The standard error of an estimate over `factor |p|`: `sqrt(1 - c^2)`, where `c = |r|_1 / (sqrt(n) |r|)` is near
/// `sqrt(2 / pi)` after the rotation.
const ERROR: f32 = 0.602_81;
/// Standard deviations of a Hamming distance by which a nearer vector's code may be further than is to be expected.
const REACH: f32 = 2.0;

impl Codes {
    /// No codes yet, about `centre`, whose length is a multiple of 64.
    #[must_use]
    pub(crate) fn new(centre: Vec<f32>) -> Self {
        let norm = centre.iter().map(|value| value * value).sum();
        let words = centre.len() / 64;
        let words = (words.min(SCANNED), words.saturating_sub(SCANNED));
        Self { words, len: 0, blocks: Vec::new(), rest: Vec::new(), terms: Vec::new(), centre, norm }
    }

    pub(crate) fn centre(&self) -> &[f32] {
        &self.centre
    }

    /// The words of all codes that are scanned, in blocks of [`LANES`].
    pub(crate) fn blocks(&self) -> &[u64] {
        &self.blocks
    }

    /// How many words of each code these are.
    pub(crate) fn scanned_words(&self) -> usize {
        self.words.0
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends the code of `row`.
    pub(crate) fn push(&mut self, row: &[f32]) {
        if self.len.is_multiple_of(LANES) {
            let more = self.words.0 * LANES;
            room::grow(&mut self.blocks, more);
            self.blocks.resize(self.blocks.len() + more, 0);
        }
        room::grow(&mut self.rest, self.words.1);
        self.rest.resize(self.rest.len() + self.words.1, 0);
        room::grow(&mut self.terms, 1);
        self.terms.push(Terms::default());
        self.len += 1;
        self.write(self.len - 1, row);
    }

    /// Puts the code of `row` into its slot.
    pub(crate) fn write(&mut self, slot: usize, row: &[f32]) {
        let (mut squares, mut sizes, mut offset) = (0.0, 0.0, 0.0);
        let from = self.first_word(slot);
        for (word, (row, centre)) in
            row.as_chunks::<64>().0.iter().zip(self.centre.as_chunks::<64>().0).enumerate()
        {
            let mut residual = [0.0; 64];
            for ((part, &x), &c) in residual.iter_mut().zip(row).zip(centre) {
                *part = x - c;
            }
            match word.checked_sub(self.words.0) {
                None => self.blocks[from + word * LANES] = signs(&residual),
                Some(word) => self.rest[slot * self.words.1 + word] = signs(&residual),
            }
            squares += sum(&residual.map(|r| r * r));
            sizes += sum(&residual.map(f32::abs));
            let mut products = *row;
            products.iter_mut().zip(centre).for_each(|(product, c)| *product *= c);
            offset += sum(&products);
        }
        let factor = if sizes > 0.0 { squares / sizes } else { 0.0 };
        self.terms[slot] = Terms { factor, offset };
    }

    /// The last code takes the slot of the one that leaves.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        let (to, from) = (self.first_word(slot), self.first_word(self.len - 1));
        for word in 0..self.words.0 {
            self.blocks[to + word * LANES] = self.blocks[from + word * LANES];
            self.blocks[from + word * LANES] = 0;
        }
        self.terms.swap_remove(slot);
        self.len -= 1;
        self.rest.copy_within(self.len * self.words.1.., slot * self.words.1);
        self.rest.truncate(self.len * self.words.1);
        self.blocks.truncate(self.len.div_ceil(LANES) * self.words.0 * LANES);
        room::shrink(&mut self.blocks);
        room::shrink(&mut self.rest);
        room::shrink(&mut self.terms);
    }

    /// Makes room for exactly `len` codes.
    pub(crate) fn reserve(&mut self, len: usize) {
        self.blocks.reserve_exact(len.div_ceil(LANES) * self.words.0 * LANES);
        self.rest.reserve_exact(len * self.words.1);
        self.terms.reserve_exact(len);
    }

    /// `query` about the centre.
    pub(crate) fn query(&self, kernels: &Kernels, query: &[f32]) -> Coded {
        let residual: Vec<f32> = query.iter().zip(&self.centre).map(|(q, c)| q - c).collect();
        let bits = residual.as_chunks().0.iter().map(signs).collect();
        let total = residual.as_chunks().0.iter().map(sum).sum();
        let norm = kernels.dot_f32(&residual, &residual).sqrt();
        Coded { bits, total, shift: kernels.dot_f32(query, &self.centre) - self.norm, norm, residual }
    }

    /// About the similarity of `query` and the vector in a slot.
    #[inline]
    pub(crate) fn estimate(&self, kernels: &Kernels, query: &Coded, slot: u32) -> Estimate {
        let slot_at = slot as usize;
        let (scanned, rest) = query.residual.split_at(64 * self.words.0);
        let mut sum = kernels.set_bits_sum(scanned, &self.blocks[self.first_word(slot_at)..], LANES);
        if self.words.1 > 0 {
            sum += kernels.set_bits_sum(rest, &self.rest[slot_at * self.words.1..], 1);
        }
        let signed = 2.0 * sum - query.total;
        let Terms { factor, offset } = self.terms[slot_at];
        let similarity = signed * factor + (offset + query.shift);
        Estimate { slot, similarity, error: ERROR * factor * query.norm }
    }

    /// The Hamming distance, over the words scanned, within which nearly every vector lies whose similarity to `query`
    /// is at least that.
    ///
    /// After the rotation, each bit of two codes differs with the share of the half turn that lies between the two
    /// residuals, so their distance is about binomial. Such a vector is taken to lie as far from the centre as the one
    /// `like` it, or as all do in the mean, and, by the share `spread` of the square of that, nearer.
    pub(crate) fn reach(&self, query: &Coded, like: Option<u32>, similarity: f32, spread: f32) -> u16 {
        let offset = like.map_or(self.norm, |at| self.terms[at as usize].offset);
        let cosine = |offset: f32| {
            let squares = 1.0 - 2.0 * offset + self.norm;
            (similarity - offset - query.shift) / (query.norm * squares.sqrt())
        };
        let further = offset + spread * (1.0 - self.norm);
        self.within(cosine(offset).min(cosine(further)), REACH)
    }

    /// The distance that is to be expected of a vector whose residual has that cosine to the query's.
    pub(crate) fn expected(&self, cosine: f32) -> u16 {
        self.within(cosine, 0.0)
    }

    fn within(&self, cosine: f32, deviations: f32) -> u16 {
        let bits = 64.0 * self.words.0 as f32;
        let share = cosine.clamp(-1.0, 1.0).acos() / PI;
        let reach = bits * share + deviations * (bits * share * (1.0 - share)).sqrt();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float that is cast saturates"
        )]
        let whole = if reach.is_finite() { reach.ceil() as u16 } else { u16::MAX };
        whole
    }

    /// How far `row`, of unit norm, is from the centre, by the square.
    pub(crate) fn apart(&self, kernels: &Kernels, row: &[f32]) -> f32 {
        1.0 + self.norm - 2.0 * kernels.dot_f32(row, &self.centre)
    }

    /// The square of the centre's length.
    pub(crate) fn norm(&self) -> f32 {
        self.norm
    }

    /// Asks for a code that [`Self::estimate`] will read soon.
    #[inline]
    pub(crate) fn prefetch(&self, slot: usize) {
        let from = self.first_word(slot);
        (0..self.words.0).for_each(|word| prefetch_index(&self.blocks, from + word * LANES));
        prefetch_index(&self.rest, slot * self.words.1);
        prefetch_index(&self.terms, slot);
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let words = room::bytes(&self.blocks) + room::bytes(&self.rest);
        words + room::bytes(&self.terms) + room::bytes(&self.centre) + size_of::<Self>()
    }

    /// Panics unless the slots hold exactly the codes of `rows`.
    pub(crate) fn check<'a>(&self, rows: impl Iterator<Item = &'a [f32]>) {
        let mut fresh = Self::new(self.centre.clone());
        rows.for_each(|row| fresh.push(row));
        assert_eq!(fresh.len, self.len, "a code a row");
        assert!(
            fresh.blocks == self.blocks && fresh.rest == self.rest,
            "the codes are those of the rows, and zero past them"
        );
        assert!(fresh.terms == self.terms, "so are their terms");
    }

    fn first_word(&self, slot: usize) -> usize {
        slot / LANES * self.words.0 * LANES + slot % LANES
    }
}

/// A bit a coordinate, set where it is positive.
fn signs(part: &[f32; 64]) -> u64 {
    part.iter().rev().fold(0, |bits, &value| bits << 1 | u64::from(value > 0.0))
}

/// Sum in 8 lanes: the compiler may not reorder additions of floats, so the order is chosen here.
fn sum(part: &[f32; 64]) -> f32 {
    let lanes = part.as_chunks::<8>().0.iter().fold([0.0; 8], |mut lanes, eight| {
        lanes.iter_mut().zip(eight).for_each(|(lane, value)| *lane += value);
        lanes
    });
    lanes.iter().sum()
}
