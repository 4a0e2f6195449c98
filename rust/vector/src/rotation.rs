//! A fixed random rotation: no coordinate carries more than its share, whatever the embedder does.
//!
//! Signs and a Hadamard transform, three times over, stand in for a random rotation (Andoni and others, "Practical and
//! optimal LSH for angular distance", 2015, arXiv 1509.02897). Where the length is no power of two, each transform
//! covers the first and then the last such part.

use crate::metric::Kernels;

const ROUNDS: u64 = 3;
/// Coordinates whose signs lie on the stack: enough for every length allowed.
const MOST_WORDS: usize = crate::index::MAX_DIMENSION.div_ceil(64);

/// Turns `row`, whose length is a multiple of 64, in place; lengths and angles stay what they are.
pub(crate) fn rotate(kernels: &Kernels, row: &mut [f32]) {
    let words = row.len() / 64;
    let mut signs = [0; MOST_WORDS];
    for round in 0..ROUNDS {
        for (at, word) in signs[..words].iter_mut().enumerate() {
            *word = mixed(round << 32 | at as u64);
        }
        kernels.rotate(row, &signs[..words]);
    }
}

/// Undoes [`rotate`], up to rounding. Plain and slow: for the few vectors that are handed out again.
pub(crate) fn rotate_back(row: &mut [f32]) {
    let power = 1 << row.len().ilog2();
    let last = row.len() - power;
    for round in (0..ROUNDS).rev() {
        // The transforms are their own inverses, and come off in the opposite order.
        if last > 0 {
            hadamard(&mut row[last..]);
        }
        hadamard(&mut row[..power]);
        for (at, part) in row.chunks_exact_mut(64).enumerate() {
            let word = mixed(round << 32 | at as u64);
            part.iter_mut().enumerate().filter(|(bit, _)| word >> bit & 1 == 1).for_each(|(_, x)| *x = -*x);
        }
    }
}

fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (values.len() as f32).sqrt();
    for value in values {
        *value *= scale;
    }
}

/// A number as random bits (`SplitMix64`).
pub(crate) fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{rotate, rotate_back};
    use crate::metric::available;

    #[test]
    fn lengths_and_angles_stay_and_a_single_coordinate_spreads() {
        for words in [1, 2, 3, 6, 7, 12, 24] {
            let dim = 64 * words;
            let one = |at: usize| (0..dim).map(|i| f32::from(u8::from(i == at))).collect::<Vec<_>>();
            for kernels in available() {
                let (mut a, mut b) = (one(0), one(dim - 1));
                rotate(kernels, &mut a);
                rotate(kernels, &mut b);
                let mut back = a.clone();
                rotate_back(&mut back);
                assert!(back.iter().zip(one(0)).all(|(came, went)| (came - went).abs() < 1e-5));
                assert!((kernels.dot_f32(&a, &a) - 1.0).abs() < 1e-5);
                assert!(kernels.dot_f32(&a, &b).abs() < 1e-5);
                let largest = a.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                assert!(largest < 8.0 / (dim as f32).sqrt(), "{dim}: {largest}");
            }
        }
    }
}
