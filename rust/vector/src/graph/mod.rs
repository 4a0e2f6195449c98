//! The graph engine: a hierarchy of navigable graphs (Malkov and Yashunin, 2016, arXiv 1603.09320) that lives
//! under permanent turnover.
//!
//! It differs from the paper in three things. Links have no direction, so a node that leaves knows who pointed at
//! it. Every change keeps each level in one piece, so that every node can be reached after any history. And a walk
//! looks at a code of one bit a coordinate before it reads a row: most rows are ruled out by their codes.

mod bytes;
mod check;
mod find;
mod guide;
mod insert;
mod levels;
mod links;
mod lists;
mod remove;
mod search;

pub(crate) use levels::{MOST as MOST_LEVELS, level};

pub(crate) use guide::Codes;

use crate::graph::links::Links;
use crate::metric::Kernels;
use crate::rows::Rows;

/// Links of a node on the lowest level, at most.
pub(crate) const BOUND: usize = 24;
/// Links a new node looks for, and at most on the levels above.
pub(crate) const WANTED: usize = 16;
/// Nodes among which it looks for them.
const BUILD: usize = 100;
/// Rows of more bytes have codes: one of so many is as quickly fetched as its code.
const SHORT: usize = 256;
/// The codes' centre moves when the mean has left it by this share of the vectors' mean square distance from it.
const DRIFT: f64 = 0.01;

/// Nodes that a walk for the best `k` keeps in view unless it is told.
pub(crate) fn effort_for(k: usize) -> usize {
    128 + 4 * k
}

/// Links between rows, which lie elsewhere; node n is row n.
pub(crate) struct Graph {
    /// The lowest first. None is empty but the lowest.
    levels: Vec<Links>,
    /// Where a walk starts: a node of the highest level.
    entry: u32,
    coded: Option<Box<Coded>>,
}

/// Codes, and where their centre should be.
struct Coded {
    codes: Codes,
    sum: Vec<f64>,
    changes: usize,
}

impl Graph {
    /// A graph of no nodes, for rows such as `rows`.
    pub(crate) fn new(rows: &Rows) -> Self {
        let width = rows.width();
        let coded = (Rows::row_bytes(rows.store(), width) > SHORT).then(|| {
            Box::new(Coded { codes: Codes::new(vec![0.0; width]), sum: vec![0.0; width], changes: 0 })
        });
        Self { levels: vec![Links::of_all(BOUND)], entry: 0, coded }
    }

    /// Nodes.
    pub(crate) fn len(&self) -> usize {
        self.levels[0].len()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let levels: usize = self.levels.iter().map(Links::memory_bytes).sum();
        let coded = self.coded.as_ref().map_or(0, |coded| coded.memory_bytes());
        size_of::<Self>() + self.levels.capacity() * size_of::<Links>() + levels + coded
    }

    /// The centre of the codes, where there are any.
    pub(crate) fn centre(&self) -> Option<&[f32]> {
        self.coded.as_ref().map(|coded| coded.codes.centre())
    }

    /// Notes that a row came into the place of `node`, which may be the next.
    fn coded_in(&mut self, rows: &Rows, node: u32, row: &[f32]) {
        let Some(coded) = &mut self.coded else { return };
        if node as usize == coded.codes.len() {
            coded.codes.push(row);
        } else {
            coded.codes.write(node as usize, row);
        }
        coded.moved(row, 1.0);
        coded.settle(rows);
    }
}

impl Coded {
    /// Notes that `row` came (1) or left (-1).
    fn moved(&mut self, row: &[f32], sign: f64) {
        self.changes += 1;
        self.sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += sign * f64::from(value));
    }

    /// Codes all anew where the mean has left the centre; looked at after every change of an eighth.
    fn settle(&mut self, rows: &Rows) {
        let len = self.codes.len();
        if self.changes < (len / 8).max(64) {
            return;
        }
        self.changes = 0;
        let (mut apart, mut norm) = (0.0, 0.0);
        for (sum, &centre) in self.sum.iter().zip(self.codes.centre()) {
            let mean = sum / len as f64;
            apart += (mean - f64::from(centre)).powi(2);
            norm += mean * mean;
        }
        if apart > DRIFT * (1.0 - norm).max(f64::EPSILON) {
            #[expect(clippy::cast_possible_truncation, reason = "a centre need not be exact")]
            let centre = self.sum.iter().map(|sum| (sum / len as f64) as f32).collect();
            self.code_about(centre, rows, len);
        }
    }

    /// Codes the first `nodes` rows about `centre`.
    fn code_about(&mut self, centre: Vec<f32>, rows: &Rows, nodes: usize) {
        let mut codes = Codes::new(centre);
        codes.reserve(nodes.max(self.codes.len()));
        let mut row = vec![0.0; rows.width()];
        for node in 0..nodes {
            rows.read(node, &mut row);
            codes.push(&row);
        }
        self.codes = codes;
    }

    fn memory_bytes(&self) -> usize {
        self.codes.memory_bytes() + self.sum.capacity() * size_of::<f64>() + size_of::<Self>()
            - size_of::<Codes>()
    }
}

/// A row as numbers.
fn read(rows: &Rows, node: u32) -> Vec<f32> {
    let mut row = vec![0.0; rows.width()];
    rows.read(node as usize, &mut row);
    row
}

/// Inner product of a row read before and one in its place.
#[inline]
fn dot(rows: &Rows, kernels: &Kernels, row: &[f32], node: u32) -> f32 {
    rows.dot(kernels, row, node as usize)
}
