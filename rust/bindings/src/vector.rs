//! `VectorIndex`: an index of vectors over buffers, with the interpreter released.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use lecmux_vector::{Choice, Error, Index, Settings, Store, metric};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{ConfigError, DimensionError, InternalError, SnapshotError, VectorError, guarded};
use crate::fork::detached;
use crate::simulate::copied;

/// The compiled part of `lecmux.VectorIndex`. Searches run side by side; a change waits for them.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct VectorIndex {
    index: RwLock<Index>,
}

/// Ids as int64 and similarities as float32, a row a query, and how many a row.
type Found<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, usize);

#[pymethods]
impl VectorIndex {
    #[new]
    #[pyo3(signature = (dim, *, store, engine, kernels=None))]
    fn new(dim: usize, store: &str, engine: &str, kernels: Option<&str>) -> PyResult<Self> {
        let settings = Settings {
            store: chosen("store", &STORES, store)?,
            engine: chosen("engine", &ENGINES, engine)?,
            crossing: None,
        };
        let kernels = match kernels {
            None => metric::best(),
            Some(name) => {
                metric::available().into_iter().find(|table| table.name() == name).ok_or_else(|| {
                    ConfigError::new_err(format!("kernels must be one of vector_kernels(), not {name:?}"))
                })?
            }
        };
        Ok(Self::over(Index::with_kernels(dim, settings, kernels).map_err(raised)?))
    }

    /// Takes in float32 vectors, one an id of int64, row after row.
    fn add(&self, py: Python<'_>, ids: &Bound<'_, PyAny>, vectors: &Bound<'_, PyAny>) -> PyResult<()> {
        let (ids, vectors) =
            (copied::<i64>(ids, "ids", "int64")?, copied::<f32>(vectors, "vectors", "float32")?);
        guarded(|| detached(py, || self.write()?.add(&ids, &vectors).map_err(raised)))
    }

    /// Takes vectors out; returns how many there were.
    fn remove(&self, py: Python<'_>, ids: &Bound<'_, PyAny>) -> PyResult<usize> {
        let ids = copied::<i64>(ids, "ids", "int64")?;
        guarded(|| detached(py, || Ok(self.write()?.remove(&ids))))
    }

    /// Ids as int64 and similarities as float32, row by row, and how many a query.
    fn search<'py>(
        &self,
        py: Python<'py>,
        queries: &Bound<'py, PyAny>,
        k: usize,
        effort: Option<usize>,
    ) -> PyResult<Found<'py>> {
        let queries = copied::<f32>(queries, "queries", "float32")?;
        let found =
            guarded(|| detached(py, || self.read()?.search_with(&queries, k, effort).map_err(raised)))?;
        let columns = found.first().map_or(0, Vec::len);
        let ids: Vec<u8> = found.iter().flatten().flat_map(|hit| hit.id.to_ne_bytes()).collect();
        let similarities: Vec<u8> =
            found.iter().flatten().flat_map(|hit| hit.similarity.to_ne_bytes()).collect();
        Ok((PyBytes::new(py, &ids), PyBytes::new(py, &similarities), columns))
    }

    /// The whole state in a checksummed envelope.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = guarded(|| detached(py, || Ok(self.read()?.to_bytes())))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The index that `to_bytes` wrote.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        guarded(|| detached(py, || Index::from_bytes(data).map_err(raised))).map(Self::over)
    }

    /// Raises InternalError unless every invariant holds.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            detached(py, || {
                self.read()?.check();
                Ok(())
            })
        })
    }

    #[getter]
    fn dim(&self) -> PyResult<usize> {
        Ok(self.read()?.dimension())
    }

    #[getter]
    fn store(&self) -> PyResult<&'static str> {
        Ok(name_of(&STORES, self.read()?.store()))
    }

    #[getter]
    fn engine(&self) -> PyResult<&'static str> {
        Ok(name_of(&ENGINES, self.read()?.choice()))
    }

    #[getter]
    fn walks(&self) -> PyResult<bool> {
        Ok(self.read()?.walks())
    }

    #[getter]
    fn memory_bytes(&self) -> PyResult<usize> {
        Ok(size_of::<Self>() - size_of::<Index>() + self.read()?.memory_bytes())
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.read()?.len())
    }

    fn __contains__(&self, id: i64) -> PyResult<bool> {
        Ok(self.read()?.contains(id))
    }
}

/// The instruction sets that searches can run on here; the last is taken unless another is asked for.
#[pyfunction]
pub(crate) fn vector_kernels() -> Vec<&'static str> {
    metric::available().into_iter().map(metric::Kernels::name).collect()
}

const STORES: [(&str, Store); 3] = [("f32", Store::F32), ("f16", Store::F16), ("i8", Store::I8)];
const ENGINES: [(&str, Choice); 3] = [("auto", Choice::Auto), ("flat", Choice::Flat), ("hnsw", Choice::Hnsw)];

fn chosen<T: Copy>(what: &str, choices: &[(&str, T)], name: &str) -> PyResult<T> {
    choices.iter().find(|each| each.0 == name).map(|each| each.1).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|each| format!("{:?}", each.0)).collect();
        ConfigError::new_err(format!("{what} must be one of {}, not {name:?}", names.join(", ")))
    })
}

fn name_of<T: Copy + PartialEq>(choices: &[(&'static str, T)], value: T) -> &'static str {
    choices.iter().find(|each| each.1 == value).expect("each choice has a name").0
}

impl VectorIndex {
    fn over(index: Index) -> Self {
        Self { index: RwLock::new(index) }
    }

    fn read(&self) -> PyResult<RwLockReadGuard<'_, Index>> {
        self.index.read().map_err(damaged)
    }

    fn write(&self) -> PyResult<RwLockWriteGuard<'_, Index>> {
        self.index.write().map_err(damaged)
    }
}

/// A change that panicked may have been half made.
fn damaged<T>(_: PoisonError<T>) -> PyErr {
    InternalError::new_err(
        "a defect stopped an earlier change of this index: load a snapshot, or fill a new one",
    )
}

fn raised(error: Error) -> PyErr {
    match error {
        Error::Config { what } => ConfigError::new_err(what),
        Error::Dimension { what } => DimensionError::new_err(what),
        Error::Vector { what } => VectorError::new_err(what),
        Error::Snapshot { what } => SnapshotError::new_err(what),
    }
}
