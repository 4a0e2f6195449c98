//! NEON, which every 64-bit ARM has. f16 rows are converted one by one: the instructions for that are not stable.
#![allow(clippy::wildcard_imports, reason = "intrinsics name their instruction set themselves")]

use std::arch::aarch64::*;

use super::{Kernels, LANES, half, scalar};

static NEON: Kernels =
    Kernels { name: "neon", scan, lowest, near, set_bits_sum, dot_f32, dot_f16, dot_i8, rotate };

/// The table, where the CPU has NEON.
pub(super) fn available() -> Option<&'static Kernels> {
    std::arch::is_aarch64_feature_detected!("neon").then_some(&NEON)
}

#[target_feature(enable = "neon")]
fn scan(blocks: &[u64], query: &[u64], distances: &mut [u16]) {
    let per_block = query.len() * LANES;
    for (block, distances) in blocks.chunks_exact(per_block).zip(distances.as_chunks_mut::<LANES>().0) {
        let mut sums = [vdupq_n_u64(0); LANES / 2];
        for (row, &word) in block.as_chunks::<LANES>().0.iter().zip(query) {
            let word = vdupq_n_u64(word);
            for (pair, sum) in sums.iter_mut().enumerate() {
                // SAFETY: `row` has 8 words, of which these are two.
                let codes = unsafe { vld1q_u64(row.as_ptr().add(2 * pair)) };
                let bytes = vcntq_u8(vreinterpretq_u8_u64(veorq_u64(codes, word)));
                *sum = vpadalq_u32(*sum, vpaddlq_u16(vpaddlq_u8(bytes)));
            }
        }
        for (pair, &sum) in sums.iter().enumerate() {
            distances[2 * pair] = vgetq_lane_u64::<0>(sum) as u16;
            distances[2 * pair + 1] = vgetq_lane_u64::<1>(sum) as u16;
        }
    }
}

#[target_feature(enable = "neon")]
fn lowest(distances: &[u16]) -> u16 {
    let (parts, rest) = distances.as_chunks::<8>();
    let mut least = vdupq_n_u16(u16::MAX);
    for part in parts {
        // SAFETY: `part` has 8 distances.
        least = vminq_u16(least, unsafe { vld1q_u16(part.as_ptr()) });
    }
    vminvq_u16(least).min(scalar::lowest(rest))
}

#[target_feature(enable = "neon")]
fn near(distances: &[u16], limit: u16, near: &mut [u64]) -> usize {
    let each = [1_u16, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: `each` has 8 numbers.
    let (each, limit) = (unsafe { vld1q_u16(each.as_ptr()) }, vdupq_n_u16(limit));
    let mut count = 0;
    for (distances, near) in distances.as_chunks::<64>().0.iter().zip(near) {
        let bytes: [u8; 8] = std::array::from_fn(|at| {
            // SAFETY: there are 8 times 8 distances.
            let eight = unsafe { vld1q_u16(distances.as_ptr().add(8 * at)) };
            vaddvq_u16(vandq_u16(vcleq_u16(eight, limit), each)) as u8
        });
        *near = u64::from_le_bytes(bytes);
        count += near.count_ones() as usize;
    }
    count
}

#[target_feature(enable = "neon")]
fn set_bits_sum(query: &[f32], code: &[u64], stride: usize) -> f32 {
    let each = [[1_u32, 2, 4, 8], [16, 32, 64, 128]];
    // SAFETY: both have four words.
    let each = unsafe { [vld1q_u32(each[0].as_ptr()), vld1q_u32(each[1].as_ptr())] };
    let mut sums = [vdupq_n_f32(0.0); 2];
    for (part, word) in query.as_chunks::<64>().0.iter().zip(code.iter().step_by(stride)) {
        for (eight, bits) in part.as_chunks::<8>().0.iter().zip(word.to_le_bytes()) {
            let bits = vdupq_n_u32(u32::from(bits));
            for (at, sum) in sums.iter_mut().enumerate() {
                // SAFETY: `eight` has 8 floats, of which these are four.
                let values = unsafe { vld1q_f32(eight.as_ptr().add(4 * at)) };
                let kept = vandq_u32(vtstq_u32(bits, each[at]), vreinterpretq_u32_f32(values));
                *sum = vaddq_f32(*sum, vreinterpretq_f32_u32(kept));
            }
        }
    }
    vaddvq_f32(vaddq_f32(sums[0], sums[1]))
}

/// Sum of products with 4 numbers at a time, which `load` makes floats of.
#[target_feature(enable = "neon")]
fn dot<T>(query: &[f32], row: &[T], load: impl Fn(&[T; 4]) -> [f32; 4]) -> f32 {
    let mut sums = [vdupq_n_f32(0.0); 4];
    for (at, (a, b)) in query.as_chunks::<4>().0.iter().zip(row.as_chunks::<4>().0).enumerate() {
        let b = load(b);
        // SAFETY: both have four floats.
        let (a, b) = unsafe { (vld1q_f32(a.as_ptr()), vld1q_f32(b.as_ptr())) };
        sums[at % 4] = vfmaq_f32(sums[at % 4], a, b);
    }
    vaddvq_f32(vaddq_f32(vaddq_f32(sums[0], sums[1]), vaddq_f32(sums[2], sums[3])))
}

#[target_feature(enable = "neon")]
fn dot_f32(query: &[f32], row: &[f32]) -> f32 {
    dot(query, row, |four| *four)
}

#[target_feature(enable = "neon")]
fn dot_f16(query: &[f32], row: &[u16]) -> f32 {
    dot(query, row, |four| four.map(half::to_f32))
}

#[target_feature(enable = "neon")]
fn dot_i8(query: &[f32], row: &[i8]) -> f32 {
    dot(query, row, |four| four.map(f32::from))
}

#[target_feature(enable = "neon")]
fn rotate(row: &mut [f32], signs: &[u64]) {
    scalar::rotate_inlined(row, signs);
}
