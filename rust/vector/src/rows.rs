//! The vectors themselves, in the precision that was asked for.

use std::ops::Range;

use prefetch_index::prefetch_index;

use crate::metric::{Kernels, half};
use crate::room;

/// How a coordinate is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// 4 bytes, exact.
    F32,
    /// 2 bytes: similarities are off by some 1e-4.
    F16,
    /// 1 byte and a scale a vector: similarities are off by some 1e-3.
    I8,
}

/// Rows of one width, a multiple of 64.
pub(crate) struct Rows {
    width: usize,
    cells: Cells,
}

enum Cells {
    F32(Vec<f32>),
    F16(Vec<u16>),
    I8 { cells: Vec<i8>, scales: Vec<f32> },
}

const MOST_I8: f32 = 127.0;
const CACHE_LINE: usize = 64;

impl Rows {
    pub(crate) fn new(store: Store, width: usize) -> Self {
        let cells = match store {
            Store::F32 => Cells::F32(Vec::new()),
            Store::F16 => Cells::F16(Vec::new()),
            Store::I8 => Cells::I8 { cells: Vec::new(), scales: Vec::new() },
        };
        Self { width, cells }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn store(&self) -> Store {
        match self.cells {
            Cells::F32(_) => Store::F32,
            Cells::F16(_) => Store::F16,
            Cells::I8 { .. } => Store::I8,
        }
    }

    pub(crate) fn len(&self) -> usize {
        let cells = match &self.cells {
            Cells::F32(cells) => cells.len(),
            Cells::F16(cells) => cells.len(),
            Cells::I8 { cells, .. } => cells.len(),
        };
        cells / self.width
    }

    /// Appends a row of zeros.
    pub(crate) fn push_empty(&mut self) {
        let width = self.width;
        match &mut self.cells {
            Cells::F32(cells) => lengthen(cells, width),
            Cells::F16(cells) => lengthen(cells, width),
            Cells::I8 { cells, scales } => {
                lengthen(cells, width);
                lengthen(scales, 1);
            }
        }
    }

    /// Rounds `row` into its slot.
    pub(crate) fn write(&mut self, slot: usize, row: &[f32]) {
        let place = slot * self.width..(slot + 1) * self.width;
        match &mut self.cells {
            Cells::F32(cells) => cells[place].copy_from_slice(row),
            Cells::F16(cells) => {
                for (cell, &value) in cells[place].iter_mut().zip(row) {
                    *cell = half::from_f32(value);
                }
            }
            Cells::I8 { cells, scales } => {
                let most = row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                scales[slot] = most / MOST_I8;
                for (cell, &value) in cells[place].iter_mut().zip(row) {
                    #[expect(clippy::cast_possible_truncation, reason = "at most 127 in size")]
                    let rounded = (value * (MOST_I8 / most)).round() as i8;
                    *cell = rounded;
                }
            }
        }
    }

    /// What `write` kept.
    pub(crate) fn read(&self, slot: usize, row: &mut [f32]) {
        let place = slot * self.width..(slot + 1) * self.width;
        match &self.cells {
            Cells::F32(cells) => row.copy_from_slice(&cells[place]),
            Cells::F16(cells) => {
                for (value, &cell) in row.iter_mut().zip(&cells[place]) {
                    *value = half::to_f32(cell);
                }
            }
            Cells::I8 { cells, scales } => {
                for (value, &cell) in row.iter_mut().zip(&cells[place]) {
                    *value = f32::from(cell) * scales[slot];
                }
            }
        }
    }

    /// Inner product of `query` with the row in a slot, or with as many of its first coordinates as `query` has.
    #[inline]
    pub(crate) fn dot(&self, kernels: &Kernels, query: &[f32], slot: usize) -> f32 {
        let place = slot * self.width..slot * self.width + query.len();
        match &self.cells {
            Cells::F32(cells) => kernels.dot_f32(query, &cells[place]),
            Cells::F16(cells) => kernels.dot_f16(query, &cells[place]),
            Cells::I8 { cells, scales } => kernels.dot_i8(query, &cells[place]) * scales[slot],
        }
    }

    /// Asks for a row that will be read soon.
    #[inline]
    pub(crate) fn prefetch(&self, slot: usize) {
        self.prefetch_part(slot, 0..self.width);
    }

    /// Asks for some coordinates of a row.
    #[inline]
    pub(crate) fn prefetch_part(&self, slot: usize, part: Range<usize>) {
        fn lines<T>(cells: &[T], part: Range<usize>) {
            for at in part.step_by(CACHE_LINE / size_of::<T>()) {
                prefetch_index(cells, at);
            }
        }
        let from = slot * self.width;
        let part = from + part.start..from + part.end;
        match &self.cells {
            Cells::F32(cells) => lines(cells, part),
            Cells::F16(cells) => lines(cells, part),
            Cells::I8 { cells, .. } => lines(cells, part),
        }
    }

    /// The last row takes the slot of the one that leaves.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        let width = self.width;
        match &mut self.cells {
            Cells::F32(cells) => shorten(cells, slot, width),
            Cells::F16(cells) => shorten(cells, slot, width),
            Cells::I8 { cells, scales } => {
                shorten(cells, slot, width);
                shorten(scales, slot, 1);
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match &self.cells {
            Cells::F32(cells) => room::bytes(cells),
            Cells::F16(cells) => room::bytes(cells),
            Cells::I8 { cells, scales } => room::bytes(cells) + room::bytes(scales),
        }
    }

    /// Bytes of a row that [`Self::export`] writes.
    pub(crate) fn row_bytes(store: Store, width: usize) -> usize {
        match store {
            Store::F32 => 4 * width,
            Store::F16 => 2 * width,
            Store::I8 => width + size_of::<f32>(),
        }
    }

    /// Appends the row in a slot to `to`, in little endian.
    pub(crate) fn export(&self, slot: usize, to: &mut Vec<u8>) {
        let place = slot * self.width..(slot + 1) * self.width;
        match &self.cells {
            Cells::F32(cells) => to.extend(cells[place].iter().flat_map(|cell| cell.to_le_bytes())),
            Cells::F16(cells) => to.extend(cells[place].iter().flat_map(|cell| cell.to_le_bytes())),
            Cells::I8 { cells, scales } => {
                to.extend(scales[slot].to_le_bytes());
                to.extend(cells[place].iter().map(|cell| cell.cast_unsigned()));
            }
        }
    }

    /// Appends a row that [`Self::export`] wrote, of [`Self::row_bytes`].
    pub(crate) fn import(&mut self, bytes: &[u8]) {
        match &mut self.cells {
            Cells::F32(cells) => {
                cells.extend(bytes.as_chunks().0.iter().map(|&cell| f32::from_le_bytes(cell)));
            }
            Cells::F16(cells) => {
                cells.extend(bytes.as_chunks().0.iter().map(|&cell| u16::from_le_bytes(cell)));
            }
            Cells::I8 { cells, scales } => {
                let (scale, row) = bytes.split_first_chunk().expect("a row has its scale");
                scales.push(f32::from_le_bytes(*scale));
                cells.extend(row.iter().map(|cell| cell.cast_signed()));
            }
        }
    }

    /// Makes room for exactly `rows` more.
    pub(crate) fn reserve(&mut self, rows: usize) {
        match &mut self.cells {
            Cells::F32(cells) => cells.reserve_exact(rows * self.width),
            Cells::F16(cells) => cells.reserve_exact(rows * self.width),
            Cells::I8 { cells, scales } => {
                cells.reserve_exact(rows * self.width);
                scales.reserve_exact(rows);
            }
        }
    }
}

fn lengthen<T: Clone + Default>(cells: &mut Vec<T>, by: usize) {
    room::grow(cells, by);
    cells.resize(cells.len() + by, T::default());
}

fn shorten<T: Copy>(cells: &mut Vec<T>, slot: usize, width: usize) {
    let last = cells.len() - width;
    cells.copy_within(last.., slot * width);
    cells.truncate(last);
    room::shrink(cells);
}
