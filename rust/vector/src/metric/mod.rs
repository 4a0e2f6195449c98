//! The inner loops, one table of them an instruction set, chosen when the process starts to search.
//!
//! `scalar` is the reference: every other table is tested to agree with it, to the bit where the result is a
//! whole number and within rounding where sums of floats are added in another order.
#![allow(
    unsafe_code,
    reason = "the one module that may: kernels use instructions the compiler cannot assume"
)]

use std::sync::LazyLock;

pub mod half;
#[expect(clippy::cast_possible_truncation, reason = "a distance is at most the number of bits")]
mod scalar;
#[cfg(target_arch = "aarch64")]
#[expect(clippy::cast_possible_truncation, reason = "see `scalar`")]
mod neon;
#[cfg(target_arch = "x86_64")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_ptr_alignment,
    reason = "loads and stores that need no alignment; for the casts see `scalar`"
)]
mod x86;

/// Codes are laid out in blocks of this many vectors: word by word, and within a word vector by vector.
pub const LANES: usize = 8;

type Scan = unsafe fn(&[u64], &[u64], &mut [u16]);
type Lowest = unsafe fn(&[u16]) -> u16;
type Near = unsafe fn(&[u16], u16, &mut [u64]) -> usize;
type SetBitsSum = unsafe fn(&[f32], &[u64], usize) -> f32;
type Dot<T> = unsafe fn(&[f32], &[T]) -> f32;
type Rotate = unsafe fn(&mut [f32], &[u64]);

/// The inner loops for one instruction set.
///
/// A table is reached only through [`best`] and [`available`], which hand it out after its features were
/// detected: that is what makes the calls below sound.
pub struct Kernels {
    name: &'static str,
    scan: Scan,
    lowest: Lowest,
    near: Near,
    set_bits_sum: SetBitsSum,
    dot_f32: Dot<f32>,
    dot_f16: Dot<u16>,
    dot_i8: Dot<i8>,
    rotate: Rotate,
}

impl Kernels {
    /// The instruction set.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Hamming distances of `query` to the codes in `blocks`, one a lane.
    ///
    /// # Panics
    /// Unless the lengths belong together.
    #[inline]
    pub fn scan(&self, blocks: &[u64], query: &[u64], distances: &mut [u16]) {
        assert!(distances.len().is_multiple_of(LANES), "a distance a lane");
        assert_eq!(blocks.len(), distances.len() * query.len(), "a word a lane and word of the query");
        // SAFETY: the CPU has this table's features (see the type); the lengths were checked.
        unsafe { (self.scan)(blocks, query, distances) }
    }

    /// The smallest of `distances`; the largest number there is for none.
    #[inline]
    #[must_use]
    pub fn lowest(&self, distances: &[u16]) -> u16 {
        // SAFETY: as in `scan`.
        unsafe { (self.lowest)(distances) }
    }

    /// Which of `distances` are at most `limit`, a bit each in `near`; returns how many.
    ///
    /// # Panics
    /// Unless there are 64 distances a word of `near`.
    #[inline]
    pub fn near(&self, distances: &[u16], limit: u16, near: &mut [u64]) -> usize {
        assert_eq!(distances.len(), 64 * near.len(), "a bit a distance");
        // SAFETY: as in `scan`.
        unsafe { (self.near)(distances, limit, near) }
    }

    /// Sum of the `query`'s coordinates whose bit is set, in a code whose words lie `stride` apart in `code`.
    ///
    /// # Panics
    /// Unless `query` has 64 coordinates a word of the code.
    #[inline]
    #[must_use]
    pub fn set_bits_sum(&self, query: &[f32], code: &[u64], stride: usize) -> f32 {
        assert!(
            query.len().is_multiple_of(64) && code.len() + stride > query.len() / 64 * stride,
            "64 coordinates a word"
        );
        // SAFETY: as in `scan`.
        unsafe { (self.set_bits_sum)(query, code, stride) }
    }

    /// Inner product with a row of f32.
    ///
    /// # Panics
    /// Unless both have the same length, a multiple of 64.
    #[inline]
    #[must_use]
    pub fn dot_f32(&self, query: &[f32], row: &[f32]) -> f32 {
        assert!(query.len() == row.len() && row.len().is_multiple_of(64), "equal lengths");
        // SAFETY: as in `scan`.
        unsafe { (self.dot_f32)(query, row) }
    }

    /// Inner product with a row of f16, as bits.
    ///
    /// # Panics
    /// As `dot_f32`.
    #[inline]
    #[must_use]
    pub fn dot_f16(&self, query: &[f32], row: &[u16]) -> f32 {
        assert!(query.len() == row.len() && row.len().is_multiple_of(64), "equal lengths");
        // SAFETY: as in `scan`.
        unsafe { (self.dot_f16)(query, row) }
    }

    /// Inner product with a row of i8; the caller multiplies by the row's scale.
    ///
    /// # Panics
    /// As `dot_f32`.
    #[inline]
    #[must_use]
    pub fn dot_i8(&self, query: &[f32], row: &[i8]) -> f32 {
        assert!(query.len() == row.len() && row.len().is_multiple_of(64), "equal lengths");
        // SAFETY: as in `scan`.
        unsafe { (self.dot_i8)(query, row) }
    }

    /// One round of a rotation: signs, then Hadamard transforms over the first and over the last power of two.
    ///
    /// # Panics
    /// Unless there are 64 coordinates a word of `signs`.
    #[inline]
    pub fn rotate(&self, row: &mut [f32], signs: &[u64]) {
        assert_eq!(row.len(), signs.len() * 64, "a sign a coordinate");
        // SAFETY: as in `scan`.
        unsafe { (self.rotate)(row, signs) }
    }
}

/// The tables this CPU can run, the reference first and the fastest last.
#[must_use]
pub fn available() -> Vec<&'static Kernels> {
    let mut tables = vec![&scalar::KERNELS];
    #[cfg(target_arch = "x86_64")]
    tables.extend(x86::available());
    #[cfg(target_arch = "aarch64")]
    tables.extend(neon::available());
    tables
}

/// The fastest table this CPU can run.
#[must_use]
pub fn best() -> &'static Kernels {
    static BEST: LazyLock<&Kernels> =
        LazyLock::new(|| available().pop().expect("the reference runs everywhere"));
    *BEST
}
