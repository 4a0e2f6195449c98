//! Counts of keys that are not resident, in bounded memory: exact while few, a sketch beyond.
//!
//! Beside an exact count lies the mean cost last known: without it no key that was evicted would ever show
//! how much its cost varies.
//!
//! Up to `limit` names are counted exactly. When one more arrives the lower half of the counts moves into a
//! count-min sketch (`sketch.rs` states its error) and the upper half stays exact; from then on a name enters
//! the exact table once its estimate passes the count that the last move left behind.

use hashbrown::HashTable;

use super::sketch::Sketch;
use crate::number::narrow;

/// A bucket of the exact table and its control byte.
const BUCKET_BYTES: usize = size_of::<Counted>() + 1;

#[derive(Clone, Copy, Debug)]
struct Counted {
    hash: u64,
    count: f32,
    /// NaN when no cost is known.
    mean_cost: f32,
}

/// What is remembered of a key that is not resident.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Remembered {
    /// Requests, in grown units; 0 when unknown.
    pub count: f64,
    /// Mean of the costs observed, where still known.
    pub mean_cost: Option<f64>,
}

/// Counts beyond this come from no cache, and grown by decay they would leave the range of an f32.
const MOST_REQUESTS: f64 = (1_u64 << 53) as f64;

/// Whether `count` can be a number of requests, decayed or not.
#[must_use]
pub fn is_count(count: f64) -> bool {
    (0.0..=MOST_REQUESTS).contains(&count)
}

/// Counts by keyed hash.
#[derive(Clone, Debug)]
pub struct Frequency {
    exact: HashTable<Counted>,
    limit: usize,
    sketch_bytes: usize,
    sketch: Option<Sketch>,
    /// Estimates above this are counted exactly.
    threshold: f64,
}

impl Frequency {
    /// Counts within about `bytes`: two thirds for the exact table, one third for the
    /// sketch, each allocated when used.
    #[must_use]
    pub fn within(bytes: usize) -> Self {
        Self {
            exact: HashTable::new(),
            limit: exact_limit(bytes / 3 * 2),
            sketch_bytes: bytes / 3,
            sketch: None,
            threshold: 0.0,
        }
    }

    /// The count of `hash`, 0 when unknown; an upper bound once the sketch is in use.
    #[must_use]
    pub fn get(&self, hash: u64) -> f64 {
        match self.exact.find(hash, |counted| counted.hash == hash) {
            Some(counted) => f64::from(counted.count),
            None => self.sketch.as_ref().map_or(0.0, |sketch| sketch.estimate(hash)),
        }
    }

    /// Has the memory of the count of `hash` fetched.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if let Some(sketch) = &self.sketch {
            sketch.prefetch(hash);
        }
    }

    /// Adds `weight` to the count of `hash` and returns the new count; `unit` is what one request weighs now.
    pub fn add(&mut self, hash: u64, weight: f64, unit: f64) -> f64 {
        if let Some(counted) = self.exact.find_mut(hash, |counted| counted.hash == hash) {
            counted.count += narrow(weight);
            return f64::from(counted.count);
        }
        let count = match &mut self.sketch {
            Some(sketch) => sketch.add(hash, weight, unit),
            None => weight,
        };
        if self.sketch.is_none() || count > self.threshold {
            self.insert(hash, Remembered { count, mean_cost: None }, unit);
        }
        count
    }

    /// Takes what is known of a key that becomes resident; the sketch keeps its upper bound.
    pub fn take(&mut self, hash: u64) -> Remembered {
        let sketched = |sketch: &Sketch| Remembered { count: sketch.estimate(hash), mean_cost: None };
        match self.exact.find_entry(hash, |counted| counted.hash == hash) {
            Ok(counted) => counted.remove().0.remembered(),
            Err(_) => self.sketch.as_ref().map_or(Remembered::default(), sketched),
        }
    }

    /// Keeps what is known of a key that stops being resident.
    pub fn give(&mut self, hash: u64, known: Remembered, unit: f64) {
        if let Some(counted) = self.exact.find_mut(hash, |counted| counted.hash == hash) {
            *counted = Counted::new(hash, known);
        } else if self.sketch.is_none() || known.count > self.threshold {
            self.insert(hash, known, unit);
        } else if let Some(sketch) = &mut self.sketch {
            sketch.raise(hash, known.count, unit);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self { limit: self.limit, sketch_bytes: self.sketch_bytes, ..Self::within(0) };
    }

    /// Multiplies every count by `factor`.
    pub fn rescale(&mut self, factor: f64) {
        self.exact.iter_mut().for_each(|counted| counted.count *= narrow(factor));
        self.threshold *= factor;
        if let Some(sketch) = &mut self.sketch {
            sketch.rescale(factor);
        }
    }

    /// Names counted exactly.
    #[must_use]
    pub fn exact_names(&self) -> usize {
        self.exact.len()
    }

    /// Whether the sketch is in use.
    #[must_use]
    pub fn is_approximate(&self) -> bool {
        self.sketch.is_some()
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.exact.allocation_size() + self.sketch.as_ref().map_or(0, Sketch::heap_bytes)
    }

    /// Every exact count, for a snapshot.
    pub fn iter(&self) -> impl Iterator<Item = (u64, f64)> {
        self.exact.iter().map(|counted| (counted.hash, f64::from(counted.count)))
    }

    /// Checks that the bounds hold.
    ///
    /// # Panics
    /// When they do not.
    pub fn check(&self) {
        assert!(self.exact.len() <= self.limit, "more exact names than the limit");
        assert!(self.exact.iter().all(|c| c.count.is_finite() && c.count >= 0.0), "a count out of range");
    }

    fn insert(&mut self, hash: u64, known: Remembered, unit: f64) {
        if self.exact.len() == self.limit {
            self.spill(unit);
        }
        self.exact.insert_unique(hash, Counted::new(hash, known), |counted| counted.hash);
    }

    /// Moves the lower half of the exact counts into the sketch. O(limit), once in limit / 2 insertions.
    fn spill(&mut self, unit: f64) {
        let mut counts: Vec<f32> = self.exact.iter().map(|counted| counted.count).collect();
        let middle = counts.len() / 2;
        let (_, &mut threshold, _) = counts.select_nth_unstable_by(middle, f32::total_cmp);
        self.threshold = f64::from(threshold);
        let sketch = self.sketch.get_or_insert_with(|| Sketch::within(self.sketch_bytes));
        self.exact.retain(|counted| {
            let stays = counted.count > threshold;
            if !stays {
                sketch.raise(counted.hash, f64::from(counted.count), unit);
            }
            stays
        });
    }
}

impl Counted {
    fn new(hash: u64, known: Remembered) -> Self {
        let mean_cost = known.mean_cost.map_or(f32::NAN, narrow);
        Self { hash, count: narrow(known.count), mean_cost }
    }

    fn remembered(self) -> Remembered {
        let mean_cost = (!self.mean_cost.is_nan()).then_some(f64::from(self.mean_cost));
        Remembered { count: f64::from(self.count), mean_cost }
    }
}

/// Names that a table within `bytes` holds for ever: below half of its room, a table that has seen removals
/// is tidied in place and never grows.
fn exact_limit(bytes: usize) -> usize {
    let buckets = (bytes / BUCKET_BYTES).max(8);
    ((1 << buckets.ilog2()) * 7 / 16).max(2)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "counts without decay are whole numbers")]
mod tests {
    use super::*;

    fn hash(name: u64) -> u64 {
        name.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
    }

    #[test]
    fn exact_while_small() {
        let mut frequency = Frequency::within(64 * 1024);
        for round in 1..=3 {
            for name in 0..800 {
                assert_eq!(frequency.add(hash(name), 1.0, 1.0), f64::from(round));
            }
        }
        assert!(!frequency.is_approximate());
        assert_eq!(frequency.take(hash(5)), Remembered { count: 3.0, mean_cost: None });
        assert_eq!(frequency.get(hash(5)), 0.0);
        let known = Remembered { count: 7.0, mean_cost: Some(0.5) };
        frequency.give(hash(5), known, 1.0);
        assert_eq!(frequency.get(hash(5)), 7.0);
        assert_eq!(frequency.take(hash(5)), known);
    }

    /// Hot names keep their exact counts among a flood of names seen once; memory stays bounded.
    #[test]
    fn hot_names_survive_a_flood() {
        let bytes = 64 * 1024;
        let mut frequency = Frequency::within(bytes);
        for name in 0..200_000u64 {
            frequency.add(hash(name), 1.0, 1.0);
            frequency.add(hash(name % 50), 1.0, 1.0);
            frequency.check();
        }
        assert!(frequency.is_approximate());
        assert!(frequency.heap_bytes() <= bytes, "{} bytes", frequency.heap_bytes());
        for name in 0..50 {
            let count = frequency.get(hash(name));
            assert!((4000.0..4100.0).contains(&count), "{name}: {count}");
        }
    }
}
