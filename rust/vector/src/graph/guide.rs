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

/// Of a cache line.
const WORDS_A_LINE: usize = 8;

/// Codes of nodes 0 to n - 1, about one centre.
pub(crate) struct Codes {
    /// Words a node.
    each: usize,
    /// A bit a coordinate, node by node.
    words: Vec<u64>,
    terms: Vec<Terms>,
    centre: Vec<f32>,
    norm: f32,
}

/// What makes an estimate of a code: `|r|^2 / |r|_1` and `centre.x`, each as the upper half of an f32. An estimate
/// errs by some hundredth, and these by a thousandth.
#[derive(Clone, Copy, PartialEq)]
struct Terms {
    factor: u16,
    offset: u16,
}

impl Terms {
    fn new(factor: f32, offset: f32) -> Self {
        let upper = |value: f32| u16::try_from((value.to_bits() + (1 << 15)) >> 16).expect("it is 16 bits");
        Self { factor: upper(factor), offset: upper(offset) }
    }

    #[inline]
    fn read(self) -> (f32, f32) {
        let whole = |upper: u16| f32::from_bits(u32::from(upper) << 16);
        (whole(self.factor), whole(self.offset))
    }
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
        Self { each: centre.len() / 64, words: Vec::new(), terms: Vec::new(), centre, norm }
    }

    pub(crate) fn centre(&self) -> &[f32] {
        &self.centre
    }

    pub(crate) fn len(&self) -> usize {
        self.terms.len()
    }

    /// Makes room for exactly `nodes` more.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.words.reserve_exact(nodes * self.each);
        self.terms.reserve_exact(nodes);
    }

    /// Appends the code of `row`.
    pub(crate) fn push(&mut self, row: &[f32]) {
        room::grow(&mut self.words, self.each);
        room::grow(&mut self.terms, 1);
        self.words.resize(self.words.len() + self.each, 0);
        self.terms.push(Terms::new(0.0, 0.0));
        self.write(self.len() - 1, row);
    }

    /// Puts the code of `row` into its place.
    pub(crate) fn write(&mut self, node: usize, row: &[f32]) {
        let (mut squares, mut sizes, mut offset) = (0.0_f32, 0.0_f32, 0.0_f32);
        let words = &mut self.words[node * self.each..(node + 1) * self.each];
        for ((row, centre), word) in
            row.as_chunks::<64>().0.iter().zip(self.centre.as_chunks::<64>().0).zip(words)
        {
            *word = 0;
            for (bit, (&x, &c)) in row.iter().zip(centre).enumerate() {
                let residual = x - c;
                *word |= u64::from(residual > 0.0) << bit;
                squares += residual * residual;
                sizes += residual.abs();
                offset += x * c;
            }
        }
        let factor = if sizes > 0.0 { squares / sizes } else { 0.0 };
        self.terms[node] = Terms::new(factor, offset);
    }

    /// The last code takes the place of the one that leaves.
    pub(crate) fn swap_remove(&mut self, node: usize) {
        let last = self.words.len() - self.each;
        self.words.copy_within(last.., node * self.each);
        self.words.truncate(last);
        self.terms.swap_remove(node);
        room::shrink(&mut self.words);
        room::shrink(&mut self.terms);
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
        room::bytes(&self.words) + room::bytes(&self.terms) + room::bytes(&self.centre) + size_of::<Self>()
    }

    /// Panics unless the places hold exactly the codes of `rows`.
    pub(crate) fn check(&self, rows: &Rows, nodes: usize) {
        let mut fresh = Self::new(self.centre.clone());
        let mut row = vec![0.0; rows.width()];
        for node in 0..nodes {
            rows.read(node, &mut row);
            fresh.push(&row);
        }
        assert!(fresh.words == self.words && fresh.terms == self.terms, "the codes are those of the rows");
    }
}

impl Guide for ByCode<'_> {
    #[inline]
    fn prefetch(&self, node: u32) {
        let from = node as usize * self.codes.each;
        (from..from + self.codes.each)
            .step_by(WORDS_A_LINE)
            .for_each(|at| prefetch_index(&self.codes.words, at));
        prefetch_index(&self.codes.words, from + self.codes.each - 1);
        prefetch_index(&self.codes.terms, node as usize);
    }

    #[inline]
    fn promising(&self, node: u32, worst: f32) -> bool {
        let (codes, from) = (self.codes, node as usize * self.codes.each);
        let code = &codes.words[from..from + codes.each];
        let set = self.exact.kernels.set_bits_sum(&self.residual, code, 1);
        let (factor, offset) = codes.terms[node as usize].read();
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
