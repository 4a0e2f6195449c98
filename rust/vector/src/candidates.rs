//! The vectors that a scan finds nearest: all within the smallest distance that takes in enough of them.

/// Keeps what a scan reports and says how near the rest must be.
pub(crate) struct Candidates {
    wanted: usize,
    limit: u16,
    /// Of those reported: how many at each distance, and how many within the limit.
    at: Vec<u32>,
    within: usize,
    found: Vec<(u16, u32)>,
}

/// Ties at the limit may bring in more than were wanted, at most this many times as many.
const MOST_TIMES: usize = 4;

impl Candidates {
    /// Keeps the `wanted` nearest, at distances of at most `furthest`.
    pub(crate) fn new(wanted: usize, furthest: u16) -> Self {
        let at = vec![0; usize::from(furthest) + 1];
        Self { wanted, limit: furthest, at, within: 0, found: Vec::with_capacity(8 * wanted) }
    }

    /// Nothing further than this is wanted any more.
    #[inline]
    pub(crate) fn limit(&self) -> u16 {
        self.limit
    }

    /// Takes in a vector.
    #[inline]
    pub(crate) fn offer(&mut self, distance: u16, slot: u32) {
        if distance > self.limit {
            return;
        }
        self.found.push((distance, slot));
        self.at[usize::from(distance)] += 1;
        self.within += 1;
        // What lies at the limit goes when those nearer are enough.
        while self.within - self.at[usize::from(self.limit)] as usize >= self.wanted {
            self.within -= self.at[usize::from(self.limit)] as usize;
            self.limit -= 1;
        }
        if self.found.len() > 2 * MOST_TIMES * self.wanted + self.within {
            self.found.retain(|found| found.0 <= self.limit);
        }
    }

    /// The slots of the nearest, by slot.
    pub(crate) fn slots(mut self) -> Vec<u32> {
        self.found.retain(|found| found.0 <= self.limit);
        if self.found.len() > MOST_TIMES * self.wanted {
            self.found.sort_unstable();
            self.found.truncate(MOST_TIMES * self.wanted);
        }
        self.found.into_iter().map(|found| found.1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Candidates;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_all_within_the_smallest_distance_that_takes_in_enough(
            distances in prop::collection::vec(0_u16..40, 0..400), wanted in 1_usize..20,
        ) {
            let mut candidates = Candidates::new(wanted, 40);
            for (slot, &distance) in (0..).zip(&distances) {
                candidates.offer(distance, slot);
            }
            let mut order: Vec<(u16, u32)> = distances.iter().copied().zip(0..).collect();
            order.sort_unstable();
            let limit = order.get(wanted - 1).map_or(40, |last| last.0);
            let mut want: Vec<u32> =
                order.iter().filter(|each| each.0 <= limit).take(4 * wanted).map(|each| each.1).collect();
            let mut found = candidates.slots();
            want.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, want);
        }
    }
}
