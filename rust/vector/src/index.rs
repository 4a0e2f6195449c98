//! The interface: ids and vectors in, ids and similarities out.

use std::collections::HashSet;

use crate::engine::{Choice, Context, Engine, Wanted};
use crate::error::Error;
use crate::ids::Ids;
use crate::metric::{self, Kernels};
use crate::rotation;
use crate::rows::Store;

/// The longest vector an index takes.
pub const MAX_DIMENSION: usize = 16_384;

/// An id that was found, and the cosine similarity of its vector to the query, in [-1, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Whose vector it is.
    pub id: i64,
    /// Of query and vector.
    pub similarity: f32,
}

/// Vectors by id, found by direction.
///
/// What is stored is each vector's direction, turned by a rotation that is the same for all and keeps every angle.
pub struct Index {
    pub(crate) dimension: usize,
    pub(crate) ids: Ids,
    pub(crate) engine: Engine,
    pub(crate) choice: Choice,
    pub(crate) crossing: usize,
    kernels: &'static Kernels,
}

/// How an index is to be, beside its dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How a coordinate is kept.
    pub store: Store,
    /// Which engine searches.
    pub engine: Choice,
    /// From so many vectors on [`Choice::Auto`] builds a graph; below half as many it goes again. `None`: where this
    /// processor was measured to gain by it.
    pub crossing: Option<usize>,
}

impl Index {
    /// An empty index of vectors of `dimension` coordinates, which chooses its engine by its size.
    ///
    /// # Errors
    /// [`Error::Config`] unless `dimension` is 1 to [`MAX_DIMENSION`].
    pub fn new(dimension: usize, store: Store) -> Result<Self, Error> {
        Self::with(dimension, Settings { store, engine: Choice::Auto, crossing: None })
    }

    /// As `new`, with all settings given.
    ///
    /// # Errors
    /// As `new`, and [`Error::Config`] for a `crossing` below 2.
    pub fn with(dimension: usize, settings: Settings) -> Result<Self, Error> {
        Self::with_kernels(dimension, settings, metric::best())
    }

    /// As `with`, with the inner loops given.
    ///
    /// # Errors
    /// As `with`.
    pub fn with_kernels(
        dimension: usize,
        Settings { store, engine: choice, crossing }: Settings,
        kernels: &'static Kernels,
    ) -> Result<Self, Error> {
        if !(1..=MAX_DIMENSION).contains(&dimension) {
            let what = format!("dim must be 1 to {MAX_DIMENSION}, not {dimension}");
            return Err(Error::Config { what });
        }
        let crossing = crossing.unwrap_or_else(|| crossing_of(kernels));
        if crossing < 2 {
            return Err(Error::Config { what: format!("crossing must be at least 2, not {crossing}") });
        }
        let engine = Engine::new(choice, store, width(dimension));
        Ok(Self { dimension, ids: Ids::default(), engine, choice, crossing, kernels })
    }

    /// The engine that was asked for.
    #[must_use]
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// Whether searches walk a graph now.
    #[must_use]
    pub fn walks(&self) -> bool {
        matches!(self.engine, Engine::Graph(_))
    }

    /// An index as a snapshot had it.
    pub(crate) fn assembled(
        dimension: usize,
        ids: Ids,
        engine: Engine,
        (choice, crossing): (Choice, usize),
    ) -> Self {
        let mut index = Self { dimension, ids, engine, choice, crossing, kernels: metric::best() };
        let context = index.context();
        index.engine.settle(context, &index.ids);
        index
    }

    fn context(&self) -> Context<'static> {
        Context { kernels: self.kernels, choice: self.choice, crossing: self.crossing }
    }

    /// Coordinates of a vector.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How coordinates are kept.
    #[must_use]
    pub fn store(&self) -> Store {
        self.engine.rows().store()
    }

    /// Vectors held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `id` has a vector.
    #[must_use]
    pub fn contains(&self, id: i64) -> bool {
        self.ids.slot(id).is_some()
    }

    /// Takes in a vector an id; one that an id had before is replaced. All are taken or, on an error, none.
    ///
    /// `vectors`: row-major (`ids.len()`, dimension), of any length but zero. O(dimension log dimension) each.
    ///
    /// # Errors
    /// [`Error::Dimension`] when `vectors` are not `dimension` numbers an id, [`Error::Vector`] for a number that is
    /// not finite, a vector of zeros, and an id given twice.
    pub fn add(&mut self, ids: &[i64], vectors: &[f32]) -> Result<(), Error> {
        self.expect_rows(vectors, ids.len())?;
        distinct(ids)?;
        if self.len() + ids.len() > u32::MAX as usize {
            return Err(Error::Config { what: "an index takes 4,294,967,295 vectors".into() });
        }
        let scales = self.scales(vectors)?;
        let mut row = vec![0.0; width(self.dimension)];
        let context = self.context();
        for ((&id, vector), scale) in ids.iter().zip(vectors.chunks_exact(self.dimension)).zip(scales) {
            self.turn(vector, scale, &mut row);
            if let Some(slot) = self.ids.slot(id) {
                self.engine.write(context, &self.ids, slot, &mut row);
            } else {
                self.ids.push(id);
                self.engine.push(context, &self.ids, &mut row);
            }
        }
        Ok(())
    }

    /// Takes vectors out; returns how many of the ids had one. O(dimension) each.
    pub fn remove(&mut self, ids: &[i64]) -> usize {
        let (mut removed, context) = (0, self.context());
        for &id in ids {
            if let Some(slot) = self.ids.swap_remove(id) {
                self.engine.swap_remove(context, &self.ids, slot);
                removed += 1;
            }
        }
        removed
    }

    /// The `k` most similar vectors to each query, the most similar first; fewer where fewer are held.
    ///
    /// `queries`: row-major (queries, dimension), of any length but zero. Several at once share a scan.
    ///
    /// # Errors
    /// [`Error::Config`] for a `k` of 0, [`Error::Dimension`] and [`Error::Vector`] as for `add`.
    pub fn search(&self, queries: &[f32], k: usize) -> Result<Vec<Vec<Match>>, Error> {
        self.search_with(queries, k, None)
    }

    /// As `search`, where a graph keeps `effort` nodes in view, or `k` if that is more: the more, the fewer of the
    /// most similar are missed, and the longer it takes. `None` is [`usual_effort`]; the flat engine needs none.
    ///
    /// # Errors
    /// As `search`, and [`Error::Config`] for an `effort` of 0.
    pub fn search_with(
        &self,
        queries: &[f32],
        k: usize,
        effort: Option<usize>,
    ) -> Result<Vec<Vec<Match>>, Error> {
        if effort == Some(0) {
            return Err(Error::Config { what: "effort must be at least 1, not 0".into() });
        }
        self.found(queries, k, Wanted { effort, floor: f32::NEG_INFINITY })
    }

    /// As `search`, for one who has no use for a similarity below `floor`: what is found below it need not be the
    /// nearest. Where little is as near as that, the flat engine is done sooner.
    ///
    /// # Errors
    /// As `search`.
    pub fn search_above(&self, queries: &[f32], k: usize, floor: f32) -> Result<Vec<Vec<Match>>, Error> {
        self.found(queries, k, Wanted { effort: None, floor })
    }

    fn found(&self, queries: &[f32], k: usize, wanted: Wanted) -> Result<Vec<Vec<Match>>, Error> {
        if k == 0 {
            return Err(Error::Config { what: "k must be at least 1, not 0".into() });
        }
        let count = queries.len() / self.dimension;
        self.expect_rows(queries, count)?;
        let width = width(self.dimension);
        let mut turned = vec![0.0; count * width];
        let rows = queries.chunks_exact(self.dimension).zip(turned.chunks_exact_mut(width));
        for ((query, row), scale) in rows.zip(self.scales(queries)?) {
            self.turn(query, scale, row);
        }
        let by_slot = self.ids.as_slice();
        let named = |(slot, similarity)| Match { id: by_slot[slot as usize], similarity };
        let found = self.engine.search(self.kernels, &turned, k.min(self.len()), wanted);
        Ok(found.into_iter().map(|best| best.into_iter().map(named).collect()).collect())
    }

    /// Cosine similarity of two vectors that are held, as they are stored; `None` where one of them is not.
    #[must_use]
    pub fn similarity(&self, first: i64, second: i64) -> Option<f32> {
        let (first, second) = (self.ids.slot(first)?, self.ids.slot(second)?);
        let rows = self.engine.rows();
        let mut row = vec![0.0; rows.width()];
        rows.read(first, &mut row);
        Some(rows.dot(self.kernels, &row, second))
    }

    /// The vector of `id` with unit norm, as it is stored; `None` where there is none.
    #[must_use]
    pub fn vector(&self, id: i64) -> Option<Vec<f32>> {
        let slot = self.ids.slot(id)?;
        let mut row = vec![0.0; width(self.dimension)];
        self.engine.rows().read(slot, &mut row);
        rotation::rotate_back(&mut row);
        row.truncate(self.dimension);
        Some(row)
    }

    /// Bytes held, every list at what it has reserved.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.ids.memory_bytes() + self.engine.memory_bytes()
    }

    /// States every invariant. O(n dimension); for tests.
    ///
    /// # Panics
    /// Unless they hold.
    pub fn check(&self) {
        assert_eq!(self.ids.len(), self.engine.rows().len(), "a row an id");
        self.ids.check();
        self.engine.check(self.context());
    }

    fn expect_rows(&self, values: &[f32], rows: usize) -> Result<(), Error> {
        if values.len() == rows * self.dimension {
            return Ok(());
        }
        let (held, given) = (self.dimension, values.len());
        Err(Error::Dimension {
            what: format!("{rows} vectors of dimension {held}, one an id, are not {given} numbers"),
        })
    }

    /// What makes each vector one of unit norm.
    fn scales(&self, vectors: &[f32]) -> Result<Vec<f64>, Error> {
        vectors.chunks_exact(self.dimension).enumerate().map(|(row, vector)| scale(row, vector)).collect()
    }

    /// `vector` with unit norm, filled up with zeros, rotated.
    fn turn(&self, vector: &[f32], scale: f64, row: &mut [f32]) {
        let (head, tail) = row.split_at_mut(self.dimension);
        #[expect(clippy::cast_possible_truncation, reason = "a coordinate of a unit vector")]
        head.iter_mut().zip(vector).for_each(|(to, &from)| *to = (f64::from(from) * scale) as f32);
        tail.fill(0.0);
        rotation::rotate(self.kernels, row);
    }
}

/// Where a graph begins to be worth its upkeep, as measured: the faster codes are scanned, the later.
fn crossing_of(kernels: &Kernels) -> usize {
    if kernels.name() == "avx512-vpopcntdq" { 300_000 } else { 150_000 }
}

/// Coordinates of a row: whole words of a code.
pub(crate) fn width(dimension: usize) -> usize {
    dimension.next_multiple_of(64)
}

fn scale(row: usize, vector: &[f32]) -> Result<f64, Error> {
    // In f64 no square of an f32 overflows or vanishes; in 8 lanes, so that they are added side by side.
    let (eights, rest) = vector.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(lane, &value)| *lane += f64::from(value) * f64::from(value));
    }
    let rest: f64 = rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
    let norm = (lanes.iter().sum::<f64>() + rest).sqrt();
    if norm > 0.0 && norm.is_finite() {
        return Ok(norm.recip());
    }
    let what = match vector.iter().position(|value| !value.is_finite()) {
        Some(at) => format!("vector {row}: coordinate {at} is {}, and must be finite", vector[at]),
        None => format!("vector {row} is all zeros, which has no direction"),
    };
    Err(Error::Vector { what })
}

fn distinct(ids: &[i64]) -> Result<(), Error> {
    if ids.len() > 1 {
        let mut seen = HashSet::with_capacity(ids.len());
        if let Some(id) = ids.iter().find(|&&id| !seen.insert(id)) {
            return Err(Error::Vector { what: format!("id {id} is given twice") });
        }
    }
    Ok(())
}
