//! Counts of many names in little memory: a blocked count-min sketch with conservative update.
//!
//! Cormode & Muthukrishnan 2005, with the update of Estan & Varghese 2002. All cells of a name lie in one
//! block, and a block is one cache line, so a count costs one access to memory and not one a row; blocks draw
//! their names at random, which makes the excess a tenth larger than that of rows of their own.
//!
//! An estimate is never below the truth. It exceeds it by more than e/width · (weight held) with probability
//! at most e^-4 a name, where the weight is spread over the blocks evenly.
//! Ageing keeps the weight held, and with it the error, bounded: once it passes [`FILL`] · width every cell
//! is halved, so the excess stays below e · `FILL` ≈ 22 with that probability; among names that are seen once
//! and never again it is 2 to 3 in the mean.

use prefetch_index::prefetch_index;

use crate::number::narrow;

const ROWS: usize = 4;
/// Columns of a row within a block.
const LANES: usize = 4;
const _: () = assert!(LANES == 4, "two bits choose a lane");
/// Weight a column may hold in the mean before all cells are halved.
pub const FILL: f64 = 8.0;

/// A cache line: `ROWS` rows of `LANES` cells.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Block([f32; ROWS * LANES]);

/// A sketch of `ROWS` rows.
#[derive(Clone, Debug)]
pub struct Sketch {
    blocks: Vec<Block>,
    /// Columns a row, over all blocks.
    width: usize,
    held: f64,
    /// What one unit of count weighs now; only decay makes it other than 1.
    unit: f64,
}

impl Sketch {
    /// The largest sketch within `bytes` (at least 4 blocks).
    #[must_use]
    pub fn within(bytes: usize) -> Self {
        let blocks = (bytes / size_of::<Block>()).max(4);
        let empty = Block([0.0; ROWS * LANES]);
        Self { blocks: vec![empty; blocks], width: blocks * LANES, held: 0.0, unit: 1.0 }
    }

    /// Upper bound of the weight added under `hash`.
    #[must_use]
    pub fn estimate(&self, hash: u64) -> f64 {
        let (block, cells) = self.cells(hash);
        let Block(block) = &self.blocks[block];
        f64::from(cells.map(|at| block[at]).into_iter().fold(f32::INFINITY, f32::min))
    }

    /// Has the memory of the count of `hash` fetched.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        prefetch_index(&self.blocks, self.cells(hash).0);
    }

    /// Adds `weight` under `hash`; `unit` is what one request weighs now. Returns the new estimate.
    pub fn add(&mut self, hash: u64, weight: f64, unit: f64) -> f64 {
        self.unit = unit;
        let target = self.estimate(hash) + weight;
        let (block, cells) = self.cells(hash);
        let Block(block) = &mut self.blocks[block];
        for at in cells {
            block[at] = block[at].max(narrow(target));
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
        self.blocks.iter_mut().flat_map(|Block(cells)| cells).for_each(|cell| *cell *= narrow(factor));
        self.held *= factor;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.blocks.iter_mut().for_each(|Block(cells)| cells.fill(0.0));
        self.held = 0.0;
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
    }

    /// The block of a name, and its cell of each row there.
    #[inline]
    fn cells(&self, hash: u64) -> (usize, [usize; ROWS]) {
        let mixed = (hash ^ (hash >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let block = ((mixed >> 32) * self.blocks.len() as u64) >> 32;
        // The highest bits choose the block; two of the lower ones choose the lane of each row.
        let lane = |row: usize| ((mixed >> (16 + 2 * row)) & 3) as usize;
        (block as usize, std::array::from_fn(|row| row * LANES + lane(row)))
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
            for _ in 0..=name % 3 {
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
