//! Which vectors are near by the Hamming distances of their codes.

use crate::metric::Kernels;

/// The Hamming distances of all codes to one query.
pub(crate) struct Distances<'a> {
    kernels: &'a Kernels,
    /// A distance a slot, filled up to whole words of `near` with what is never near.
    all: &'a [u16],
    /// A bit a distance: those within the limit that was asked for last.
    near: Vec<u64>,
    /// No distance is larger.
    furthest: u16,
}

/// Distances a word of bits stands for.
pub(crate) const A_WORD: usize = u64::BITS as usize;
/// So many times as many parts as vectors are wanted make the smallest distance of each part a good sample.
const PARTS_EACH: usize = 5;

impl<'a> Distances<'a> {
    /// `all` is filled up to a multiple of [`A_WORD`]; a code has `furthest` bits.
    pub(crate) fn new(kernels: &'a Kernels, all: &'a [u16], furthest: u16) -> Self {
        Self { kernels, all, near: vec![0; all.len() / A_WORD], furthest }
    }

    /// A limit within which `wanted` vectors lie, or a few more; all of them where there are no more.
    pub(crate) fn limit_of(&mut self, wanted: usize) -> u16 {
        if wanted >= self.all.len() {
            return self.furthest;
        }
        let part = self.all.len() / (PARTS_EACH * wanted) / A_WORD * A_WORD;
        if part == 0 {
            return self.smallest_with(wanted);
        }
        // Each part holds one vector as near as the nearest of it.
        let mut lowest: Vec<u16> = self.all.chunks(part).map(|part| self.kernels.lowest(part)).collect();
        *lowest.select_nth_unstable(wanted - 1).1
    }

    /// `limit`, or the largest below it within which no more than `most` lie.
    pub(crate) fn lowered(&mut self, limit: u16, most: usize) -> u16 {
        let limit = limit.min(self.furthest);
        if self.count(limit) <= most { limit } else { self.smallest_with(most + 1).saturating_sub(1) }
    }

    /// The slots with a distance above `beyond`, if any is given, up to `limit`, in order.
    pub(crate) fn slots(&mut self, beyond: Option<u16>, limit: u16) -> Vec<u32> {
        let mut slots = Vec::with_capacity(self.count(limit));
        for (word, &bits) in self.near.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let slot = word * A_WORD + bits.trailing_zeros() as usize;
                if beyond.is_none_or(|beyond| self.all[slot] > beyond) {
                    slots.push(u32::try_from(slot).expect("the index checks its size"));
                }
                bits &= bits - 1;
            }
        }
        slots
    }

    fn count(&mut self, limit: u16) -> usize {
        self.kernels.near(self.all, limit, &mut self.near)
    }

    /// The smallest limit within which at least `wanted` lie.
    fn smallest_with(&mut self, wanted: usize) -> u16 {
        let (mut low, mut high) = (0, self.furthest);
        while low < high {
            let middle = u16::midpoint(low, high);
            if self.count(middle) < wanted { low = middle + 1 } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::{A_WORD, Distances};
    use crate::metric::available;
    use proptest::prelude::*;

    const FURTHEST: u16 = 40;

    fn filled_up(mut distances: Vec<u16>) -> Vec<u16> {
        distances.resize(distances.len().next_multiple_of(A_WORD), u16::MAX);
        distances
    }

    proptest! {
        #[test]
        fn a_limit_takes_in_enough_and_the_slots_are_those_within(
            all in prop::collection::vec(0..=FURTHEST, 1..3000), wanted in 1_usize..20, wider in 0_u16..9,
        ) {
            let padded = filled_up(all.clone());
            let within = |above: Option<u16>, limit| -> Vec<u32> {
                let held = |&(_, &distance): &(u32, &u16)| {
                    above.is_none_or(|above| distance > above) && distance <= limit
                };
                (0..).zip(&all).filter(held).map(|each| each.0).collect()
            };
            for kernels in available() {
                let mut distances = Distances::new(kernels, &padded, FURTHEST);
                let limit = distances.limit_of(wanted);
                prop_assert_eq!(distances.slots(None, limit), within(None, limit));
                prop_assert!(within(None, limit).len() >= wanted.min(all.len()));
                prop_assert_eq!(distances.slots(Some(limit), limit + wider), within(Some(limit), limit + wider));
            }
        }

        #[test]
        fn a_lowered_limit_is_the_largest_that_takes_in_few_enough(
            all in prop::collection::vec(0..=FURTHEST, 1..300), limit in 0_u16..60, most in 0_usize..200,
        ) {
            let padded = filled_up(all.clone());
            let count = |limit: u16| all.iter().filter(|&&distance| distance <= limit).count();
            let mut distances = Distances::new(available()[0], &padded, FURTHEST);
            let lowered = distances.lowered(limit, most);
            prop_assert!(lowered <= limit);
            prop_assert!(count(lowered) <= most || lowered == 0);
            prop_assert!(lowered >= limit.min(FURTHEST) || count(lowered + 1) > most);
        }
    }
}
