//! Counts of many names in little memory: a count-min sketch with conservative update.
//!
//! Cormode & Muthukrishnan 2005, with the update of Estan & Varghese 2002. An estimate is never below the
//! truth, and exceeds it by more than e/width · (weight held) with probability at most e^-4 a name.
//! Ageing keeps the weight held, and with it the error, bounded: once it passes [`FILL`] · width every cell
//! is halved, so the excess stays below e · `FILL` ≈ 22 with that probability and is about 1 in the mean.

const ROWS: usize = 4;
/// Weight a column may hold in the mean before all cells are halved.
pub const FILL: f64 = 8.0;

/// A sketch of `ROWS` rows.
#[derive(Clone, Debug)]
pub struct Sketch {
    cells: Vec<f32>,
    /// Columns a row, a power of two.
    width: usize,
    held: f64,
    /// What one unit of count weighs now; only decay makes it other than 1.
    unit: f64,
}

impl Sketch {
    /// The largest sketch within `bytes` (at least 16 columns).
    #[must_use]
    pub fn within(bytes: usize) -> Self {
        let columns = (bytes / size_of::<f32>() / ROWS).max(16);
        let width = 1 << columns.ilog2();
        Self { cells: vec![0.0; width * ROWS], width, held: 0.0, unit: 1.0 }
    }

    /// Upper bound of the weight added under `hash`.
    #[must_use]
    pub fn estimate(&self, hash: u64) -> f64 {
        let least = self.columns(hash).map(|at| self.cells[at]).fold(f32::INFINITY, f32::min);
        f64::from(least)
    }

    /// Adds `weight` under `hash`; `unit` is what one request weighs now. Returns the new estimate.
    pub fn add(&mut self, hash: u64, weight: f64, unit: f64) -> f64 {
        self.unit = unit;
        let target = self.estimate(hash) + weight;
        for at in self.columns(hash) {
            self.cells[at] = self.cells[at].max(target as f32);
        }
        self.held += weight;
        if self.held > FILL * self.width as f64 * self.unit {
            self.rescale(0.5);
        }
        target
    }

    /// Adds what is missing for an estimate of at least `count` under `hash`.
    pub fn raise(&mut self, hash: u64, count: f64, unit: f64) {
        let missing = count - self.estimate(hash);
        if missing > 0.0 {
            self.add(hash, missing, unit);
        }
    }

    /// Multiplies every count by `factor`.
    pub fn rescale(&mut self, factor: f64) {
        self.cells.iter_mut().for_each(|cell| *cell *= factor as f32);
        self.held *= factor;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.cells.fill(0.0);
        self.held = 0.0;
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<f32>()
    }

    fn columns(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let (mask, width) = (self.width - 1, self.width);
        // Double hashing (Kirsch & Mitzenmacher 2006): two halves of one mixed word make all rows.
        let mixed = (hash ^ (hash >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (first, step) = ((mixed >> 32) as usize, (mixed as usize) | 1);
        (0..ROWS).map(move |row| row * width + (first.wrapping_add(row.wrapping_mul(step)) & mask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of 4 times as many names as columns, the i-th asked for 1 + i mod 3 times.
    #[test]
    fn never_below_and_within_the_documented_excess() {
        let mut sketch = Sketch::within(1 << 16);
        let names = sketch.width as u64 * 4;
        let truth = |name: u64| (1 + name % 3) as f64;
        let hash = |name: u64| name.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(17);
        for name in 0..names {
            for _ in 0..(1 + name % 3) {
                sketch.add(hash(name), 1.0, 1.0);
            }
        }
        let held: f64 = (0..names).map(truth).sum();
        assert!(held <= FILL * sketch.width as f64, "no ageing in this test");
        let bound = std::f64::consts::E / sketch.width as f64 * held;
        let excess = |name: u64| sketch.estimate(hash(name)) - truth(name);
        assert!((0..names).all(|name| excess(name) >= 0.0));
        let beyond = (0..names).filter(|&name| excess(name) > bound).count() as f64;
        assert!(beyond <= (-4f64).exp() * names as f64, "{beyond} of {names} beyond {bound}");
    }

    #[test]
    fn ageing_bounds_the_weight_held() {
        let mut sketch = Sketch::within(4096);
        for name in 0..1_000_000u64 {
            sketch.add(name.wrapping_mul(0x9E37_79B9_7F4A_7C15), 1.0, 1.0);
            assert!(sketch.held <= FILL * sketch.width as f64);
        }
    }
}
