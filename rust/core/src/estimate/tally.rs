//! Exact counts by name: an array of cells, sorted by hash, with gaps.
//!
//! A name belongs at the place its hash scales to and lies there or shortly behind, in a run of cells without
//! gaps and in order. So a search ends at the first larger hash, found or not: it reads one or two cache lines
//! even where four of five places are taken. A removal closes its gap and leaves nothing behind.

use crate::room;

/// What is counted of one name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) hash: u64,
    /// Below 0: no name here.
    pub(super) count: f32,
    /// NaN when no cost is known.
    pub(super) mean_cost: f32,
}

const EMPTY: Cell = Cell { hash: 0, count: -1.0, mean_cost: f32::NAN };
const MIN_PLACES: usize = 16;
/// Places taken at most, in fifths.
const MOST_FIFTHS: usize = 4;
/// Cells behind the last place, for what is pushed out there; more are added at need.
const SLACK: usize = 16;

impl Cell {
    fn is_empty(&self) -> bool {
        self.count < 0.0
    }
}

/// Cells by hash; each count is at least 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// The last cell is empty.
    cells: Vec<Cell>,
    places: usize,
    len: usize,
}

impl Tally {
    /// Names that fit into `bytes`, at least 2.
    pub(super) fn limit(bytes: usize) -> usize {
        ((bytes / size_of::<Cell>()).saturating_sub(SLACK) * MOST_FIFTHS / 5).max(2)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, hash: u64) -> Option<&Cell> {
        let at = self.place(hash)?;
        self.cells.get(at).filter(|cell| cell.hash == hash && !cell.is_empty())
    }

    #[inline]
    pub(super) fn get_mut(&mut self, hash: u64) -> Option<&mut Cell> {
        let at = self.place(hash)?;
        self.cells.get_mut(at).filter(|cell| cell.hash == hash && !cell.is_empty())
    }

    /// Adds a name that is not there. The table stays within the memory for `limit` names.
    pub(super) fn insert(&mut self, new: Cell, limit: usize) {
        if (self.len + 1) * 5 > self.places * MOST_FIFTHS {
            let most = (limit * 5).div_ceil(MOST_FIFTHS);
            let enough = ((self.len + 1) * 5).div_ceil(MOST_FIFTHS);
            self.resize((self.places / 4 * 5).clamp(MIN_PLACES, most.max(MIN_PLACES)).max(enough));
        }
        let Some(at) = self.place(new.hash) else { return };
        let run = self.cells[at..].iter().take_while(|cell| !cell.is_empty()).count();
        if at + run + 1 == self.cells.len() {
            room::for_one(&mut self.cells);
            self.cells.push(EMPTY);
        }
        self.cells.copy_within(at..at + run, at + 1);
        self.cells[at] = new;
        self.len += 1;
    }

    /// Takes a name out.
    pub(super) fn remove(&mut self, hash: u64) -> Option<Cell> {
        let left = *self.get(hash)?;
        let at = self.place(hash)?;
        let after = &self.cells[at + 1..];
        let pushed =
            |&(behind, cell): &(usize, &Cell)| !cell.is_empty() && self.home(cell.hash) <= at + behind;
        let run = after.iter().enumerate().take_while(pushed).count();
        self.cells.copy_within(at + 1..=at + run, at);
        self.cells[at + run] = EMPTY;
        self.len -= 1;
        Some(left)
    }

    /// Keeps the names that `keeps` accepts.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&Cell) -> bool) {
        let mut next = 0;
        self.len = 0;
        for at in 0..self.cells.len() {
            let cell = std::mem::replace(&mut self.cells[at], EMPTY);
            if !cell.is_empty() && keeps(&cell) {
                // Never behind where it was: fewer come before it.
                next = next.max(self.home(cell.hash));
                self.cells[next] = cell;
                next += 1;
                self.len += 1;
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| !cell.is_empty())
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.cells.iter_mut().filter(|cell| !cell.is_empty())
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
    }

    /// Panics unless every name can be found.
    pub(super) fn check(&self) {
        assert_eq!(self.iter().count(), self.len, "names and their number");
        assert!(self.cells.last().is_none_or(Cell::is_empty), "the last cell is taken");
        for cell in self.iter() {
            assert!(cell.count.is_finite(), "a count out of range");
            assert!(self.get(cell.hash).is_some(), "a name that cannot be found");
        }
    }

    /// Where `hash` is, or would be inserted; `None` while there is no memory at all.
    #[inline]
    fn place(&self, hash: u64) -> Option<usize> {
        let home = self.home(hash);
        let run = self.cells.get(home..)?;
        let before = |cell: &&Cell| !cell.is_empty() && cell.hash < hash;
        Some(home + run.iter().take_while(before).count())
    }

    /// The upper half of the hash, scaled to the places: larger hashes lie further back.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (((hash >> 32) * self.places as u64) >> 32) as usize
    }

    fn resize(&mut self, places: usize) {
        let old = std::mem::replace(&mut self.cells, vec![EMPTY; places + SLACK]);
        self.places = places;
        let mut next = 0;
        for cell in old.into_iter().filter(|cell| !cell.is_empty()) {
            next = next.max(self.home(cell.hash));
            if next + 1 >= self.cells.len() {
                self.cells.push(EMPTY);
            }
            self.cells[next] = cell;
            next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn cell(hash: u64) -> Cell {
        Cell { hash, count: 1.0, mean_cost: f32::NAN }
    }

    proptest! {
        /// Hashes crowd at both ends, so that runs grow long and reach beyond the last place.
        #[test]
        fn behaves_like_a_sorted_map(
            ops in prop::collection::vec((0u64..40, 0u8..8), 0..500),
            limit in 40usize..60,
        ) {
            let hash = |name: u64| if name < 20 { name } else { u64::MAX - (name - 20) };
            let (mut tally, mut naive) = (Tally::default(), BTreeSet::new());
            for (name, op) in ops {
                let hash = hash(name);
                match op {
                    0..=3 if !naive.contains(&hash) => {
                        tally.insert(cell(hash), limit);
                        naive.insert(hash);
                    }
                    7 => {
                        tally.retain(|cell| cell.hash % 3 > 0);
                        naive.retain(|hash| hash % 3 > 0);
                    }
                    _ => prop_assert_eq!(tally.remove(hash).is_some(), naive.remove(&hash)),
                }
                tally.check();
                prop_assert!(tally.iter().map(|cell| cell.hash).eq(naive.iter().copied()));
            }
        }
    }

    #[test]
    fn memory_follows_the_names_up_to_the_limit() {
        let bytes = 64 * 1024;
        let (limit, mut tally) = (Tally::limit(bytes), Tally::default());
        assert!(limit * 21 > bytes - 1024, "{limit} names");
        for name in 0..limit as u64 {
            tally.insert(cell(name.wrapping_mul(0x9E37_79B9_7F4A_7C15)), limit);
            assert!(tally.heap_bytes() <= 28 * tally.len() + 1024);
        }
        tally.check();
        assert!(tally.heap_bytes() <= bytes, "{} bytes", tally.heap_bytes());
    }
}
