//! The flat engine: rows in slots, with codes of them where there are many. Nothing else has to be kept up.

use crate::codes::Codes;
use crate::metric::{Kernels, LANES};
use crate::rows::{Rows, Store};
use crate::search::{Scored, Search, best, scored};

/// From this many vectors on there are codes: scanning fewer rows exactly is as fast.
pub const CODED_FROM: usize = 128;
/// Below this many the codes go again; the gap keeps a collection at the border from building them over and over.
pub const EXACT_BELOW: usize = 64;

/// The centre moves when the mean has left it by this share of the vectors' mean square distance from the mean.
const DRIFT: f64 = 0.01;
/// Rows in slots, and codes of them where there are many.
pub(crate) struct Flat {
    rows: Rows,
    coded: Option<Box<About>>,
}

/// Codes, and where their centre should be.
struct About {
    codes: Codes,
    /// Of all rows as they are stored.
    sum: Vec<f64>,
    /// Rows that came or left since the centre was last looked at.
    changes: usize,
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
    pub(crate) fn push(&mut self, row: &mut [f32]) {
        let slot = self.rows.len();
        self.rows.push_empty();
        self.rows.write(slot, row);
        if let Some(about) = &mut self.coded {
            self.rows.read(slot, row);
            about.codes.push(row);
            about.moved(row, 1.0);
        }
        self.settle();
    }

    /// Puts a row of unit norm in the place of another.
    pub(crate) fn write(&mut self, slot: usize, row: &mut [f32]) {
        self.forget(slot);
        self.rows.write(slot, row);
        if let Some(about) = &mut self.coded {
            self.rows.read(slot, row);
            about.codes.write(slot, row);
            about.moved(row, 1.0);
        }
        self.settle();
    }

    /// The last row takes the slot of the one that leaves.
    pub(crate) fn swap_remove(&mut self, slot: usize) {
        self.forget(slot);
        self.rows.swap_remove(slot);
        if let Some(about) = &mut self.coded {
            about.codes.swap_remove(slot);
        }
        self.settle();
    }

    /// Takes the row in a slot out of the sum.
    fn forget(&mut self, slot: usize) {
        if let Some(about) = &mut self.coded {
            let mut row = vec![0.0; self.rows.width()];
            self.rows.read(slot, &mut row);
            about.moved(&row, -1.0);
        }
    }

    /// Makes, drops or centres the codes, where that is due.
    fn settle(&mut self) {
        let len = self.rows.len();
        let sum = match self.coded.take() {
            None if len >= CODED_FROM => self.sum(),
            None => return,
            Some(_) if len < EXACT_BELOW => return,
            Some(mut about) => {
                if !about.has_drifted(len) {
                    self.coded = Some(about);
                    return;
                }
                about.sum
            }
        };
        self.code_about(mean(&sum, len), sum);
    }

    /// Codes every row about `centre`.
    fn code_about(&mut self, centre: Vec<f32>, sum: Vec<f64>) {
        let mut codes = Codes::new(centre);
        codes.reserve(self.rows.len());
        self.each_row(|row| codes.push(row));
        self.coded = Some(Box::new(About { codes, sum, changes: 0 }));
    }

    fn sum(&self) -> Vec<f64> {
        let mut sum = vec![0.0; self.rows.width()];
        self.each_row(|row| sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value)));
        sum
    }

    fn each_row(&self, mut take: impl FnMut(&[f32])) {
        let mut row = vec![0.0; self.rows.width()];
        for slot in 0..self.rows.len() {
            self.rows.read(slot, &mut row);
            take(&row);
        }
    }

    /// The centre of the codes, where there are any.
    pub(crate) fn centre(&self) -> Option<&[f32]> {
        self.coded.as_ref().map(|about| about.codes.centre())
    }

    /// An engine over `rows` as they are, coded about `centre`.
    pub(crate) fn restored(rows: Rows, centre: Option<Vec<f32>>) -> Self {
        let mut flat = Self { rows, coded: None };
        if let Some(centre) = centre {
            let sum = flat.sum();
            flat.code_about(centre, sum);
        }
        flat
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
        if let Some(about) = &self.coded {
            return Search { kernels, rows, codes: &about.codes }.nearest(queries, k, floor);
        }
        let all = 0..u32::try_from(rows.len()).expect("the index checks its size");
        let exact = |query| best(k, scored(kernels, rows, query, all.clone()));
        queries.chunks_exact(rows.width()).map(exact).collect()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let coded = self.coded.as_ref().map_or(0, |about| about.memory_bytes());
        self.rows.memory_bytes() + coded
    }

    /// Panics unless every invariant holds.
    pub(crate) fn check(&self) {
        let len = self.rows.len();
        match &self.coded {
            None => assert!(len < CODED_FROM, "{len} vectors have codes"),
            Some(about) => {
                assert!(len >= EXACT_BELOW, "{len} vectors have none");
                let mut rows = Vec::new();
                self.each_row(|row| rows.push(row.to_vec()));
                about.codes.check(rows.iter().map(Vec::as_slice));
                let apart = about.sum.iter().zip(self.sum()).map(|(a, b)| (a - b).abs());
                assert!(apart.fold(0.0, f64::max) < 1e-6, "the sum is that of the rows");
                assert!(about.changes < interval(len) + LANES, "the centre is looked at in time");
            }
        }
    }
}

impl About {
    /// Notes that `row` came (1) or left (-1).
    fn moved(&mut self, row: &[f32], sign: f64) {
        self.changes += 1;
        self.sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += sign * f64::from(value));
    }

    /// Looks now and then whether the mean of `len` rows has left the centre.
    fn has_drifted(&mut self, len: usize) -> bool {
        if self.changes < interval(len) {
            return false;
        }
        self.changes = 0;
        let (mut apart, mut norm) = (0.0, 0.0);
        for (sum, &centre) in self.sum.iter().zip(self.codes.centre()) {
            let mean = sum / len as f64;
            apart += (mean - f64::from(centre)).powi(2);
            norm += mean * mean;
        }
        apart > DRIFT * (1.0 - norm).max(f64::EPSILON)
    }

    fn memory_bytes(&self) -> usize {
        self.codes.memory_bytes() + self.sum.capacity() * size_of::<f64>() + size_of::<Self>()
            - size_of::<Codes>()
    }
}

/// Changes between two looks at the mean.
fn interval(len: usize) -> usize {
    (len / 8).max(EXACT_BELOW)
}

fn mean(sum: &[f64], len: usize) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "a centre need not be exact")]
    sum.iter().map(|sum| (sum / len as f64) as f32).collect()
}
