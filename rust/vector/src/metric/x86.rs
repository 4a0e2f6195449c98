//! AVX2 with FMA and F16C, and AVX-512 with VPOPCNTDQ. A CPU with AVX-512 but no VPOPCNTDQ runs the AVX2 table.
#![allow(clippy::wildcard_imports, reason = "intrinsics name their instruction set themselves")]

use std::arch::x86_64::*;

use super::{Kernels, LANES, scalar};

static AVX2: Kernels = Kernels {
    name: "avx2",
    scan: avx2::scan,
    set_bits_sum: avx2::set_bits_sum,
    dot_f32: avx2::dot_f32,
    dot_f16: avx2::dot_f16,
    dot_i8: avx2::dot_i8,
    rotate: avx2::rotate,
};

static AVX512: Kernels = Kernels {
    name: "avx512-vpopcntdq",
    scan: avx512::scan,
    set_bits_sum: avx512::set_bits_sum,
    dot_f32: avx512::dot_f32,
    dot_f16: avx512::dot_f16,
    dot_i8: avx512::dot_i8,
    // Wider registers gain nothing here, as measured.
    rotate: avx2::rotate,
};

/// The tables this CPU can run, the fastest last.
pub(super) fn available() -> impl Iterator<Item = &'static Kernels> {
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c");
    let avx512 = avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq");
    [avx2.then_some(&AVX2), avx512.then_some(&AVX512)].into_iter().flatten()
}

mod avx2 {
    use super::*;

    /// Set bits of each 64-bit lane, by a table of the 16 nibbles (Muła, Kurz, Lemire 2018).
    #[target_feature(enable = "avx2")]
    fn popcount(value: __m256i) -> __m256i {
        let table =
            _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
        let nibble = _mm256_set1_epi8(0x0f);
        let low = _mm256_shuffle_epi8(table, _mm256_and_si256(value, nibble));
        let high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(value), nibble));
        _mm256_add_epi8(low, high)
    }

    /// Words a byte counter can add up: 8 bits each.
    const WORDS_A_BYTE: usize = 31;

    #[target_feature(enable = "avx2")]
    pub(super) fn scan(blocks: &[u64], query: &[u64], limit: u16, distances: &mut [u16], near: &mut [u8]) {
        let per_block = query.len() * LANES;
        let out = distances.as_chunks_mut::<LANES>().0.iter_mut().zip(near);
        for (block, (distances, near)) in blocks.chunks_exact(per_block).zip(out) {
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
            let mut bits = 0;
            for (lane, (distance, sum)) in distances.iter_mut().zip(sums).enumerate() {
                *distance = sum as u16;
                bits |= u8::from(*distance <= limit) << lane;
            }
            *near = bits;
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn set_bits_sum(query: &[f32], code: &[u64]) -> f32 {
        let each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        let mut sums = [_mm256_setzero_ps(); 4];
        for (part, word) in query.as_chunks::<64>().0.iter().zip(code.iter().step_by(LANES)) {
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
    pub(super) fn dot_f32(query: &[f32], row: &[f32]) -> f32 {
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
    pub(super) fn dot_f16(query: &[f32], row: &[u16]) -> f32 {
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
    pub(super) fn dot_i8(query: &[f32], row: &[i8]) -> f32 {
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
}

mod avx512 {
    use super::*;

    /// Blocks whose counts are kept in registers at once: enough to hide the latency of a count.
    const AT_ONCE: usize = 4;

    #[target_feature(enable = "avx512f,avx512vpopcntdq")]
    pub(super) fn scan(blocks: &[u64], query: &[u64], limit: u16, distances: &mut [u16], near: &mut [u8]) {
        let per_block = query.len() * LANES;
        let whole = near.len() / AT_ONCE * AT_ONCE;
        let (blocks, last_blocks) = blocks.split_at(whole * per_block);
        let (distances, last_distances) = distances.split_at_mut(whole * LANES);
        let (near, last_near) = near.split_at_mut(whole);
        let out = distances.chunks_exact_mut(AT_ONCE * LANES).zip(near.chunks_exact_mut(AT_ONCE));
        for (blocks, (distances, near)) in blocks.chunks_exact(AT_ONCE * per_block).zip(out) {
            count::<AT_ONCE>(blocks, query, limit, distances, near);
        }
        let out = last_distances.chunks_exact_mut(LANES).zip(last_near.chunks_exact_mut(1));
        for (block, (distances, near)) in last_blocks.chunks_exact(per_block).zip(out) {
            count::<1>(block, query, limit, distances, near);
        }
    }

    /// `scan` of N blocks.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vpopcntdq")]
    fn count<const N: usize>(
        blocks: &[u64],
        query: &[u64],
        limit: u16,
        distances: &mut [u16],
        near: &mut [u8],
    ) {
        let per_block = query.len() * LANES;
        assert!(blocks.len() == N * per_block && distances.len() == N * LANES && near.len() == N);
        let mut sums = [_mm512_setzero_si512(); N];
        for (at, &word) in query.iter().enumerate() {
            let word = _mm512_set1_epi64(word.cast_signed());
            for (block, sum) in sums.iter_mut().enumerate() {
                // SAFETY: `at < query.len()` and `block < N`, so 8 words lie there, by the length asserted above.
                let codes =
                    unsafe { _mm512_loadu_si512(blocks.as_ptr().add(block * per_block + at * LANES).cast()) };
                *sum = _mm512_add_epi64(*sum, _mm512_popcnt_epi64(_mm512_xor_si512(codes, word)));
            }
        }
        let limit = _mm512_set1_epi64(i64::from(limit));
        for (block, &sum) in sums.iter().enumerate() {
            near[block] = _mm512_cmple_epu64_mask(sum, limit);
            // SAFETY: `block < N`, so 8 distances of 16 bits lie there, by the length asserted above.
            unsafe {
                let to = distances.as_mut_ptr().add(block * LANES);
                _mm_storeu_si128(to.cast(), _mm512_cvtepi64_epi16(sum));
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn set_bits_sum(query: &[f32], code: &[u64]) -> f32 {
        let mut sums = [_mm512_setzero_ps(); 4];
        for (part, &word) in query.as_chunks::<64>().0.iter().zip(code.iter().step_by(LANES)) {
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
    pub(super) fn dot_f32(query: &[f32], row: &[f32]) -> f32 {
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
    pub(super) fn dot_f16(query: &[f32], row: &[u16]) -> f32 {
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
    pub(super) fn dot_i8(query: &[f32], row: &[i8]) -> f32 {
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
}
