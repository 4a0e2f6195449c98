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
    /// Asks for what `sift` will read of a node.
    fn prefetch(&self, node: u32);
    /// Leaves those that may be more similar than `worst`, and asks for what `similarity` will read of them.
    fn sift(&self, nodes: &mut Vec<u32>, worst: f32);
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
    fn sift(&self, _: &mut Vec<u32>, _: f32) {}

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

/// What an estimate needs beside the code: `|r|^2 / |r|_1` and `centre.x`, each as the upper half of an f32, as
/// an estimate errs by some hundredth and these by a thousandth; and the share of the row's square that lies in
/// its head, in 65,535ths.
#[derive(Clone, Copy, PartialEq)]
struct Terms {
    factor: u16,
    offset: u16,
    head: u16,
}

impl Terms {
    fn new(factor: f32, offset: f32, head: f32) -> Self {
        let upper = |value: f32| u16::try_from((value.to_bits() + (1 << 15)) >> 16).expect("it is 16 bits");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let head = (head.clamp(0.0, 1.0) * f32::from(u16::MAX)).round() as u16;
        Self { factor: upper(factor), offset: upper(offset), head }
    }

    #[inline]
    fn estimate(self) -> (f32, f32) {
        let whole = |upper: u16| f32::from_bits(u32::from(upper) << 16);
        (whole(self.factor), whole(self.offset))
    }

    #[inline]
    fn head(self) -> f32 {
        f32::from(self.head) / f32::from(u16::MAX)
    }
}

/// By the rows whose codes do not rule them out.
pub(crate) struct ByCode<'a> {
    codes: &'a Codes,
    exact: ByRow<'a>,
    residual: Vec<f32>,
    total: f32,
    shift: f32,
    /// The share of the query's square that lies in its head.
    head: f32,
    /// How much an estimate may be too low, over its factor.
    doubt: f32,
}

/// See `crate::codes`.
const ERROR: f32 = 0.602_81;
/// Standard errors by which an estimate may be too low: what may still be more similar is compared.
const DOUBT: f32 = 1.0;
/// Coordinates of a row that are compared before the rest. As rows are rotated, each says as much as any other, and
/// so few tell how far apart two rows lie, about (`ADSampling`, arXiv 2303.09855).
const HEAD: usize = 128;

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
        self.terms.push(Terms::new(0.0, 0.0, 0.0));
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
        self.terms[node] = Terms::new(factor, offset, head_of(row));
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
        ByCode { codes: self, exact, residual, total, shift, head: head_of(query), doubt }
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

fn head_of(row: &[f32]) -> f32 {
    row[..HEAD].iter().map(|value| value * value).sum()
}

impl ByCode<'_> {
    /// Whether the code allows a node to be more similar than `worst`.
    #[inline]
    fn near_by_code(&self, node: u32, worst: f32) -> bool {
        let (codes, from) = (self.codes, node as usize * self.codes.each);
        let code = &codes.words[from..from + codes.each];
        let set = self.exact.kernels.set_bits_sum(&self.residual, code, 1);
        let (factor, offset) = codes.terms[node as usize].estimate();
        let estimate = (2.0 * set - self.total) * factor + offset + self.shift;
        estimate + factor * self.doubt >= worst
    }

    /// Whether the head of the row does.
    #[inline]
    fn near_by_head(&self, node: u32, worst: f32) -> bool {
        let ByRow { rows, kernels, query } = self.exact;
        let inner = rows.dot(kernels, &query[..HEAD], node as usize);
        let apart = self.head + self.codes.terms[node as usize].head() - 2.0 * inner;
        let share = HEAD as f32 / query.len() as f32;
        apart <= share * 2.0 * (1.0 - worst)
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
    fn sift(&self, nodes: &mut Vec<u32>, worst: f32) {
        let rows = self.exact.rows;
        nodes.retain(|&node| {
            let near = self.near_by_code(node, worst);
            if near {
                rows.prefetch_part(node as usize, 0..HEAD);
            }
            near
        });
        nodes.retain(|&node| {
            let near = self.near_by_head(node, worst);
            if near {
                rows.prefetch_part(node as usize, HEAD..rows.width());
            }
            near
        });
    }

    #[inline]
    fn similarity(&self, node: u32) -> f32 {
        self.exact.similarity(node)
    }
}
