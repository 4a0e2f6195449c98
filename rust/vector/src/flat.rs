//! The flat engine: rows in slots, with codes of them where there are many. Nothing else has to be kept up.

use crate::cells::Cells;
use crate::metric::Kernels;
use crate::rows::{Rows, Store};
use crate::search::{Scored, Search, best, scored};

/// From this many vectors on there are codes: scanning fewer rows exactly is as fast.
pub const CODED_FROM: usize = 128;
/// Below this many the codes go again; the gap keeps a collection at the border from building them over and over.
pub const EXACT_BELOW: usize = 64;

/// Rows in slots, and codes of them where there are many.
pub(crate) struct Flat {
    rows: Rows,
    coded: Option<Box<Cells>>,
}

impl Flat {
    pub(crate) fn new(store: Store, width: usize) -> Self {
        Self { rows: Rows::new(store, width), coded: None }
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The rows, without their codes.
    pub(crate) fn into_rows(self) -> Rows {
        self.rows
    }

    /// An engine over `rows` as they are.
    pub(crate) fn over(rows: Rows) -> Self {
        let mut flat = Self { rows, coded: None };
        flat.settle();
        flat
    }

    /// Appends a row of unit norm.
    pub(crate) fn push(&mut self, kernels: &Kernels, row: &mut [f32]) {
        let slot = self.rows.len();
        self.rows.push_empty();
        self.rows.write(slot, row);
        if let Some(cells) = &mut self.coded {
            self.rows.read(slot, row);
            cells.push(kernels, &self.rows, row);
        }
        self.settle();
    }

    /// Puts a row of unit norm in the place of another.
    pub(crate) fn write(&mut self, kernels: &Kernels, slot: usize, row: &mut [f32]) {
        let old = self.row(slot);
        self.rows.write(slot, row);
        if let Some(cells) = &mut self.coded {
            self.rows.read(slot, row);
            cells.write(kernels, &self.rows, slot, &old, row);
        }
    }

    /// The last row takes the slot of the one that leaves.
    pub(crate) fn swap_remove(&mut self, kernels: &Kernels, slot: usize) {
        let old = self.row(slot);
        self.rows.swap_remove(slot);
        if let Some(cells) = &mut self.coded {
            cells.swap_remove(kernels, &self.rows, slot, &old);
        }
        self.settle();
    }

    fn row(&self, slot: usize) -> Vec<f32> {
        let mut row = vec![0.0; self.rows.width()];
        self.rows.read(slot, &mut row);
        row
    }

    /// Makes or drops the codes, where that is due.
    fn settle(&mut self) {
        match &self.coded {
            None if self.rows.len() >= CODED_FROM => self.coded = Some(Box::new(Cells::of(&self.rows))),
            Some(_) if self.rows.len() < EXACT_BELOW => self.coded = None,
            _ => (),
        }
    }

    /// Centre and border of each cell of the codes, where there are any.
    pub(crate) fn centres(&self) -> impl ExactSizeIterator<Item = (&[f32], f32)> {
        let cells = self.coded.as_ref().map_or(&[][..], |cells| cells.all());
        cells.iter().map(|cell| (cell.codes.centre(), cell.reach()))
    }

    /// An engine over `rows` as they are, coded in cells about these centres.
    pub(crate) fn restored(kernels: &Kernels, rows: Rows, centres: Vec<(Vec<f32>, f32)>) -> Self {
        let some = !centres.is_empty();
        let coded = some.then(|| Box::new(Cells::restored(kernels, &rows, centres)));
        Self { rows, coded }
    }

    /// The `k` most similar rows to each of `queries`, which lie one after the other, the most similar first; what is
    /// less similar than `floor` need not be the most similar.
    pub(crate) fn search(
        &self,
        kernels: &Kernels,
        queries: &[f32],
        k: usize,
        floor: f32,
    ) -> Vec<Vec<Scored>> {
        let rows = &self.rows;
        if let Some(cells) = &self.coded {
            let search = Search { kernels, rows, cells };
            return queries.chunks_exact(rows.width()).map(|query| search.nearest(query, k, floor)).collect();
        }
        let all = 0..u32::try_from(rows.len()).expect("the index checks its size");
        let exact = |query| best(k, scored(kernels, rows, query, all.clone()));
        queries.chunks_exact(rows.width()).map(exact).collect()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.coded.as_ref().map_or(0, |cells| cells.memory_bytes())
    }

    /// Panics unless every invariant holds.
    pub(crate) fn check(&self) {
        let len = self.rows.len();
        match &self.coded {
            None => assert!(len < CODED_FROM, "{len} vectors have codes"),
            Some(cells) => {
                assert!(len >= EXACT_BELOW, "{len} vectors have none");
                cells.check(&self.rows);
            }
        }
    }
}
