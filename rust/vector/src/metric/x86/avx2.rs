//! AVX2 with FMA and F16C.

use std::arch::x86_64::*;

use crate::metric::{Kernels, LANES, scalar};

pub(super) static KERNELS: Kernels =
    Kernels { name: "avx2", scan, lowest, near, set_bits_sum, dot_f32, dot_f16, dot_i8, rotate };

/// Set bits of each 64-bit lane, by a table of the 16 nibbles (Muła, Kurz, Lemire 2018).
#[target_feature(enable = "avx2")]
fn popcount(value: __m256i) -> __m256i {
    let table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    let nibble = _mm256_set1_epi8(0x0f);
    let low = _mm256_shuffle_epi8(table, _mm256_and_si256(value, nibble));
    let high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(value), nibble));
    _mm256_add_epi8(low, high)
}

/// Words a byte counter can add up: 8 bits each.
pub(super) const WORDS_A_BYTE: usize = 31;

#[target_feature(enable = "avx2")]
fn scan(blocks: &[u64], query: &[u64], distances: &mut [u16]) {
    let per_block = query.len() * LANES;
    for (block, distances) in blocks.chunks_exact(per_block).zip(distances.as_chunks_mut::<LANES>().0) {
        let (mut low, mut high) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        let rows = block.as_chunks::<LANES>().0.chunks(WORDS_A_BYTE).zip(query.chunks(WORDS_A_BYTE));
        for (rows, words) in rows {
            let (mut low_bytes, mut high_bytes) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for (row, &word) in rows.iter().zip(words) {
                let word = _mm256_set1_epi64x(word.cast_signed());
                // SAFETY: `row` has 8 words: 4 from its start and 4 from its middle.
                let (first, last) = unsafe {
                    let row = row.as_ptr().cast::<__m256i>();
                    (_mm256_loadu_si256(row), _mm256_loadu_si256(row.add(1)))
                };
                low_bytes = _mm256_add_epi8(low_bytes, popcount(_mm256_xor_si256(first, word)));
                high_bytes = _mm256_add_epi8(high_bytes, popcount(_mm256_xor_si256(last, word)));
            }
            let zero = _mm256_setzero_si256();
            low = _mm256_add_epi64(low, _mm256_sad_epu8(low_bytes, zero));
            high = _mm256_add_epi64(high, _mm256_sad_epu8(high_bytes, zero));
        }
        let mut sums = [0_u64; LANES];
        // SAFETY: `sums` has 8 words: 4 from its start and 4 from its middle.
        unsafe {
            let sums = sums.as_mut_ptr().cast::<__m256i>();
            _mm256_storeu_si256(sums, low);
            _mm256_storeu_si256(sums.add(1), high);
        }
        *distances = sums.map(|sum| sum as u16);
    }
}

/// Distances that fill a register.
const WIDE: usize = 16;

#[target_feature(enable = "avx2")]
fn lowest(distances: &[u16]) -> u16 {
    let (parts, rest) = distances.as_chunks::<WIDE>();
    let mut least = _mm256_set1_epi16(-1);
    for part in parts {
        // SAFETY: `part` has 16 distances.
        least = _mm256_min_epu16(least, unsafe { _mm256_loadu_si256(part.as_ptr().cast()) });
    }
    let least = _mm_min_epu16(_mm256_castsi256_si128(least), _mm256_extracti128_si256::<1>(least));
    let least = _mm_extract_epi16::<0>(_mm_minpos_epu16(least)).cast_unsigned() as u16;
    least.min(scalar::lowest(rest))
}

#[target_feature(enable = "avx2,popcnt")]
fn near(distances: &[u16], limit: u16, near: &mut [u64]) -> usize {
    let limit = _mm256_set1_epi16(limit.cast_signed());
    let mut count = 0;
    for (distances, near) in distances.as_chunks::<64>().0.iter().zip(near) {
        let mut bits = 0;
        for (half, distances) in distances.as_chunks::<32>().0.iter().enumerate() {
            // SAFETY: `distances` has 32 distances: 16 from its start and 16 from its middle.
            let (low, high) = unsafe {
                let from = distances.as_ptr().cast::<__m256i>();
                (_mm256_loadu_si256(from), _mm256_loadu_si256(from.add(1)))
            };
            let low = _mm256_cmpeq_epi16(_mm256_min_epu16(low, limit), low);
            let high = _mm256_cmpeq_epi16(_mm256_min_epu16(high, limit), high);
            // Packing goes lane by lane; the order of the quarters is put right.
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(low, high));
            bits |= u64::from(_mm256_movemask_epi8(bytes).cast_unsigned()) << (32 * half);
        }
        *near = bits;
        count += bits.count_ones() as usize;
    }
    count
}

#[target_feature(enable = "avx2")]
fn set_bits_sum(query: &[f32], code: &[u64], stride: usize) -> f32 {
    let each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    let mut sums = [_mm256_setzero_ps(); 4];
    for (part, word) in query.as_chunks::<64>().0.iter().zip(code.iter().step_by(stride)) {
        for (byte, (eight, bits)) in part.as_chunks::<8>().0.iter().zip(word.to_le_bytes()).enumerate() {
            let bits = _mm256_and_si256(_mm256_set1_epi32(i32::from(bits)), each);
            let mask = _mm256_castsi256_ps(_mm256_cmpeq_epi32(bits, each));
            // SAFETY: `eight` has 8 floats.
            let values = unsafe { _mm256_loadu_ps(eight.as_ptr()) };
            sums[byte % 4] = _mm256_add_ps(sums[byte % 4], _mm256_and_ps(mask, values));
        }
    }
    total(sums)
}

#[target_feature(enable = "avx2")]
fn total([a, b, c, d]: [__m256; 4]) -> f32 {
    let sum = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
    let four = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[target_feature(enable = "avx2,fma")]
fn dot_f32(query: &[f32], row: &[f32]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 4];
    for (a, b) in query.as_chunks::<32>().0.iter().zip(row.as_chunks::<32>().0) {
        for (part, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both have 32 floats, of which these are 8.
            let (a, b) = unsafe {
                (_mm256_loadu_ps(a.as_ptr().add(8 * part)), _mm256_loadu_ps(b.as_ptr().add(8 * part)))
            };
            *sum = _mm256_fmadd_ps(a, b, *sum);
        }
    }
    total(sums)
}

#[target_feature(enable = "avx2,fma,f16c")]
fn dot_f16(query: &[f32], row: &[u16]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 4];
    for (a, b) in query.as_chunks::<32>().0.iter().zip(row.as_chunks::<32>().0) {
        for (part, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both have 32 numbers, of which these are 8.
            let (a, b) = unsafe {
                let b = _mm_loadu_si128(b.as_ptr().add(8 * part).cast());
                (_mm256_loadu_ps(a.as_ptr().add(8 * part)), b)
            };
            *sum = _mm256_fmadd_ps(a, _mm256_cvtph_ps(b), *sum);
        }
    }
    total(sums)
}

#[target_feature(enable = "avx2,fma")]
fn dot_i8(query: &[f32], row: &[i8]) -> f32 {
    let mut sums = [_mm256_setzero_ps(); 4];
    for (a, b) in query.as_chunks::<32>().0.iter().zip(row.as_chunks::<32>().0) {
        for (part, sum) in sums.iter_mut().enumerate() {
            // SAFETY: both have 32 numbers, of which these are 8.
            let (a, b) = unsafe {
                let b = _mm_loadl_epi64(b.as_ptr().add(8 * part).cast());
                (_mm256_loadu_ps(a.as_ptr().add(8 * part)), b)
            };
            let b = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(b));
            *sum = _mm256_fmadd_ps(a, b, *sum);
        }
    }
    total(sums)
}

#[target_feature(enable = "avx2")]
pub(super) fn rotate(row: &mut [f32], signs: &[u64]) {
    scalar::rotate_inlined(row, signs);
}
