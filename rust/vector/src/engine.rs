//! Two engines, one at a time or, while one grows beside the other, both.

use crate::flat::Flat;
use crate::graph::{self, Graph};
use crate::ids::Ids;
use crate::metric::Kernels;
use crate::rows::{Rows, Store};
use crate::search::Scored;

/// Which engine searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Flat while a collection is small, a graph when it has grown.
    #[default]
    Auto,
    /// Looks at every code.
    Flat,
    /// Walks a graph.
    Hnsw,
}

/// Rows already held that a graph takes in when a vector comes or leaves, while it grows beside the flat engine.
const STEP: usize = 4;

/// What a search has to be good for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Nodes that a graph keeps in view; `None` is what is usual for so many results.
    pub(crate) effort: Option<usize>,
    /// Similarity below which the flat engine need not find the nearest.
    pub(crate) floor: f32,
}

/// Rows, and what finds them.
pub(crate) enum Engine {
    /// Looks at every code.
    Flat(Flat),
    /// Looks at every code, and a graph of the first rows grows meanwhile.
    Growing(Box<(Flat, Graph)>),
    /// Walks a graph of all rows.
    Graph(Box<(Rows, Graph)>),
}

/// What an engine needs to know of the index.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) kernels: &'a Kernels,
    pub(crate) choice: Choice,
    /// From so many vectors on `Choice::Auto` walks a graph.
    pub(crate) crossing: usize,
}

impl Engine {
    pub(crate) fn new(choice: Choice, store: Store, width: usize) -> Self {
        if choice == Choice::Hnsw {
            let rows = Rows::new(store, width);
            let graph = Graph::new(&rows);
            return Self::Graph(Box::new((rows, graph)));
        }
        Self::Flat(Flat::new(store, width))
    }

    pub(crate) fn rows(&self) -> &Rows {
        match self {
            Self::Flat(flat) => flat.rows(),
            Self::Growing(both) => both.0.rows(),
            Self::Graph(both) => &both.0,
        }
    }

    /// Appends a row of unit norm, whose id `ids` has as its last.
    pub(crate) fn push(&mut self, context: Context<'_>, ids: &Ids, row: &mut [f32]) {
        let slot = self.rows().len();
        match self {
            Self::Flat(flat) => flat.push(context.kernels, row),
            Self::Growing(both) => both.0.push(context.kernels, row),
            Self::Graph(both) => {
                let (rows, graph) = &mut **both;
                rows.push_empty();
                rows.write(slot, row);
                graph.insert(rows, context.kernels, number(slot), level_of(ids, slot));
            }
        }
        self.settle(context, ids);
    }

    /// Puts a row of unit norm in the place of another.
    pub(crate) fn write(&mut self, context: Context<'_>, ids: &Ids, slot: usize, row: &mut [f32]) {
        let level = level_of(ids, slot);
        match self {
            Self::Flat(flat) => flat.write(context.kernels, slot, row),
            Self::Growing(both) => {
                let (flat, graph) = &mut **both;
                let known = slot < graph.len();
                if known {
                    graph.empty(flat.rows(), context.kernels, number(slot));
                }
                flat.write(context.kernels, slot, row);
                if known {
                    graph.insert(flat.rows(), context.kernels, number(slot), level);
                }
            }
            Self::Graph(both) => {
                let (rows, graph) = &mut **both;
                graph.empty(rows, context.kernels, number(slot));
                rows.write(slot, row);
                graph.insert(rows, context.kernels, number(slot), level);
            }
        }
        self.settle(context, ids);
    }

    /// The last row takes the slot of the one that leaves, as in `ids` it did already.
    pub(crate) fn swap_remove(&mut self, context: Context<'_>, ids: &Ids, slot: usize) {
        match self {
            Self::Flat(flat) => flat.swap_remove(context.kernels, slot),
            Self::Growing(both) => {
                let (flat, graph) = &mut **both;
                let (known, all) = (slot < graph.len(), graph.len() == flat.rows().len());
                if known {
                    graph.empty(flat.rows(), context.kernels, number(slot));
                }
                if known && all {
                    graph.close(number(slot));
                }
                flat.swap_remove(context.kernels, slot);
                if known && !all {
                    // The row that comes into the slot was in no graph yet.
                    graph.insert(flat.rows(), context.kernels, number(slot), level_of(ids, slot));
                }
            }
            Self::Graph(both) => {
                let (rows, graph) = &mut **both;
                graph.empty(rows, context.kernels, number(slot));
                graph.close(number(slot));
                rows.swap_remove(slot);
            }
        }
        self.settle(context, ids);
    }

    /// Lets a graph begin, grow, take over or go, where that is due. The gap of a half keeps a collection at the
    /// crossing from changing its engine over and over.
    pub(crate) fn settle(&mut self, Context { kernels, choice, crossing }: Context<'_>, ids: &Ids) {
        if choice != Choice::Auto {
            return;
        }
        let len = ids.len();
        if len < crossing / 2 {
            self.flatten();
            return;
        }
        if let Self::Flat(flat) = self
            && len >= crossing
        {
            let graph = Graph::new(flat.rows());
            let flat = std::mem::replace(flat, Flat::new(Store::F32, 64));
            *self = Self::Growing(Box::new((flat, graph)));
        }
        if let Self::Growing(both) = self {
            let (flat, graph) = &mut **both;
            for slot in (graph.len()..len).take(STEP) {
                graph.insert(flat.rows(), kernels, number(slot), level_of(ids, slot));
            }
            if graph.len() == len {
                self.take_over();
            }
        }
    }

    /// Leaves all to the flat engine.
    fn flatten(&mut self) {
        if matches!(self, Self::Flat(_)) {
            return;
        }
        *self = match std::mem::replace(self, Self::Flat(Flat::new(Store::F32, 64))) {
            Self::Growing(both) => Self::Flat(both.0),
            Self::Graph(both) => Self::Flat(Flat::over(both.0)),
            flat @ Self::Flat(_) => flat,
        };
    }

    /// Leaves all to the graph, which has grown.
    fn take_over(&mut self) {
        *self = match std::mem::replace(self, Self::Flat(Flat::new(Store::F32, 64))) {
            Self::Growing(both) => Self::Graph(Box::new((both.0.into_rows(), both.1))),
            other => other,
        };
    }

    /// The `k` most similar rows to each of `queries`, which lie one after the other, the most similar first.
    pub(crate) fn search(
        &self,
        kernels: &Kernels,
        queries: &[f32],
        k: usize,
        wanted: Wanted,
    ) -> Vec<Vec<Scored>> {
        match self {
            Self::Flat(flat) => flat.search(kernels, queries, k, wanted.floor),
            Self::Growing(both) => both.0.search(kernels, queries, k, wanted.floor),
            Self::Graph(both) => {
                let effort = wanted.effort.unwrap_or_else(|| graph::effort_for(k));
                both.1.search(&both.0, kernels, queries, k, effort)
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Flat(flat) => flat.memory_bytes(),
            Self::Growing(both) => size_of_val(&**both) + both.0.memory_bytes() + both.1.memory_bytes(),
            Self::Graph(both) => size_of_val(&**both) + both.0.memory_bytes() + both.1.memory_bytes(),
        }
    }

    /// Panics unless every invariant holds.
    pub(crate) fn check(&self, Context { choice, crossing, .. }: Context<'_>) {
        let len = self.rows().len();
        match self {
            Self::Flat(flat) => {
                assert!(
                    choice == Choice::Flat || choice == Choice::Auto && len < crossing,
                    "no graph at {len}"
                );
                flat.check();
            }
            Self::Growing(both) => {
                assert!(choice == Choice::Auto && len >= crossing / 2, "a graph grows at {len}");
                assert!(both.1.len() < len, "it is not done");
                both.0.check();
                both.1.check(both.0.rows());
            }
            Self::Graph(both) => {
                assert!(
                    choice != Choice::Flat && (choice == Choice::Hnsw || len >= crossing / 2),
                    "at {len}"
                );
                assert_eq!(both.1.len(), len, "a node a row");
                both.1.check(&both.0);
            }
        }
    }
}

fn number(slot: usize) -> u32 {
    u32::try_from(slot).expect("the index checks its size")
}

fn level_of(ids: &Ids, slot: usize) -> usize {
    graph::level(ids.as_slice()[slot])
}
