//! The reference: what each kernel means, in plain Rust.

use super::{Kernels, LANES, half};

pub(super) static KERNELS: Kernels =
    Kernels { name: "scalar", scan, lowest, near, set_bits_sum, dot_f32, dot_f16, dot_i8, rotate };

fn scan(blocks: &[u64], query: &[u64], distances: &mut [u16]) {
    let per_block = query.len() * LANES;
    for (block, distances) in blocks.chunks_exact(per_block).zip(distances.chunks_exact_mut(LANES)) {
        distances.fill(0);
        for (row, word) in block.chunks_exact(LANES).zip(query) {
            for (distance, code) in distances.iter_mut().zip(row) {
                *distance += (code ^ word).count_ones() as u16;
            }
        }
    }
}

pub(super) fn lowest(distances: &[u16]) -> u16 {
    distances.iter().copied().min().unwrap_or(u16::MAX)
}

pub(super) fn near(distances: &[u16], limit: u16, near: &mut [u64]) -> usize {
    let mut count = 0;
    for (distances, near) in distances.chunks_exact(64).zip(near) {
        *near = distances.iter().rev().fold(0, |bits, &distance| bits << 1 | u64::from(distance <= limit));
        count += near.count_ones() as usize;
    }
    count
}

fn set_bits_sum(query: &[f32], code: &[u64], stride: usize) -> f32 {
    let words = query.chunks_exact(64).zip(code.iter().step_by(stride));
    words.flat_map(|(part, word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(|bit| part[bit])).sum()
}

fn dot_f32(query: &[f32], row: &[f32]) -> f32 {
    query.iter().zip(row).map(|(a, b)| a * b).sum()
}

fn dot_f16(query: &[f32], row: &[u16]) -> f32 {
    query.iter().zip(row).map(|(a, &b)| a * half::to_f32(b)).sum()
}

fn dot_i8(query: &[f32], row: &[i8]) -> f32 {
    query.iter().zip(row).map(|(a, &b)| a * f32::from(b)).sum()
}

fn rotate(row: &mut [f32], signs: &[u64]) {
    rotate_inlined(row, signs);
}

/// Inlined into a caller that may use wider registers, this is compiled for them.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled anew for the instruction set of each caller")]
pub(super) fn rotate_inlined(row: &mut [f32], signs: &[u64]) {
    let power = 1 << row.len().ilog2();
    // A transform of n coordinates stretches by sqrt(n).
    let scale = 1.0 / (power as f32).sqrt();
    for (part, word) in row.chunks_exact_mut(64).zip(signs) {
        for (bit, value) in part.iter_mut().enumerate() {
            let sign = ((word >> bit & 1) as u32) << 31;
            *value = f32::from_bits(value.to_bits() ^ sign);
        }
    }
    let from = row.len() - power;
    hadamard(&mut row[..power], scale);
    if from > 0 {
        hadamard(&mut row[from..], scale);
    }
}

/// Walsh-Hadamard transform in place, times `scale`; `values` is a power of two long.
#[inline(always)]
#[expect(clippy::inline_always, reason = "see `rotate_inlined`")]
fn hadamard(values: &mut [f32], scale: f32) {
    for four in values.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        let (ab, cd, a_b, c_d) = (a + b, c + d, a - b, c - d);
        *four = [(ab + cd) * scale, (a_b + c_d) * scale, (ab - cd) * scale, (a_b - c_d) * scale];
    }
    let mut half = 4;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
}
