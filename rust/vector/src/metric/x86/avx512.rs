//! AVX-512 with BW, and with VPOPCNTDQ where the CPU has it.

use std::arch::x86_64::*;

use super::avx2;
use super::avx2::WORDS_A_BYTE;
use crate::metric::{Kernels, LANES, scalar};

/// With VPOPCNTDQ.
pub(super) static POPCOUNT: Kernels = Kernels {
    name: "avx512-vpopcntdq",
    scan,
    lowest,
    near,
    set_bits_sum,
    dot_f32,
    dot_f16,
    dot_i8,
    // Wider registers gain nothing here, as measured.
    rotate: avx2::rotate,
};

/// Without.
pub(super) static NIBBLES: Kernels = Kernels {
    name: "avx512bw",
    scan: scan_by_nibbles,
    lowest,
    near,
    set_bits_sum,
    dot_f32,
    dot_f16,
    dot_i8,
    rotate: avx2::rotate,
};

/// Blocks whose counts are kept in registers at once: enough to hide the latency of a count.
const AT_ONCE: usize = 4;
/// Words between what is counted and what is asked for: the CPU's own look-ahead ends with each page of memory.
const SOON: usize = 512;

#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn scan(blocks: &[u64], query: &[u64], distances: &mut [u16]) {
    let per_block = query.len() * LANES;
    let (many, rest) = distances.as_chunks_mut::<{ AT_ONCE * LANES }>();
    let (blocks, last_blocks) = blocks.split_at(many.len() * AT_ONCE * per_block);
    for (blocks, distances) in blocks.chunks_exact(AT_ONCE * per_block).zip(many) {
        count::<AT_ONCE>(blocks, query, distances);
    }
    for (block, distances) in last_blocks.chunks_exact(per_block).zip(rest.chunks_exact_mut(LANES)) {
        count::<1>(block, query, distances);
    }
}

/// `scan` of N blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn count<const N: usize>(blocks: &[u64], query: &[u64], distances: &mut [u16]) {
    let per_block = query.len() * LANES;
    assert!(blocks.len() == N * per_block && distances.len() == N * LANES);
    let mut sums = [_mm512_setzero_si512(); N];
    for (at, &word) in query.iter().enumerate() {
        let word = _mm512_set1_epi64(word.cast_signed());
        for (block, sum) in sums.iter_mut().enumerate() {
            let from = block * per_block + at * LANES;
            _mm_prefetch::<_MM_HINT_T0>(blocks.as_ptr().wrapping_add(from + SOON).cast());
            // SAFETY: `at < query.len()` and `block < N`, so 8 words lie there, by the length asserted above.
            let codes = unsafe { _mm512_loadu_si512(blocks.as_ptr().add(from).cast()) };
            *sum = _mm512_add_epi64(*sum, _mm512_popcnt_epi64(_mm512_xor_si512(codes, word)));
        }
    }
    for (block, &sum) in sums.iter().enumerate() {
        // SAFETY: `block < N`, so 8 distances of 16 bits lie there, by the length asserted above.
        unsafe {
            let to = distances.as_mut_ptr().add(block * LANES);
            _mm_storeu_si128(to.cast(), _mm512_cvtepi64_epi16(sum));
        }
    }
}

/// Set bits of each 64-bit lane of what is summed, by a table of the 16 nibbles.
#[target_feature(enable = "avx512f,avx512bw")]
fn nibbles(value: __m512i) -> __m512i {
    let table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    let nibble = _mm512_set1_epi8(0x0f);
    let low = _mm512_shuffle_epi8(table, _mm512_and_si512(value, nibble));
    let high = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16::<4>(value), nibble));
    _mm512_add_epi8(low, high)
}

/// `scan` without VPOPCNTDQ.
#[target_feature(enable = "avx512f,avx512bw")]
fn scan_by_nibbles(blocks: &[u64], query: &[u64], distances: &mut [u16]) {
    let per_block = query.len() * LANES;
    for (block, distances) in blocks.chunks_exact(per_block).zip(distances.as_chunks_mut::<LANES>().0) {
        let mut sum = _mm512_setzero_si512();
        let rows = block.as_chunks::<LANES>().0.chunks(WORDS_A_BYTE).zip(query.chunks(WORDS_A_BYTE));
        for (rows, words) in rows {
            let mut bytes = _mm512_setzero_si512();
            for (row, &word) in rows.iter().zip(words) {
                // SAFETY: `row` has 8 words.
                let codes = unsafe { _mm512_loadu_si512(row.as_ptr().cast()) };
                let apart = _mm512_xor_si512(codes, _mm512_set1_epi64(word.cast_signed()));
                bytes = _mm512_add_epi8(bytes, nibbles(apart));
            }
            sum = _mm512_add_epi64(sum, _mm512_sad_epu8(bytes, _mm512_setzero_si512()));
        }
        // SAFETY: 8 distances of 16 bits fill it.
        unsafe { _mm_storeu_si128(distances.as_mut_ptr().cast(), _mm512_cvtepi64_epi16(sum)) };
    }
}

/// Distances that fill a register.
const WIDE: usize = 32;

#[target_feature(enable = "avx512f,avx512bw")]
fn lowest(distances: &[u16]) -> u16 {
    let (parts, rest) = distances.as_chunks::<WIDE>();
    let mut least = _mm512_set1_epi16(-1);
    for part in parts {
        // SAFETY: `part` has 32 distances.
        least = _mm512_min_epu16(least, unsafe { _mm512_loadu_si512(part.as_ptr().cast()) });
    }
    let least = _mm256_min_epu16(_mm512_castsi512_si256(least), _mm512_extracti64x4_epi64::<1>(least));
    let least = _mm_min_epu16(_mm256_castsi256_si128(least), _mm256_extracti128_si256::<1>(least));
    let least = _mm_extract_epi16::<0>(_mm_minpos_epu16(least)).cast_unsigned() as u16;
    least.min(scalar::lowest(rest))
}

#[target_feature(enable = "avx512f,avx512bw,popcnt")]
fn near(distances: &[u16], limit: u16, near: &mut [u64]) -> usize {
    let limit = _mm512_set1_epi16(limit.cast_signed());
    let mut count = 0;
    for (distances, near) in distances.as_chunks::<64>().0.iter().zip(near) {
        // SAFETY: `distances` has 64 distances: 32 from its start and 32 from its middle.
        let (low, high) = unsafe {
            let from = distances.as_ptr().cast::<__m512i>();
            (_mm512_loadu_si512(from), _mm512_loadu_si512(from.add(1)))
        };
        let (low, high) = (_mm512_cmple_epu16_mask(low, limit), _mm512_cmple_epu16_mask(high, limit));
        *near = u64::from(high) << 32 | u64::from(low);
        count += near.count_ones() as usize;
    }
    count
}

#[target_feature(enable = "avx512f")]
fn set_bits_sum(query: &[f32], code: &[u64], stride: usize) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 4];
    for (part, &word) in query.as_chunks::<64>().0.iter().zip(code.iter().step_by(stride)) {
        for (quarter, sum) in sums.iter_mut().enumerate() {
            let mask = (word >> (16 * quarter)) as __mmask16;
            // SAFETY: `part` has 64 floats, of which these are 16.
            let values = unsafe { _mm512_loadu_ps(part.as_ptr().add(16 * quarter)) };
            *sum = _mm512_mask_add_ps(*sum, mask, *sum, values);
        }
    }
    total(sums)
}

#[target_feature(enable = "avx512f")]
fn total([a, b, c, d]: [__m512; 4]) -> f32 {
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)))
}

#[target_feature(enable = "avx512f")]
fn dot_f32(query: &[f32], row: &[f32]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 4];
    for (a, b) in query.as_chunks::<64>().0.iter().zip(row.as_chunks::<64>().0) {
        for (part, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both have 64 floats, of which these are 16.
            let (a, b) = unsafe {
                (_mm512_loadu_ps(a.as_ptr().add(16 * part)), _mm512_loadu_ps(b.as_ptr().add(16 * part)))
            };
            *sum = _mm512_fmadd_ps(a, b, *sum);
        }
    }
    total(sums)
}

#[target_feature(enable = "avx512f")]
fn dot_f16(query: &[f32], row: &[u16]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 4];
    for (a, b) in query.as_chunks::<64>().0.iter().zip(row.as_chunks::<64>().0) {
        for (part, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both have 64 numbers, of which these are 16.
            let (a, b) = unsafe {
                let b = _mm256_loadu_si256(b.as_ptr().add(16 * part).cast());
                (_mm512_loadu_ps(a.as_ptr().add(16 * part)), b)
            };
            *sum = _mm512_fmadd_ps(a, _mm512_cvtph_ps(b), *sum);
        }
    }
    total(sums)
}

#[target_feature(enable = "avx512f")]
fn dot_i8(query: &[f32], row: &[i8]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 4];
    for (a, b) in query.as_chunks::<64>().0.iter().zip(row.as_chunks::<64>().0) {
        for (part, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both have 64 numbers, of which these are 16.
            let (a, b) = unsafe {
                let b = _mm_loadu_si128(b.as_ptr().add(16 * part).cast());
                (_mm512_loadu_ps(a.as_ptr().add(16 * part)), b)
            };
            *sum = _mm512_fmadd_ps(a, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(b)), *sum);
        }
    }
    total(sums)
}
