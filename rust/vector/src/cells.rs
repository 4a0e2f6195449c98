//! Rows in cells, each coded about a centre of its own.
//!
//! A code tells vectors apart by what is left of them when the centre is taken away. Where hundreds lie close
//! together that is little about the centre of all, so they have a cell of their own: its codes err by as much less
//! as its vectors lie nearer to its centre. What lies in no such cell lies in the first, which has no border.
//!
//! Cells are made and given up by what is held now, so none outlives what it was made for.

use crate::codes::Codes;
use crate::dense::Found;
use crate::metric::{Kernels, LANES};
use crate::room;
use crate::rows::Rows;

/// The cell of what no other cell takes.
pub(crate) const REST: usize = 0;
/// The centre moves when the mean has left it by this share of the vectors' mean square distance from the mean.
const DRIFT: f64 = 0.01;
/// Changes of a small cell between two looks at it.
const FEW: usize = 64;
/// A cell of its own has so many vectors when it is made, or this share of all if that is more; below half as many
/// it is given up.
const MEMBERS: usize = 256;
/// Half of one standard deviation of the square of a distance from a centre in some fifty dimensions, as a share.
const SPREAD: f32 = 0.1;
pub(crate) const MOST_CELLS: usize = 512;

/// Codes of all rows, cell by cell.
pub(crate) struct Cells {
    all: Vec<Cell>,
    /// Where the code of each slot's row is; none while there is one cell alone, which has them in order.
    places: Vec<Place>,
}

/// Rows that are coded about one centre.
pub(crate) struct Cell {
    pub(crate) codes: Codes,
    /// Whose codes these are; none while there is one cell alone.
    slots: Vec<u32>,
    /// Of all rows as they are stored.
    sum: Vec<f64>,
    /// Rows that came or left since the centre was last looked at.
    changes: usize,
    /// No row is further from the centre, by the square.
    reach: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    cell: u32,
    at: u32,
}

impl Cells {
    /// One cell with the codes of all `rows`, about their mean.
    pub(crate) fn of(rows: &Rows) -> Self {
        let mut first = Cell::empty(vec![0.0; rows.width()], f32::INFINITY);
        each_row(rows, |row| first.moved(row, 1.0));
        first.codes = Codes::new(first.mean(rows.len()));
        first.codes.reserve(rows.len());
        each_row(rows, |row| first.codes.push(row));
        first.changes = 0;
        Self { all: vec![first], places: Vec::new() }
    }

    /// The codes of all `rows`, about the `centres` of cells with these borders, that of the rest first.
    pub(crate) fn restored(kernels: &Kernels, rows: &Rows, centres: Vec<(Vec<f32>, f32)>) -> Self {
        let all = centres.into_iter().map(|(centre, reach)| Cell::empty(centre, reach)).collect();
        let mut cells = Self { all, places: Vec::new() };
        let mut slot = 0;
        each_row(rows, |row| {
            cells.take(cells.cell_for(kernels, row), slot, row);
            slot += 1;
        });
        cells.all.iter_mut().for_each(|cell| cell.changes = 0);
        cells
    }

    pub(crate) fn all(&self) -> &[Cell] {
        &self.all
    }

    /// Appends the code of `row`.
    pub(crate) fn push(&mut self, kernels: &Kernels, rows: &Rows, row: &[f32]) {
        let (cell, slot) = (self.cell_for(kernels, row), rows.len() - 1);
        self.take(cell, slot, row);
        self.look(kernels, rows, cell);
    }

    /// Puts the code of `row` in the place of that of `old`.
    pub(crate) fn write(&mut self, kernels: &Kernels, rows: &Rows, slot: usize, old: &[f32], row: &[f32]) {
        let (from, to) = (self.cell_of(slot), self.cell_for(kernels, row));
        if from == to {
            let at = self.place(slot).at as usize;
            self.all[to].codes.write(at, row);
            self.all[to].moved(old, -1.0);
            self.all[to].moved(row, 1.0);
        } else {
            self.let_go(slot, old);
            self.take(to, slot, row);
            self.look(kernels, rows, from);
        }
        let to = self.cell_of(slot);
        self.look(kernels, rows, to);
    }

    /// Takes out the code of `old`, which has left its slot to the last.
    pub(crate) fn swap_remove(&mut self, kernels: &Kernels, rows: &Rows, slot: usize, old: &[f32]) {
        let cell = self.cell_of(slot);
        self.let_go(slot, old);
        if !self.places.is_empty() {
            self.places.swap_remove(slot);
            room::shrink(&mut self.places);
            if let Some(&Place { cell, at }) = self.places.get(slot) {
                self.all[cell as usize].slots[at as usize] = number(slot);
            }
        }
        self.look(kernels, rows, cell);
    }

    /// Which cell takes `row`: the nearest of those within whose border it lies.
    fn cell_for(&self, kernels: &Kernels, row: &[f32]) -> usize {
        let (mut nearest, mut least) = (REST, f32::INFINITY);
        for (number, cell) in self.all.iter().enumerate().skip(1) {
            let apart = cell.codes.apart(kernels, row);
            if apart <= cell.reach && apart < least {
                (nearest, least) = (number, apart);
            }
        }
        nearest
    }

    fn place(&self, slot: usize) -> Place {
        self.places.get(slot).copied().unwrap_or(Place { cell: 0, at: number(slot) })
    }

    fn cell_of(&self, slot: usize) -> usize {
        self.place(slot).cell as usize
    }

    /// Takes `row` into a cell.
    fn take(&mut self, number_of: usize, slot: usize, row: &[f32]) {
        let several = self.all.len() > 1;
        let cell = &mut self.all[number_of];
        cell.codes.push(row);
        cell.moved(row, 1.0);
        if several {
            room::grow(&mut cell.slots, 1);
            cell.slots.push(number(slot));
            let place = Place { cell: number(number_of), at: number(cell.slots.len() - 1) };
            if slot < self.places.len() {
                self.places[slot] = place;
            } else {
                room::grow(&mut self.places, 1);
                self.places.push(place);
            }
        }
    }

    /// Takes `row` out of the cell that it is in.
    fn let_go(&mut self, slot: usize, row: &[f32]) {
        let Place { cell, at } = self.place(slot);
        let cell = &mut self.all[cell as usize];
        cell.codes.swap_remove(at as usize);
        cell.moved(row, -1.0);
        if !self.places.is_empty() {
            cell.slots.swap_remove(at as usize);
            room::shrink(&mut cell.slots);
            if let Some(&moved) = cell.slots.get(at as usize) {
                self.places[moved as usize].at = at;
            }
        }
    }

    /// Sees, where that is due, whether a cell is still what it should be.
    fn look(&mut self, kernels: &Kernels, rows: &Rows, number: usize) {
        let cell = &mut self.all[number];
        if cell.changes < interval(cell.codes.len()) {
            return;
        }
        if cell.has_drifted() {
            self.centre_anew(kernels, rows, number);
        }
        self.all[number].changes = 0;
        if number == REST {
            self.find_dense(kernels, rows);
        } else if self.all[number].codes.len() < members(rows.len()) / 2 {
            self.give_up(rows, number);
        }
        if number != REST {
            self.look(kernels, rows, REST); // it may have taken many in
        }
    }

    /// Codes a cell about its mean; what then lies without its border goes to the rest.
    fn centre_anew(&mut self, kernels: &Kernels, rows: &Rows, number_of: usize) {
        let cell = &mut self.all[number_of];
        let fresh = Cell::empty(cell.mean(cell.codes.len()), cell.reach);
        let old = std::mem::replace(cell, fresh);
        cell.codes.reserve(old.codes.len());
        let mut row = vec![0.0; rows.width()];
        for at in 0..old.codes.len() {
            let slot = old.slots.get(at).copied().unwrap_or(number(at));
            rows.read(slot as usize, &mut row);
            let cell = &self.all[number_of];
            let stays = number_of == REST || cell.codes.apart(kernels, &row) <= cell.reach;
            self.take(if stays { number_of } else { REST }, slot as usize, &row);
        }
    }

    /// Gives a cell's rows to the rest.
    fn give_up(&mut self, rows: &Rows, number_of: usize) {
        let gone = self.all.swap_remove(number_of);
        if let Some(moved) = self.all.get(number_of) {
            moved.slots.iter().for_each(|&slot| self.places[slot as usize].cell = number(number_of));
        }
        if self.all.len() == 1 {
            *self = Self::of(rows);
            return;
        }
        let mut row = vec![0.0; rows.width()];
        for &slot in &gone.slots {
            rows.read(slot as usize, &mut row);
            self.take(REST, slot as usize, &row);
        }
    }

    /// Makes a cell of its own for each crowd that is met in the rest.
    fn find_dense(&mut self, kernels: &Kernels, rows: &Rows) {
        let least = members(rows.len());
        let mut turn = 0;
        while self.all.len() < MOST_CELLS
            && let Some(found) = Found::next(kernels, rows, &self.all[REST], least, &mut turn)
        {
            self.part(rows, found);
        }
    }

    /// Moves what was found into a cell of its own.
    fn part(&mut self, rows: &Rows, found: Found) {
        if self.places.is_empty() {
            let slots: Vec<u32> = (0..number(rows.len())).collect();
            self.places = slots.iter().map(|&at| Place { cell: number(REST), at }).collect();
            self.all[REST].slots = slots;
        }
        room::grow(&mut self.all, 1);
        let mut cell = Cell::empty(found.centre, found.reach);
        cell.codes.reserve(found.slots.len());
        cell.slots.reserve_exact(found.slots.len());
        self.all.push(cell);
        let to = self.all.len() - 1;
        let mut row = vec![0.0; rows.width()];
        for slot in found.slots {
            rows.read(slot as usize, &mut row);
            self.let_go(slot as usize, &row);
            self.take(to, slot as usize, &row);
        }
        self.all[to].changes = 0;
        self.all[REST].changes = 0;
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let apart = |cell: &Cell| {
            cell.codes.memory_bytes() - size_of::<Codes>()
                + room::bytes(&cell.slots)
                + cell.sum.capacity() * size_of::<f64>()
        };
        let cells: usize = self.all.iter().map(apart).sum();
        size_of::<Self>() + room::bytes(&self.all) + room::bytes(&self.places) + cells
    }

    /// Panics unless every invariant holds.
    pub(crate) fn check(&self, rows: &Rows) {
        let several = self.all.len() > 1;
        assert_eq!(self.places.len(), if several { rows.len() } else { 0 }, "a place a row");
        assert_eq!(self.all.iter().map(|cell| cell.codes.len()).sum::<usize>(), rows.len(), "a code a row");
        for (number_of, cell) in self.all.iter().enumerate() {
            assert_eq!(cell.slots.len(), if several { cell.codes.len() } else { 0 }, "a slot a code");
            for (at, &slot) in cell.slots.iter().enumerate() {
                let place = Place { cell: number(number_of), at: number(at) };
                assert_eq!(self.places[slot as usize], place, "slot {slot} is found where it lies");
            }
            cell.check(rows);
        }
        assert!(self.all[REST].reach.is_infinite(), "the rest has no border");
    }
}

impl Cell {
    fn empty(centre: Vec<f32>, reach: f32) -> Self {
        let sum = vec![0.0; centre.len()];
        Self { codes: Codes::new(centre), slots: Vec::new(), sum, changes: 0, reach }
    }

    /// Whose the code in a place is.
    #[inline]
    pub(crate) fn slot(&self, at: u32) -> u32 {
        self.slots.get(at as usize).copied().unwrap_or(at)
    }

    /// How far a row can be from the centre, by the square.
    pub(crate) fn reach(&self) -> f32 {
        self.reach
    }

    /// By how much the squares of the rows' distances from the centre differ, as a share: in a cell with a border that
    /// decides how far a code may lie; about the centre of all the angles do.
    pub(crate) fn spread(&self) -> f32 {
        if self.reach.is_finite() { SPREAD } else { 0.0 }
    }

    /// Notes that `row` came (1) or left (-1).
    fn moved(&mut self, row: &[f32], sign: f64) {
        self.changes += 1;
        self.sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += sign * f64::from(value));
    }

    fn mean(&self, len: usize) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "a centre need not be exact")]
        self.sum.iter().map(|sum| (sum / len.max(1) as f64) as f32).collect()
    }

    /// Whether the mean has left the centre.
    fn has_drifted(&self) -> bool {
        let (mut apart, mut norm) = (0.0, 0.0);
        for (sum, &centre) in self.sum.iter().zip(self.codes.centre()) {
            let mean = sum / self.codes.len().max(1) as f64;
            apart += (mean - f64::from(centre)).powi(2);
            norm += mean * mean;
        }
        apart > DRIFT * (1.0 - norm).max(f64::EPSILON)
    }

    fn check(&self, rows: &Rows) {
        let (mut sum, mut held) = (vec![0.0; rows.width()], Vec::new());
        for at in 0..self.codes.len() {
            let mut row = vec![0.0; rows.width()];
            rows.read(self.slot(number(at)) as usize, &mut row);
            sum.iter_mut().zip(&row).for_each(|(sum, &value)| *sum += f64::from(value));
            let apart = self.codes.apart(crate::metric::available()[0], &row);
            assert!(apart <= self.reach + 1e-4, "a row lies within the border");
            held.push(row);
        }
        self.codes.check(held.iter().map(Vec::as_slice));
        let apart = self.sum.iter().zip(sum).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f64::max) < 1e-6, "the sum is that of the rows");
        assert!(self.changes < interval(self.codes.len()) + LANES, "the centre is looked at in time");
    }
}

/// Changes between two looks at a cell.
fn interval(len: usize) -> usize {
    (len / 8).max(FEW)
}

/// How many vectors a cell of its own has at the least when it is made, of so many in all.
fn members(len: usize) -> usize {
    MEMBERS.max(len / MOST_CELLS)
}

fn each_row(rows: &Rows, mut take: impl FnMut(&[f32])) {
    let mut row = vec![0.0; rows.width()];
    for slot in 0..rows.len() {
        rows.read(slot, &mut row);
        take(&row);
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("the index checks its size")
}
