//! Where vectors lie close together: looked for around a few of them, so that a crowd is met by its share of all.

use crate::cells::Cell;
use crate::metric::Kernels;
use crate::rotation::mixed;
use crate::rows::Rows;
use crate::search::nearby;

/// Vectors around which a crowd is looked for, each time.
const TRIES: u64 = 96;
/// From how few vectors on it is worth the look.
const LEAST_OF_ALL: usize = 4;
/// What is at least as similar to one in a crowd, about the centre of all, is taken to be in it.
const ALIKE: f32 = 0.7;
/// Vectors whose mean is the first guess of a centre.
const GUESSED_BY: usize = 256;
/// The border of a cell, over the mean square distance from its centre.
const MARGIN: f32 = 1.5;
/// A cell's border, by the square, over the mean square distance of all from their centre: what is no nearer than that
/// gains nothing.
const TIGHT: f32 = 0.5;

/// Rows that lie close together.
pub(crate) struct Found {
    /// Their centre.
    pub(crate) centre: Vec<f32>,
    /// How far they are from it at the most, by the square.
    pub(crate) reach: f32,
    pub(crate) slots: Vec<u32>,
}

impl Found {
    /// The next crowd of at least so many in `cell`, with `turn` counting the tries.
    pub(crate) fn next(
        kernels: &Kernels,
        rows: &Rows,
        cell: &Cell,
        least: usize,
        turn: &mut u64,
    ) -> Option<Self> {
        while *turn < TRIES && cell.codes.len() >= LEAST_OF_ALL * least {
            let at = mixed((cell.codes.len() as u64) << 16 | *turn) % cell.codes.len() as u64;
            *turn += 1;
            let slot = cell.slot(u32::try_from(at).expect("a place in the cell"));
            let mut row = vec![0.0; rows.width()];
            rows.read(slot as usize, &mut row);
            let found = Self::around(kernels, rows, cell, least, &row);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn around(kernels: &Kernels, rows: &Rows, cell: &Cell, least: usize, row: &[f32]) -> Option<Self> {
        let alike = nearby(kernels, cell, row, |codes, _| codes.expected(ALIKE));
        if alike.len() < least {
            return None;
        }
        let mut sum = vec![0.0_f32; rows.width()];
        let guessed: Vec<u32> = alike.iter().copied().step_by(alike.len().div_ceil(GUESSED_BY)).collect();
        let mut other = vec![0.0; rows.width()];
        for &at in &guessed {
            rows.read(cell.slot(at) as usize, &mut other);
            sum.iter_mut().zip(&other).for_each(|(sum, value)| *sum += value);
        }
        let centre: Vec<f32> = sum.iter().map(|sum| sum / guessed.len() as f32).collect();
        let norm = kernels.dot_f32(&centre, &centre);
        let reach = MARGIN * (1.0 - norm);
        if !(reach <= TIGHT * (1.0 - cell.codes.norm()) && reach > 0.0) {
            return None;
        }
        // A vector at the border has this inner product with the centre, and no less one within it.
        let least_product = f32::midpoint(1.0 + norm, -reach);
        let near = nearby(kernels, cell, &centre, |codes, own| codes.reach(own, None, least_product, 0.0));
        let within = |slot: &u32| 1.0 + norm - 2.0 * rows.dot(kernels, &centre, *slot as usize) <= reach;
        let slots: Vec<u32> = near.into_iter().map(|at| cell.slot(at)).filter(within).collect();
        (slots.len() >= least).then_some(Self { centre, reach, slots })
    }
}
