//! `Multiplexer`, its `Features`, and what it is `Expected` that models cost.

use std::sync::{Mutex, MutexGuard};

use lecmux_core::error::Error;
use lecmux_core::route::multiplexer::Settings;
use lecmux_core::route::{self, Weight, features};
use lecmux_core::snapshot;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{ConfigError, CoreError, InternalError, guarded};
use crate::fork::detached;

/// First bytes of a multiplexer in its envelope.
const KIND: &[u8; 8] = b"multipl\x01";

/// One query as numbers.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Features(route::Features);

#[pymethods]
impl Features {
    /// Of numbers, such as an embedding.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "a list is extracted by value")]
    fn new(values: Vec<f32>) -> PyResult<Self> {
        Ok(Self(route::Features::dense(&values).map_err(CoreError)?))
    }

    /// Of a text, its words and runs of characters hashed into so many buckets.
    #[staticmethod]
    fn of_text(text: &str, buckets: usize) -> PyResult<Self> {
        if buckets > features::MAX_DIMS - features::COUNTED {
            let most = features::MAX_DIMS - features::COUNTED;
            return Err(ConfigError::new_err(format!("buckets must be at most {most}, not {buckets}")));
        }
        guarded(|| Ok(Self(route::Features::text(text, buckets))))
    }

    /// `(place, value)` of all that is not 0.
    fn items(&self) -> Vec<(usize, f64)> {
        self.0.iter().collect()
    }

    fn __len__(&self) -> usize {
        self.0.dims()
    }
}

/// What each model is expected to cost, at a strength, or as far as the mean square of its errors allows.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Expected(pub(crate) route::Expected);

#[pymethods]
impl Expected {
    #[new]
    fn new(means: Vec<f64>, strength: f64) -> PyResult<Self> {
        Ok(Self(route::Expected::new(means, strength).map_err(CoreError)?))
    }

    #[getter]
    fn means(&self) -> Vec<f64> {
        self.0.means.clone()
    }

    #[getter]
    fn look(&self) -> Option<usize> {
        self.0.look
    }

    #[getter]
    fn strength(&self) -> Option<f64> {
        match &self.0.weight {
            Weight::Strength(strength) => Some(*strength),
            Weight::Spread(_) | Weight::Nothing => None,
        }
    }

    #[getter]
    fn spread(&self) -> Option<Vec<f64>> {
        match &self.0.weight {
            Weight::Strength(_) | Weight::Nothing => None,
            Weight::Spread(spreads) => Some(spreads.clone()),
        }
    }
}

/// Expected costs by features.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Multiplexer(Mutex<route::Multiplexer>);

#[pymethods]
impl Multiplexer {
    #[new]
    #[pyo3(signature = (models, dims, *, penalty=1.0, strength=None))]
    fn new(models: usize, dims: usize, penalty: f64, strength: Option<f64>) -> PyResult<Self> {
        let settings = Settings { models, dims, penalty, strength };
        Ok(Self(Mutex::new(route::Multiplexer::new(settings).map_err(CoreError)?)))
    }

    /// What each model is expected to cost; None before there are labels enough. `looking` lets it name a
    /// model to try for what that teaches.
    #[pyo3(signature = (x, *, looking=false))]
    fn expect(&self, x: &Features, looking: bool) -> PyResult<Option<Expected>> {
        guarded(|| Ok(self.lock()?.expect(&x.0, looking).map_err(CoreError)?.map(Expected)))
    }

    /// Takes in what one model cost on a query it had not answered before; returns the label's number.
    fn learn(&self, x: &Features, model: usize, cost: f64) -> PyResult<u64> {
        guarded(|| Ok(self.lock()?.learn(&x.0, model, cost).map_err(CoreError)?))
    }

    /// The cost of a label turns out to be `delta` more.
    fn amend(&self, x: &Features, model: usize, number: u64, delta: f64) -> PyResult<()> {
        guarded(|| Ok(self.lock()?.amend(&x.0, model, number, delta).map_err(CoreError)?))
    }

    /// Takes in labels: costs row-major, a row a query, a place a model, NaN where unknown.
    #[expect(clippy::needless_pass_by_value, reason = "lists are extracted by value")]
    fn fit(&self, py: Python<'_>, rows: Vec<PyRef<'_, Features>>, costs: Vec<f64>) -> PyResult<()> {
        let rows: Vec<route::Features> = rows.iter().map(|row| row.0.clone()).collect();
        guarded(|| detached(py, || Ok(self.lock()?.fit(&rows, &costs).map_err(CoreError)?)))
    }

    /// Labels taken in, by model.
    #[getter]
    fn labels(&self) -> PyResult<Vec<u64>> {
        Ok(self.lock()?.labels())
    }

    /// Share of the variance of each model's costs that is explained.
    #[getter]
    fn skills(&self) -> PyResult<Vec<f64>> {
        Ok(self.lock()?.skills())
    }

    /// Models, and features of a query.
    #[getter]
    fn shape(&self) -> PyResult<(usize, usize)> {
        let Settings { models, dims, .. } = self.lock()?.settings();
        Ok((models, dims))
    }

    /// The whole state in a checksummed envelope.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = guarded(|| Ok(self.lock()?.encode()))?;
        Ok(PyBytes::new(py, &snapshot::seal(&[KIND.as_slice(), &state].concat())))
    }

    /// The multiplexer that `to_bytes` wrote.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        let read = || -> Result<Self, Error> {
            let foreign = || Error::Snapshot { what: "the snapshot is not one of a multiplexer".into() };
            let state = snapshot::open(data)?.strip_prefix(KIND).ok_or_else(foreign)?;
            Ok(Self(Mutex::new(route::Multiplexer::decode(state)?)))
        };
        guarded(|| Ok(read().map_err(CoreError)?))
    }

    /// Raises `InternalError` unless every invariant holds.
    fn check(&self) -> PyResult<()> {
        guarded(|| {
            self.lock()?.check();
            Ok(())
        })
    }
}

impl Multiplexer {
    /// A panic poisons the lock on its way out: what was left half done is not built upon.
    fn lock(&self) -> PyResult<MutexGuard<'_, route::Multiplexer>> {
        self.0.lock().map_err(|_| {
            InternalError::new_err("this multiplexer met a defect before and is out of order; make a new one")
        })
    }
}
