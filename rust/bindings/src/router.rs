//! `Router`: the route of the core by Python's keys.

use std::sync::Mutex;

use lecmux_core::error::Error;
use lecmux_core::estimate::Choice as Chosen;
use lecmux_core::key::{KeyHasher, KeyRef};
use lecmux_core::route::Router as Routes;
use lecmux_core::snapshot;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::convert;
use crate::error::{ConfigError, CoreError, InternalError, guarded};
use crate::key::{Part, key_ref};
use crate::multiplexer::Expected;

/// First bytes of a router in its envelope; a cache's snapshot starts otherwise.
const KIND: &[u8; 8] = b"router\0\x01";

/// A model chosen, with the estimates behind it; lists go by the models' places.
#[pyclass(frozen, get_all, module = "lecmux._core")]
pub(crate) struct Choice {
    model: usize,
    reason: &'static str,
    lower: Vec<f64>,
    mean: Vec<Option<f64>>,
    tries: Vec<u32>,
    prior: Option<Vec<f64>>,
    propensity: f64,
}

impl From<Chosen> for Choice {
    fn from(chosen: Chosen) -> Self {
        let Chosen { model, reason, lower, mean, tries, prior, propensity } = chosen;
        Self { model, reason: reason.as_str(), lower, mean, tries, prior, propensity }
    }
}

/// Estimates of cost by key and model.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Router {
    routes: Mutex<Routes>,
    hasher: KeyHasher,
    seed: u64,
}

#[pymethods]
impl Router {
    #[new]
    #[pyo3(signature = (models, *, estimator, cost_floor=0.0, cost_ceiling=None, max_keys=65_536, seed=0))]
    fn new(
        models: usize,
        estimator: &Bound<'_, PyDict>,
        cost_floor: f64,
        cost_ceiling: Option<f64>,
        max_keys: usize,
        seed: u64,
    ) -> PyResult<Self> {
        let range = convert::range(cost_floor, cost_ceiling)?;
        let routes =
            Routes::new(models, convert::estimator(estimator)?, range, max_keys).map_err(CoreError)?;
        Ok(Self::over(routes, seed))
    }

    /// The model for a query asked `count` times, this one included.
    #[pyo3(signature = (key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY, count=1.0, allowed=None, expected=None))]
    #[expect(clippy::needless_pass_by_value, reason = "a list is extracted by value")]
    fn decide(
        &self,
        key: &Bound<'_, PyString>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
        count: f64,
        allowed: Option<Vec<usize>>,
        expected: Option<&Expected>,
    ) -> PyResult<Choice> {
        let (hash, count) = (self.hash(key, scope, fingerprint)?, asked(count)?);
        let expected = expected.map(|known| &known.0);
        let chosen = self.with(|routes| routes.decide(hash, count, allowed.as_deref(), expected))?;
        Ok(chosen.map_err(CoreError)?.into())
    }

    /// Takes in what a call cost; True when it is the first cost of this model on this query.
    #[pyo3(signature = (key, model, cost, *, scope=Part::EMPTY, fingerprint=Part::EMPTY))]
    fn observe(
        &self,
        key: &Bound<'_, PyString>,
        model: usize,
        cost: f64,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<bool> {
        let hash = self.hash(key, scope, fingerprint)?;
        Ok(self.with(|routes| routes.observe(hash, model, cost))?.map_err(CoreError)?)
    }

    /// Adds a cost learnt later to the last call observed; False when that is not known any more.
    #[pyo3(signature = (key, model, delta, *, scope=Part::EMPTY, fingerprint=Part::EMPTY))]
    fn amend(
        &self,
        key: &Bound<'_, PyString>,
        model: usize,
        delta: f64,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<bool> {
        let hash = self.hash(key, scope, fingerprint)?;
        Ok(self.with(|routes| routes.amend(hash, model, delta))?.map_err(CoreError)?)
    }

    /// What a miss on a query asked `count` times is worth avoiding.
    #[pyo3(signature = (key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY, count=1.0, expected=None))]
    fn value(
        &self,
        key: &Bound<'_, PyString>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
        count: f64,
        expected: Option<&Expected>,
    ) -> PyResult<f64> {
        let (hash, count) = (self.hash(key, scope, fingerprint)?, asked(count)?);
        let expected = expected.map(|known| &known.0);
        Ok(self.with(|routes| routes.value(hash, count, expected))?.map_err(CoreError)?)
    }

    /// The whole state in a checksummed envelope.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = self.with(|routes| routes.encode())?;
        let body = [KIND.as_slice(), &self.seed.to_le_bytes(), &state].concat();
        Ok(PyBytes::new(py, &snapshot::seal(&body)))
    }

    /// The router that `to_bytes` wrote.
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> PyResult<Self> {
        let read = || -> Result<Self, Error> {
            let foreign = || Error::Snapshot { what: "the snapshot is not one of a router".into() };
            let body = snapshot::open(data)?.strip_prefix(KIND).ok_or_else(foreign)?;
            let (seed, state) = body.split_first_chunk::<8>().ok_or_else(foreign)?;
            Ok(Self::over(Routes::decode(state)?, u64::from_le_bytes(*seed)))
        };
        guarded(|| Ok(read().map_err(CoreError)?))
    }

    fn __len__(&self) -> PyResult<usize> {
        self.with(|routes| routes.beliefs().len())
    }

    /// Raises `InternalError` unless every invariant holds.
    fn check(&self) -> PyResult<()> {
        self.with(|routes| routes.beliefs().check())
    }
}

impl Router {
    fn over(routes: Routes, seed: u64) -> Self {
        Self { routes: Mutex::new(routes), hasher: KeyHasher::new(seed), seed }
    }

    fn hash(&self, key: &Bound<'_, PyString>, scope: Part<'_>, fingerprint: Part<'_>) -> PyResult<u64> {
        let key: KeyRef<'_> = key_ref(key, scope, fingerprint)?;
        Ok(self.hasher.hash(key))
    }

    /// Works on the state under its lock; no Python runs meanwhile. A panic poisons the lock on its way out:
    /// what was left half done is not built upon.
    fn with<T>(&self, work: impl FnOnce(&mut Routes) -> T) -> PyResult<T> {
        guarded(|| {
            let mut routes = self.routes.lock().map_err(|_| {
                InternalError::new_err("this router met a defect before and is out of order; make a new one")
            })?;
            Ok(work(&mut routes))
        })
    }
}

fn asked(count: f64) -> PyResult<f64> {
    if count.is_finite() && count >= 0.0 {
        return Ok(count);
    }
    Err(ConfigError::new_err(format!("count must be a finite number of at least 0, not {count}")))
}
