//! The semantic stage of a store: what it proposes, and what it is taught.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lecmux_core::key::{Key, KeyRef};
use lecmux_core::semantic::answers;
use lecmux_core::semantic::cover::{cover, uncover};
use lecmux_core::semantic::features::NAMES;
use lecmux_core::semantic::judge::Verdict;
use lecmux_core::semantic::snapshot::Restored;
use lecmux_core::semantic::stage::{self, Place, Stage, StageConfig, StageStatistics};
use lecmux_core::semantic::young;
use lecmux_core::snapshot::Contents;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::{ConfigError, CoreError, guarded};
use crate::fork::detached;
use crate::hit::{Hit, hit};
use crate::key::{Part, key_ref};
use crate::simulate::copied;
use crate::store::Store;

/// A request at the semantic stage: the entry that may answer it, and how it was judged.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Proposal {
    inner: Mutex<stage::Proposal>,
    /// The candidate as it is stored.
    #[pyo3(get)]
    hit: Option<Py<Hit>>,
}

impl Proposal {
    pub(crate) fn without_candidate(inner: stage::Proposal) -> Self {
        Self { inner: Mutex::new(inner), hit: None }
    }

    pub(crate) fn read(&self) -> MutexGuard<'_, stage::Proposal> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_candidate<T>(&self, read: impl FnOnce(&stage::Candidate) -> T) -> Option<T> {
        self.read().candidate.as_ref().map(read)
    }
}

#[pymethods]
impl Proposal {
    /// "serve", "audit" or "decline".
    #[getter]
    fn verdict(&self) -> &'static str {
        match self.read().verdict() {
            Verdict::Serve => "serve",
            Verdict::Audit(_) => "audit",
            Verdict::Decline => "decline",
        }
    }

    /// Text, scope and fingerprint of the candidate's key.
    #[getter]
    fn key(&self) -> Option<(String, String, String)> {
        self.of_candidate(|found| crate::key::parts(&found.key))
    }

    /// What likeness to the candidate went by.
    #[getter]
    fn text(&self) -> Option<String> {
        self.of_candidate(|found| found.text.to_string())
    }

    /// Cosine similarity to the candidate.
    #[getter]
    fn similarity(&self) -> Option<f64> {
        self.of_candidate(|found| found.similarity)
    }

    /// Probability that the candidate's answer is wrong: cautious, and as the model said before calibration.
    #[getter]
    fn risk(&self) -> Option<(f64, f64)> {
        self.of_candidate(|found| (found.judgement.wrong, found.judgement.predicted))
    }

    /// The risk up to which hits are served now.
    #[getter]
    fn threshold(&self) -> Option<f64> {
        self.of_candidate(|found| found.judgement.threshold)
    }

    /// The facet in which the two texts contradict each other, or None.
    #[getter]
    fn facet(&self) -> Option<&'static str> {
        self.of_candidate(|found| young::veto(&found.words)).flatten()
    }

    /// The facet of a contradiction because of which the candidate is declined, whatever its risk; or None.
    #[getter]
    fn refused(&self) -> Option<&'static str> {
        self.of_candidate(|found| found.refused).flatten()
    }

    /// Whether the pair, or a twin of it, was reported wrong.
    #[getter]
    fn quarantined(&self) -> bool {
        self.of_candidate(|found| found.quarantined).unwrap_or_default()
    }

    /// What each feature adds to the log-odds of a right answer, in a preview: name and amount.
    #[getter]
    fn parts(&self) -> Vec<(&'static str, f64)> {
        let parts = |found: &stage::Candidate| NAMES.into_iter().zip(found.parts.iter().copied()).collect();
        self.of_candidate(parts).unwrap_or_default()
    }

    /// Looks once more, after waiting for another request.
    #[pyo3(signature = (store, key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY))]
    fn again(
        &self,
        store: &Bound<'_, Store>,
        key: &Bound<'_, PyString>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<Self> {
        let (py, held) = (store.py(), store);
        let (store, stage) = (held.get(), held.get().semantic()?);
        let (now, cache) = (store.now(py)?, &store.cache);
        let found = guarded(|| {
            Ok(detached(py, || {
                let alive = |key: &Key| {
                    key.as_ref().is_some_and(|key| cache.peek(cache.hash(key), key, now, |_| ()).is_some())
                };
                stage.propose_again(&self.read(), alive)
            }))
        })?;
        with_hit(held, found.map_err(CoreError)?, key_ref(key, scope, fingerprint)?, now, true)
    }

    /// Notes that the answer is on its way under `key`; the number is for `arrive`.
    #[pyo3(signature = (store, key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY))]
    fn depart(
        &self,
        store: &Bound<'_, Store>,
        key: &Bound<'_, PyString>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<u64> {
        let (stage, key) = (store.get().semantic()?, key_ref(key, scope, fingerprint)?);
        guarded(|| Ok(Key::new(key).map_or(0, |key| stage.depart(&self.read(), key))))
    }

    /// The answer that was on its way is there, or will not come.
    #[staticmethod]
    fn arrive(store: &Bound<'_, Store>, number: u64) -> PyResult<()> {
        let stage = store.get().semantic()?;
        guarded(|| {
            stage.arrive(number);
            Ok(())
        })
    }

    /// Text, scope and fingerprint of the key of a request under way whose answer would be served here.
    fn awaited(&self, store: &Bound<'_, Store>) -> PyResult<Option<(String, String, String)>> {
        let stage = store.get().semantic()?;
        guarded(|| Ok(stage.awaited(&self.read()).as_ref().map(crate::key::parts)))
    }

    /// Teaches whether the candidate's answer says what the model's does.
    fn learn(&self, py: Python<'_>, store: &Bound<'_, Store>, right: bool) -> PyResult<()> {
        let stage = store.get().semantic()?;
        guarded(|| {
            detached(py, || stage.learn(&mut self.read(), right));
            Ok(())
        })
    }

    /// Records that the candidate's answer was wrong for the request.
    fn report(&self, py: Python<'_>, store: &Bound<'_, Store>) -> PyResult<()> {
        let stage = store.get().semantic()?;
        guarded(|| {
            detached(py, || stage.report(&self.read()));
            Ok(())
        })
    }

    /// The nearest entries, best first, in a preview: text and similarity.
    #[getter]
    fn neighbours(&self) -> Vec<(String, f64)> {
        let named = |found: &stage::Candidate| {
            found.neighbours.iter().map(|(text, similarity)| (text.to_string(), *similarity)).collect()
        };
        self.of_candidate(named).unwrap_or_default()
    }
}

/// A stage by Python's settings.
pub(crate) fn made(settings: &Bound<'_, PyDict>, capacity_bytes: u64, seed: u64) -> PyResult<Stage> {
    let max_error = settings.get_item("max_error")?;
    let max_error = max_error.ok_or_else(|| ConfigError::new_err("max_error is missing"))?.extract()?;
    let gated = settings.get_item("gated")?.map_or(Ok(false), |gated| gated.extract())?;
    let serves_contradictions =
        settings.get_item("serve_contradictions")?.map_or(Ok(true), |serves| serves.extract())?;
    let near_twins = settings.get_item("near_twins")?.map_or(Ok(true), |sees| sees.extract())?;
    let config = StageConfig { max_error, seed, capacity_bytes, gated, serves_contradictions, near_twins };
    Ok(Stage::new(config).map_err(CoreError)?)
}

/// Looks for an entry that may answer `salient`, and judges it; the request `key` was looked up and not found.
///
/// `how`: "use" looks and counts, "preview" looks without consequences, "store" only prepares the answer's place.
#[pyfunction]
#[pyo3(signature = (store, key, salient, vector, *, scope=Part::EMPTY, fingerprint=Part::EMPTY, context="", how="use", quick=None))]
#[expect(clippy::too_many_arguments, reason = "keyword-only terms")]
pub(crate) fn propose(
    store: &Bound<'_, Store>,
    key: &Bound<'_, PyString>,
    salient: &str,
    vector: &Bound<'_, PyAny>,
    scope: Part<'_>,
    fingerprint: Part<'_>,
    context: &str,
    how: &str,
    quick: Option<&Bound<'_, PyAny>>,
) -> PyResult<Proposal> {
    let (py, slf) = (store.py(), store);
    let (store, stage) = (slf.get(), slf.get().semantic()?);
    let vector = copied::<f32>(vector, "vector", "float32")?;
    let now = store.now(py)?;
    let place = Place { scope: scope.0, fingerprint: fingerprint.0, context };
    let cache = &store.cache;
    let found = guarded(|| {
        Ok(detached(py, || {
            let alive = |key: &Key| {
                key.as_ref().is_some_and(|key| cache.peek(cache.hash(key), key, now, |_| ()).is_some())
            };
            match how {
                "use" => stage.propose(&place, salient, &vector, alive),
                "preview" => stage.preview(&place, salient, &vector, alive),
                _ => stage.newcomer(&place, salient, &vector),
            }
        }))
    })?;
    let mut found = found.map_err(CoreError)?;
    if let Some(quick) = quick {
        found = found.known_by(&copied::<f32>(quick, "quick", "float32")?).map_err(CoreError)?;
    }
    with_hit(slf, found, key_ref(key, scope, fingerprint)?, now, how == "use")
}

/// A proposal with its candidate as it is stored; one that is served is credited, where the request `counts`.
fn with_hit(
    slf: &Bound<'_, Store>,
    found: stage::Proposal,
    asked: KeyRef<'_>,
    now_ms: u64,
    counts: bool,
) -> PyResult<Proposal> {
    let served = counts && found.verdict() == Verdict::Serve;
    let named = found.candidate.as_ref().and_then(|found| found.key.as_ref());
    let hit = named.map(|named| taken(slf, named, asked, now_ms, served)).transpose()?.flatten();
    let hit = hit.map(|hit| Py::new(slf.py(), hit)).transpose()?;
    let (store, stage) = (slf.get(), slf.get().semantic()?);
    guarded(|| {
        if served && hit.is_some() {
            cover(stage, &store.cache, &found);
        }
        uncover(stage, &store.cache);
        Ok(())
    })?;
    Ok(Proposal { inner: Mutex::new(found), hit })
}

/// Counts a request of `scope` that was answered from the exact store.
#[pyfunction]
#[pyo3(signature = (store, scope))]
pub(crate) fn answered(store: &Bound<'_, Store>, scope: Part<'_>) -> PyResult<()> {
    let stage = store.get().semantic()?;
    guarded(|| {
        stage.answered(scope.0);
        Ok(())
    })
}

/// Whether two answers say the same, by their embeddings and facets.
#[pyfunction]
#[pyo3(signature = (first, second, one, other, *, bound))]
pub(crate) fn same_texts(
    first: &str,
    second: &str,
    one: &Bound<'_, PyAny>,
    other: &Bound<'_, PyAny>,
    bound: f64,
) -> PyResult<bool> {
    let one = copied::<f32>(one, "vector", "float32")?;
    let other = copied::<f32>(other, "vector", "float32")?;
    let same = guarded(|| Ok(answers::same_texts([first, second], [&one, &other], bound)))?;
    Ok(same.map_err(CoreError)?)
}

/// Counters of the semantic stage by name.
#[pyfunction]
pub(crate) fn semantic_statistics<'py>(store: &Bound<'py, Store>) -> PyResult<Bound<'py, PyDict>> {
    let (py, stage) = (store.py(), store.get().semantic()?);
    let StageStatistics {
        requests,
        hits,
        audits,
        wrong_audits,
        labels,
        quarantined,
        contradictions,
        entries,
        waiting,
        partitions,
        index_bytes,
        evidence_bytes,
    } = guarded(|| Ok(detached(py, || stage.statistics())))?;
    let to = PyDict::new(py);
    for (name, value) in [
        ("requests", requests),
        ("hits", hits),
        ("audits", audits),
        ("wrong_audits", wrong_audits),
        ("labels", labels),
        ("quarantined", quarantined),
        ("contradictions", contradictions),
        ("entries", entries),
        ("waiting", waiting),
        ("partitions", partitions),
        ("index_bytes", index_bytes),
        ("evidence_bytes", evidence_bytes),
    ] {
        to.set_item(name, value)?;
    }
    Ok(to)
}

/// Ids of the entries that the semantic stage holds, as in `Hit.hit_id`, in no order.
#[pyfunction]
pub(crate) fn semantic_ids(store: &Bound<'_, Store>) -> PyResult<Vec<String>> {
    let stage = store.get().semantic()?;
    guarded(|| Ok(stage.ids().iter().map(|id| format!("{id:016x}")).collect()))
}

impl Store {
    pub(crate) fn semantic(&self) -> PyResult<&Stage> {
        self.stage.as_ref().ok_or_else(|| ConfigError::new_err("this cache has no semantic stage"))
    }

    /// Those who left the exact store leave the semantic stage.
    #[inline]
    pub(crate) fn leave<'a, V: 'a>(&self, removed: impl IntoIterator<Item = &'a (Key, V)>) {
        if let Some(stage) = &self.stage {
            for key in removed.into_iter().filter_map(|(key, _)| key.as_ref()) {
                stage.remove(self.cache.hash(key));
            }
            uncover(stage, &self.cache);
        }
    }

    /// Takes an entry that was just stored into the semantic stage. An entry that leaves the store meanwhile leaves
    /// here as well: whoever removes it first sees it, and then it is looked for again.
    pub(crate) fn enter(
        &self,
        key: KeyRef<'_>,
        now_ms: u64,
        proposal: &stage::Proposal,
        answer: u64,
    ) -> PyResult<()> {
        let (stage, hash) = (self.semantic()?, self.cache.hash(key));
        let Some(owned) = self.cache.peek(hash, key, now_ms, |found| found.key().clone()) else {
            return Ok(());
        };
        stage.insert(proposal, hash, owned, answer).map_err(CoreError)?;
        if self.cache.peek(hash, key, now_ms, |_| ()).is_none() {
            stage.remove(hash);
        }
        uncover(stage, &self.cache);
        Ok(())
    }
}

/// What each entry of a snapshot is charged for its vector. Few have none, and these are charged as though they had one
/// until they are stored anew.
pub(crate) fn charge_of_saved(store: &Store, contents: &Contents<'_>, embedder: &str) -> u64 {
    store.stage.as_ref().map_or(0, |stage| stage.charge_of_saved(contents.semantic, embedder))
}

/// Takes over the semantic part of a snapshot, for the entries that are held again; false: it does not fit.
pub(crate) fn restored(
    store: &Store,
    contents: &Contents<'_>,
    now_ms: u64,
    embedder: &str,
) -> PyResult<bool> {
    let Some(stage) = store.stage.as_ref().filter(|_| !contents.semantic.is_empty()) else { return Ok(true) };
    let held = contents.entries.iter().filter_map(|entry| {
        let hash = store.cache.hash(entry.key);
        store.cache.peek(hash, entry.key, now_ms, |found| (entry.key, (hash, found.key().clone())))
    });
    let outcome = guarded(|| Ok(stage.restore(contents.semantic, embedder, held)))?.map_err(CoreError)?;
    Ok(outcome != Restored::Unfit)
}

/// The entry `named`; where it is `served`, it is credited with the request for `asked`.
fn taken(
    slf: &Bound<'_, Store>,
    named: KeyRef<'_>,
    asked: KeyRef<'_>,
    now_ms: u64,
    served: bool,
) -> PyResult<Option<Hit>> {
    let (py, cache) = (slf.py(), &slf.get().cache);
    let hash = cache.hash(named);
    let found = guarded(|| {
        let read = |found: lecmux_core::shard::Found<'_, Key, Py<PyAny>>| {
            (found.value().clone_ref(py), found.view())
        };
        Ok(if served {
            cache.request_instead(asked, hash, named, now_ms, read)
        } else {
            cache.peek(hash, named, now_ms, read)
        })
    })?;
    found.map(|found| hit(slf, hash, found)).transpose()
}
