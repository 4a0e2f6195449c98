//! What a walk goes by: the rows, and before them codes of one bit a coordinate, a cache line or few, which tell
//! the rows that need not be looked at. Rows that are as short have no codes.
//!
//! The estimate is that of [`crate::codes`]; here the words of a code lie side by side with its terms.

use prefetch_index::prefetch_index;

use crate::metric::Kernels;
use crate::room;
use crate::rows::Rows;

/// Says how similar a node is to what is looked for.
pub(crate) trait Guide {
    /// Asks for what `promising` will read.
    fn prefetch(&self, node: u32);
    /// Whether a node may be more similar than `worst`; asks for what `similarity` will read if so.
    fn promising(&self, node: u32, worst: f32) -> bool;
    /// Of the node's vector and the query.
    fn similarity(&self, node: u32) -> f32;
}

/// By the row itself.
pub(crate) struct ByRow<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) kernels: &'a Kernels,
    pub(crate) query: &'a [f32],
}

impl Guide for ByRow<'_> {
    #[inline]
    fn similarity(&self, node: u32) -> f32 {
        self.rows.dot(self.kernels, self.query, node as usize).clamp(-1.0, 1.0)
    }

    #[inline]
    fn promising(&self, _: u32, _: f32) -> bool {
        true
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        self.rows.prefetch(node as usize);
    }
}

const WORDS_A_LINE: usize = 8;

/// A cache line, and lying as one.
#[repr(align(64))]
#[derive(Clone, Copy, PartialEq)]
struct Line([u64; WORDS_A_LINE]);

/// Codes of nodes 0 to n - 1, about one centre.
pub(crate) struct Codes {
    words: usize,
    /// A node takes whole lines: the words of its code, then its terms in one word.
    lines: Vec<Line>,
    centre: Vec<f32>,
    norm: f32,
}

/// By the rows whose codes do not rule them out.
pub(crate) struct ByCode<'a> {
    codes: &'a Codes,
    exact: ByRow<'a>,
    residual: Vec<f32>,
    total: f32,
    shift: f32,
    /// How much an estimate may be too low, over its factor.
    doubt: f32,
}

/// See `crate::codes`.
const ERROR: f32 = 0.602_81;
/// Standard errors by which an estimate may be too low: what may still be more similar is compared.
const DOUBT: f32 = 1.5;

impl Codes {
    pub(crate) fn new(centre: Vec<f32>) -> Self {
        let norm = centre.iter().map(|value| value * value).sum();
        Self { words: centre.len() / 64, lines: Vec::new(), centre, norm }
    }

    pub(crate) fn centre(&self) -> &[f32] {
        &self.centre
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len() / self.each()
    }

    /// Makes room for exactly `nodes` more.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.lines.reserve_exact(nodes * self.each());
    }

    /// Appends the code of `row`.
    pub(crate) fn push(&mut self, row: &[f32]) {
        let each = self.each();
        room::grow(&mut self.lines, each);
        self.lines.resize(self.lines.len() + each, Line([0; WORDS_A_LINE]));
        self.write(self.len() - 1, row);
    }

    /// Puts the code of `row` into its place.
    pub(crate) fn write(&mut self, node: usize, row: &[f32]) {
        let (mut squares, mut sizes, mut offset) = (0.0_f32, 0.0_f32, 0.0_f32);
        let (words, each) = (self.words, self.each());
        let place = &mut self.lines[node * each..(node + 1) * each];
        for (at, (row, centre)) in
            row.as_chunks::<64>().0.iter().zip(self.centre.as_chunks::<64>().0).enumerate()
        {
            let mut word = 0;
            for (bit, (&x, &c)) in row.iter().zip(centre).enumerate() {
                let residual = x - c;
                word |= u64::from(residual > 0.0) << bit;
                squares += residual * residual;
                sizes += residual.abs();
                offset += x * c;
            }
            place[at / WORDS_A_LINE].0[at % WORDS_A_LINE] = word;
        }
        let factor = if sizes > 0.0 { squares / sizes } else { 0.0 };
        place[words / WORDS_A_LINE].0[words % WORDS_A_LINE] =
            u64::from(factor.to_bits()) << 32 | u64::from(offset.to_bits());
    }

    /// The last code takes the place of the one that leaves.
    pub(crate) fn swap_remove(&mut self, node: usize) {
        let (each, last) = (self.each(), self.lines.len() - self.each());
        self.lines.copy_within(last.., node * each);
        self.lines.truncate(last);
        room::shrink(&mut self.lines);
    }

    /// `query` about the centre.
    pub(crate) fn by<'a>(&'a self, exact: ByRow<'a>) -> ByCode<'a> {
        let ByRow { kernels, query, .. } = exact;
        let residual: Vec<f32> = query.iter().zip(&self.centre).map(|(q, c)| q - c).collect();
        let total = residual.iter().sum();
        let doubt = DOUBT * ERROR * kernels.dot_f32(&residual, &residual).sqrt();
        let shift = kernels.dot_f32(query, &self.centre) - self.norm;
        ByCode { codes: self, exact, residual, total, shift, doubt }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        room::bytes(&self.lines) + room::bytes(&self.centre) + size_of::<Self>()
    }

    /// Panics unless the places hold exactly the codes of `rows`.
    pub(crate) fn check(&self, rows: &Rows, nodes: usize) {
        let mut fresh = Self::new(self.centre.clone());
        let mut row = vec![0.0; rows.width()];
        for node in 0..nodes {
            rows.read(node, &mut row);
            fresh.push(&row);
        }
        assert!(fresh.lines == self.lines, "the codes are those of the rows");
    }

    /// Lines a node.
    #[inline]
    fn each(&self) -> usize {
        (self.words + 1).div_ceil(WORDS_A_LINE)
    }

    /// The lines of a node, and its terms: `|r|^2 / |r|_1` and `centre.x`.
    #[inline]
    fn place(&self, node: u32) -> (&[Line], f32, f32) {
        let from = node as usize * self.each();
        let place = &self.lines[from..from + self.each()];
        let terms = place[self.words / WORDS_A_LINE].0[self.words % WORDS_A_LINE];
        #[expect(clippy::cast_possible_truncation, reason = "two numbers of 32 bits in one of 64")]
        let (factor, offset) = (f32::from_bits((terms >> 32) as u32), f32::from_bits(terms as u32));
        (place, factor, offset)
    }
}

impl Guide for ByCode<'_> {
    #[inline]
    fn prefetch(&self, node: u32) {
        let from = node as usize * self.codes.each();
        (from..from + self.codes.each()).for_each(|at| prefetch_index(&self.codes.lines, at));
    }

    #[inline]
    fn promising(&self, node: u32, worst: f32) -> bool {
        let (lines, factor, offset) = self.codes.place(node);
        let parts = lines.iter().zip(self.residual.chunks(64 * WORDS_A_LINE));
        let kernels = self.exact.kernels;
        let set: f32 =
            parts.map(|(line, query)| kernels.set_bits_sum(query, &line.0[..query.len() / 64], 1)).sum();
        let estimate = (2.0 * set - self.total) * factor + offset + self.shift;
        let promising = estimate + factor * self.doubt >= worst;
        if promising {
            self.exact.prefetch(node);
        }
        promising
    }

    #[inline]
    fn similarity(&self, node: u32) -> f32 {
        self.exact.similarity(node)
    }
}
