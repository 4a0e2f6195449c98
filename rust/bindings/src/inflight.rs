//! `Inflight`: single flight over Python callables.

use lecmux_core::inflight::Inflight as Flights;
use lecmux_core::key::{KeyHasher, KeyRef};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::guarded;

/// One leader a key; the callables of followers are called, with no lock held, once each.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Inflight {
    flights: Flights<Py<PyAny>>,
    hasher: KeyHasher,
    process: AtomicU32,
}

#[pymethods]
impl Inflight {
    #[new]
    #[pyo3(signature = (seed=0))]
    fn new(seed: u64) -> Self {
        let process = AtomicU32::new(std::process::id());
        Self { flights: Flights::default(), hasher: KeyHasher::new(seed), process }
    }

    /// True: the caller leads. Else `wake` is called once, with `"done"` or with `"lead"`.
    #[pyo3(signature = (key, wake, *, scope="", fingerprint=""))]
    fn claim(&self, key: &str, wake: Py<PyAny>, scope: &str, fingerprint: &str) -> PyResult<bool> {
        self.forget_parent();
        guarded(|| Ok(self.flights.claim(self.hash(key, scope, fingerprint), wake)))
    }

    /// The leader has answered: everybody who waits is woken with `"done"`.
    #[pyo3(signature = (key, *, scope="", fingerprint=""))]
    fn release(&self, py: Python<'_>, key: &str, scope: &str, fingerprint: &str) -> PyResult<()> {
        let waiters = guarded(|| Ok(self.flights.done(self.hash(key, scope, fingerprint))))?;
        waiters.iter().try_for_each(|wake| wake.call1(py, ("done",)).map(drop))
    }

    /// The leader has failed: one who waits is woken with `"lead"`.
    #[pyo3(signature = (key, *, scope="", fingerprint=""))]
    fn fail(&self, py: Python<'_>, key: &str, scope: &str, fingerprint: &str) -> PyResult<()> {
        let next = guarded(|| Ok(self.flights.failed(self.hash(key, scope, fingerprint))))?;
        next.map_or(Ok(()), |wake| wake.call1(py, ("lead",)).map(drop))
    }

    /// A follower stopped waiting. False: its `wake` was called already or is about to be.
    #[pyo3(signature = (key, wake, *, scope="", fingerprint=""))]
    fn abandon(&self, key: &str, wake: &Bound<'_, PyAny>, scope: &str, fingerprint: &str) -> PyResult<bool> {
        let hash = self.hash(key, scope, fingerprint);
        guarded(|| Ok(!self.flights.abandon(hash, |waiter| waiter.is(wake)).is_empty()))
    }

    fn __len__(&self) -> usize {
        self.flights.len()
    }
}

impl Inflight {
    fn hash(&self, text: &str, scope: &str, fingerprint: &str) -> u64 {
        self.hasher.hash(KeyRef { scope, fingerprint, text })
    }

    /// In a forked child the leaders of the parent's flights do not exist.
    fn forget_parent(&self) {
        let process = std::process::id();
        if self.process.swap(process, Ordering::Relaxed) != process {
            drop(self.flights.reset());
        }
    }
}
