//! Every kernel this CPU runs against its scalar twin.

use lecmux_vector::metric::{Kernels, LANES, available, half};
use proptest::prelude::*;

fn others() -> (&'static Kernels, Vec<&'static Kernels>) {
    let mut tables = available();
    (tables.remove(0), tables)
}

/// Words of a code, coordinates to go with them, and blocks of codes.
fn shapes() -> impl Strategy<Value = (usize, usize)> {
    (1_usize..40, 1_usize..14)
}

fn floats(count: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1.0_f32..1.0, count)
}

/// Sums of `terms` in another order differ by no more than this.
fn close(a: f32, b: f32, terms: usize, size: f32) -> bool {
    (a - b).abs() <= size * terms as f32 * f32::EPSILON
}

proptest! {
    #[test]
    fn scans_agree_to_the_bit(
        (blocks, query) in shapes().prop_flat_map(|(words, blocks)| (
            prop::collection::vec(any::<u64>(), blocks * words * LANES),
            prop::collection::vec(any::<u64>(), words),
        )),
    ) {
        let (scalar, others) = others();
        let run = |kernels: &Kernels| {
            let mut distances = vec![7; blocks.len() / query.len()];
            kernels.scan(&blocks, &query, &mut distances);
            distances
        };
        for kernels in others {
            prop_assert!(run(kernels) == run(scalar), "{}", kernels.name());
        }
    }

    #[test]
    fn the_lowest_and_the_near_agree(
        distances in prop::collection::vec(prop_oneof![0_u16..50, any::<u16>()], 0..400),
        limit in prop_oneof![0_u16..50, any::<u16>()],
    ) {
        let (scalar, others) = others();
        let whole = &distances[..distances.len() / 64 * 64];
        let run = |kernels: &Kernels| {
            let mut near = vec![7; whole.len() / 64];
            let count = kernels.near(whole, limit, &mut near);
            (kernels.lowest(&distances), count, near)
        };
        let want = run(scalar);
        for (slot, &distance) in whole.iter().enumerate() {
            prop_assert_eq!(want.2[slot / 64] >> (slot % 64) & 1 == 1, distance <= limit);
        }
        for kernels in others {
            prop_assert!(run(kernels) == want, "{}", kernels.name());
        }
    }

    #[test]
    fn sums_over_set_bits_agree(
        (query, code, stride) in (1_usize..40, prop_oneof![Just(1), Just(LANES)]).prop_flat_map(|(words, stride)| (
            floats(64 * words),
            prop::collection::vec(any::<u64>(), (words - 1) * stride + 1),
            Just(stride),
        )),
    ) {
        let (scalar, others) = others();
        let want = scalar.set_bits_sum(&query, &code, stride);
        for kernels in others {
            let sum = kernels.set_bits_sum(&query, &code, stride);
            prop_assert!(close(sum, want, query.len(), 64.0), "{}", kernels.name());
        }
    }

    #[test]
    fn inner_products_agree(
        (query, row) in (1_usize..40).prop_flat_map(|words| (floats(64 * words), floats(64 * words))),
    ) {
        let (scalar, others) = others();
        let halves: Vec<u16> = row.iter().map(|&value| half::from_f32(value)).collect();
        #[expect(clippy::cast_possible_truncation, reason = "at most 127 in size")]
        let bytes: Vec<i8> = row.iter().map(|value| (value * 127.0) as i8).collect();
        for kernels in others {
            let (name, terms) = (kernels.name(), query.len());
            prop_assert!(close(kernels.dot_f32(&query, &row), scalar.dot_f32(&query, &row), terms, 64.0), "{}", name);
            prop_assert!(close(kernels.dot_f16(&query, &halves), scalar.dot_f16(&query, &halves), terms, 64.0), "{}", name);
            prop_assert!(close(kernels.dot_i8(&query, &bytes), scalar.dot_i8(&query, &bytes), terms, 8192.0), "{}", name);
        }
    }

    #[test]
    fn rotations_agree_to_the_bit(
        (row, signs) in (1_usize..40).prop_flat_map(|words| (
            floats(64 * words),
            prop::collection::vec(any::<u64>(), words),
        )),
    ) {
        let (scalar, others) = others();
        let run = |kernels: &Kernels| {
            let mut row = row.clone();
            kernels.rotate(&mut row, &signs);
            row
        };
        for kernels in others {
            prop_assert_eq!(run(kernels), run(scalar));
        }
    }
}

#[test]
fn every_f16_means_the_same_to_every_kernel() {
    let (scalar, others) = others();
    let finite = |bits: &u16| half::to_f32(*bits).is_finite();
    for bits in (0..=u16::MAX).filter(finite) {
        let (mut query, mut row) = ([0.0; 64], [0; 64]);
        (query[5], row[5]) = (1.0, bits);
        for kernels in &others {
            let products = [*kernels, scalar].map(|kernels| kernels.dot_f16(&query, &row).to_bits());
            assert_eq!(products[0], products[1], "{bits:#x}");
        }
    }
}

#[test]
#[should_panic(expected = "equal lengths")]
fn lengths_are_checked_before_anything_is_read() {
    let _ = available().pop().expect("one").dot_f32(&[0.0; 128], &[0.0; 64]);
}
