//! `Store`: the cache of the core over Python values.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use lecmux_core::cache::{Cache, Statistics, Terms};
use lecmux_core::config::CacheConfig;
use lecmux_core::evict::Policy;
use lecmux_core::key::KeyRef;
use lecmux_core::semantic::stage::{Proposal as Proposed, Stage};
use lecmux_core::shard::{Cost, NEVER, Outcome};
use lecmux_core::snapshot::{self, Contents};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PySequence, PyString};

use crate::error::{ConfigError, CoreError, guarded};
use crate::fork::detached;
use crate::hit::{Hit, decoded, hit};
use crate::key::{Part, backed, backed_ref, key_ref, parts};
use crate::removed::Removed;
use crate::scored::{Returning, score_anew, score_new};
use crate::semantic_stage::{self, Proposal};
use crate::{convert, value};

/// The compiled part of `lecmux.Cache`.
#[pyclass(frozen, subclass, module = "lecmux._core")]
pub(crate) struct Store {
    pub(crate) cache: Cache<Py<PyAny>>,
    pub(crate) stage: Option<Stage>,
    capacity_bytes: u64,
    clock: Option<Py<PyAny>>,
    pub(crate) default_ttl_seconds: Option<f64>,
    /// Whether any entry ever had a time to live: until then a lookup needs no clock.
    timed: AtomicBool,
    /// Whether `put` may store what needs no encoding without asking the subclass.
    puts_plainly: AtomicBool,
    /// Whether `_score` of the subclass is asked for the score of an entry.
    scored: bool,
}

/// What a put says beside key and value.
pub(crate) struct Offer {
    pub(crate) value_bytes: u64,
    pub(crate) cost: Cost,
    pub(crate) hit_cost: f64,
    pub(crate) ttl_seconds: Option<f64>,
}

#[pymethods]
impl Store {
    #[new]
    #[pyo3(signature = (capacity_bytes, *, evict, estimator, default_ttl_seconds=None, clock=None, seed=0,
                        tenant_share=1.0, shards=None, cost_floor=0.0, cost_ceiling=None, semantic=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword-only settings")]
    fn new(
        capacity_bytes: i128,
        evict: &Bound<'_, PyDict>,
        estimator: &Bound<'_, PyDict>,
        default_ttl_seconds: Option<f64>,
        clock: Option<Py<PyAny>>,
        seed: u64,
        tenant_share: f64,
        shards: Option<u32>,
        cost_floor: f64,
        cost_ceiling: Option<f64>,
        semantic: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let (policy, decay, rescore) = convert::evict(evict)?;
        let capacity_bytes = u64::try_from(capacity_bytes).map_err(|_| {
            ConfigError::new_err(format!("capacity_bytes must be at least 1, got {capacity_bytes}"))
        })?;
        default_ttl_seconds.map_or(Ok(0), ttl_ms)?;
        let stage =
            semantic.map(|settings| semantic_stage::made(settings, capacity_bytes, seed)).transpose()?;
        let aside = stage.as_ref().map_or(0, |stage| stage.config().evidence_bytes());
        let config = CacheConfig {
            capacity_bytes: capacity_bytes - aside,
            policy,
            decay,
            rescore,
            estimator: convert::estimator(estimator)?,
            range: convert::range(cost_floor, cost_ceiling)?,
            tenant_share,
            shards,
            seed,
        };
        let cache = Cache::new(config).map_err(CoreError)?;
        let (timed, puts_plainly) = (AtomicBool::new(false), AtomicBool::new(false));
        let scored = matches!(policy, Policy::Given { .. });
        Ok(Self { cache, stage, capacity_bytes, clock, default_ttl_seconds, timed, puts_plainly, scored })
    }

    /// The value, or None; counts the request, hit or miss.
    #[pyo3(signature = (key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, *, scope='', fingerprint='')")]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyString>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, store) = (slf.py(), slf.get());
        let key = key_ref(key, scope, fingerprint)?;
        let now = store.now(py)?;
        let found = guarded(|| {
            let hash = store.cache.hash(key);
            Ok(store.cache.request(hash, key, now, |found| found.value().clone_ref(py)))
        })?;
        found.map(|found| decoded(slf, found.into_bound(py))).transpose()
    }

    /// As `get` for each key, with the interpreter released.
    #[pyo3(signature = (keys, *, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, keys, *, scope='', fingerprint='')")]
    fn get_many<'py>(
        slf: &Bound<'py, Self>,
        keys: &Bound<'py, PySequence>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (py, store) = (slf.py(), slf.get());
        let texts = keys.try_iter()?.map(|key| backed(&key?)).collect::<PyResult<Vec<_>>>()?;
        let now = store.now(py)?;
        let hashes = guarded(|| {
            Ok(detached(py, || {
                let find = |text| {
                    let key = backed_ref(text, scope, fingerprint);
                    let hash = store.cache.hash(key);
                    store.cache.request(hash, key, now, |_| hash)
                };
                texts.iter().map(find).collect::<Vec<_>>()
            }))
        })?;
        let values = PyList::empty(py);
        for (text, hash) in texts.iter().zip(hashes) {
            let key = backed_ref(text, scope, fingerprint);
            let read = |hash| store.cache.peek(hash, key, now, |found| found.value().clone_ref(py));
            match hash.and_then(read) {
                Some(value) => values.append(decoded(slf, value.into_bound(py))?)?,
                None => values.append(py.None())?,
            }
        }
        Ok(values)
    }

    /// The entry with what is known of it, or None; counts the request.
    #[pyo3(signature = (key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, *, scope='', fingerprint='')")]
    fn lookup<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyString>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<Option<Hit>> {
        let (py, store) = (slf.py(), slf.get());
        let key = key_ref(key, scope, fingerprint)?;
        let (hash, now) = (store.cache.hash(key), store.now(py)?);
        let found = guarded(|| {
            Ok(store.cache.request(hash, key, now, |found| (found.value().clone_ref(py), found.view())))
        })?;
        found.map(|found| hit(slf, hash, found)).transpose()
    }

    /// As `lookup`, uncounted.
    #[pyo3(signature = (key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, *, scope='', fingerprint='')")]
    fn peek<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyString>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<Option<Hit>> {
        let (py, store) = (slf.py(), slf.get());
        let key = key_ref(key, scope, fingerprint)?;
        let (hash, now) = (store.cache.hash(key), store.now(py)?);
        let found = guarded(|| {
            Ok(store.cache.peek(hash, key, now, |found| (found.value().clone_ref(py), found.view())))
        })?;
        found.map(|found| hit(slf, hash, found)).transpose()
    }

    /// Stores `value` where that pays.
    ///
    /// Args:
    ///     key: the exact text it is found under.
    ///     value: str, bytes, or a JSON-able object.
    ///     cost_usd: what making it anew would cost; None takes the running mean.
    ///     ttl_seconds: time to live; None takes `default_ttl_seconds`.
    ///     scope: the tenant.
    ///     fingerprint: what else changes the value.
    ///
    /// Returns:
    ///     False when it was not stored: what is there is worth more, or it is larger than the budget.
    ///
    /// Raises:
    ///     ValueTypeError: for a key or value that cannot be stored, such as None.
    ///     CostError: for a cost that is NaN, negative or infinite.
    ///     ConfigError: for a time to live that is not above 0.
    ///     PriceError: for dollars, where this cache counts seconds.
    #[pyo3(signature = (key, value, *, cost_usd=None, ttl_seconds=None, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, value, *, cost_usd=None, ttl_seconds=None, scope='', fingerprint='')")]
    fn put(
        slf: &Bound<'_, Self>,
        key: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
        cost_usd: Option<f64>,
        ttl_seconds: Option<f64>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<bool> {
        let (py, store) = (slf.py(), slf.get());
        if store.puts_plainly.load(Ordering::Relaxed) {
            let key = key_ref(key, scope, fingerprint)?;
            let hash = store.cache.hash(key);
            // The memory comes while the value is looked at.
            store.cache.prefetch(hash);
            if let Some(value_bytes) = value::plain_size(value)? {
                let cost = cost_usd.map_or(Cost::Unknown, Cost::Observed);
                let offer = Offer { value_bytes, cost, hit_cost: 0.0, ttl_seconds };
                return offered(slf, hash, key, value, &offer, None);
            }
        }
        let terms = PyDict::new(py);
        terms.set_item(intern!(py, "cost_usd"), cost_usd)?;
        terms.set_item(intern!(py, "ttl_seconds"), ttl_seconds)?;
        terms.set_item(intern!(py, "scope"), scope.0)?;
        terms.set_item(intern!(py, "fingerprint"), fingerprint.0)?;
        slf.call_method(intern!(py, "_put"), (key, value), Some(&terms))?.extract()
    }

    /// Lets `put` store str in ASCII and bytes by itself from now on: costs are dollars and nobody listens.
    fn _put_plainly(&self) {
        self.puts_plainly.store(true, Ordering::Relaxed);
    }

    /// Stores where that pays. `worth` bounds the cost of a miss from outside, in place of `cost`. `proposal`, with a
    /// number that names the value, lets the entry answer for others.
    #[pyo3(signature = (key, value, *, cost=None, ttl_seconds=None, scope=Part::EMPTY, fingerprint=Part::EMPTY, hit_cost=0.0,
                        worth=None, proposal=None),
        text_signature = "($self, key, value, *, cost=None, ttl_seconds=None, scope='', fingerprint='', hit_cost=0.0, worth=None, proposal=None)")]
    #[expect(clippy::too_many_arguments, reason = "keyword-only terms")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn put_value(
        slf: &Bound<'_, Self>,
        key: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
        cost: Option<f64>,
        ttl_seconds: Option<f64>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
        hit_cost: f64,
        worth: Option<f64>,
        proposal: Option<(PyRef<'_, Proposal>, u64)>,
    ) -> PyResult<bool> {
        let cost = match (worth, cost) {
            (Some(bound), _) => Cost::Bound(bound),
            (None, Some(cost)) => Cost::Observed(cost),
            (None, None) => Cost::Unknown,
        };
        let offer = Offer { value_bytes: value::size(value)?, cost, hit_cost, ttl_seconds };
        let proposal = proposal.as_ref().map(|(proposal, answer)| (proposal.read(), *answer));
        let proposal = proposal.as_ref().map(|(proposal, answer)| (&**proposal, *answer));
        let key = key_ref(key, scope, fingerprint)?;
        offered(slf, slf.get().cache.hash(key), key, value, &offer, proposal)
    }

    /// Gives an entry a new worth; False when it is not there.
    #[pyo3(signature = (key, *, worth, hit_cost, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, *, worth, hit_cost, scope='', fingerprint='')")]
    fn revalue(
        slf: &Bound<'_, Self>,
        key: &Bound<'_, PyString>,
        worth: f64,
        hit_cost: f64,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<bool> {
        let (key, store) = (key_ref(key, scope, fingerprint)?, slf.get());
        let given = if store.scored { score_anew(slf, key, worth, hit_cost)? } else { None };
        Ok(guarded(|| Ok(store.cache.revalue(key, worth, hit_cost, given)))?.map_err(CoreError)?)
    }

    /// Decayed count of the requests for a key, resident or not.
    #[pyo3(signature = (key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, *, scope='', fingerprint='')")]
    fn count(&self, key: &Bound<'_, PyString>, scope: Part<'_>, fingerprint: Part<'_>) -> PyResult<f64> {
        let key = key_ref(key, scope, fingerprint)?;
        guarded(|| Ok(self.cache.count(key)))
    }

    /// What would leave for a new entry, as (text, scope, fingerprint); None: the entry would be declined.
    #[pyo3(signature = (key, *, value_bytes, worth=None, given=None, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, *, value_bytes, worth=None, given=None, scope='', fingerprint='')")]
    fn would_evict(
        &self,
        key: &Bound<'_, PyString>,
        value_bytes: u64,
        worth: Option<f64>,
        given: Option<f64>,
        scope: Part<'_>,
        fingerprint: Part<'_>,
    ) -> PyResult<Option<Vec<(String, String, String)>>> {
        let key = key_ref(key, scope, fingerprint)?;
        let leaving = guarded(|| Ok(self.cache.would_evict(key, value_bytes, worth, given)))?;
        Ok(leaving.map(|keys| keys.iter().map(parts).collect()))
    }

    /// The keys of one scope and fingerprint, in no order; a look at every entry there is.
    #[pyo3(signature = (*, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, *, scope='', fingerprint='')")]
    fn keys(&self, py: Python<'_>, scope: Part<'_>, fingerprint: Part<'_>) -> PyResult<Vec<String>> {
        let now = self.now(py)?;
        let found = guarded(|| Ok(self.cache.keys(scope.0, fingerprint.0, now)))?;
        Ok(found.iter().map(|key| parts(key).0).collect())
    }

    /// Removes an entry; False when it is not there.
    #[pyo3(signature = (key, *, scope=Part::EMPTY, fingerprint=Part::EMPTY),
        text_signature = "($self, key, *, scope='', fingerprint='')")]
    fn delete(&self, key: &Bound<'_, PyString>, scope: Part<'_>, fingerprint: Part<'_>) -> PyResult<bool> {
        let key = key_ref(key, scope, fingerprint)?;
        guarded(|| {
            let removed = self.cache.delete(key);
            self.leave(&removed);
            Ok(removed.is_some())
        })
    }

    /// Removes the entry that a hit named by its `hit_id`; False when it is gone.
    fn forget(&self, hit_id: &str) -> PyResult<bool> {
        let hash = u64::from_str_radix(hit_id, 16)
            .map_err(|_| ConfigError::new_err(format!("{hit_id:?} is not a hit_id of this cache")))?;
        guarded(|| {
            let removed = self.cache.delete_hash(hash);
            self.leave(&removed);
            Ok(removed.is_some())
        })
    }

    /// Removes all entries, or those of one scope; returns how many.
    #[pyo3(signature = (scope=None))]
    fn clear(&self, scope: Option<Part<'_>>) -> PyResult<usize> {
        guarded(|| {
            let scope = scope.map(|scope| scope.0);
            let removed = self.cache.clear(scope);
            self.leave(&removed);
            self.stage.iter().for_each(|stage| stage.clear(scope));
            Ok(removed.len())
        })
    }

    /// Counters by name.
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Statistics {
            entries,
            used_bytes,
            history_bytes,
            structure_bytes,
            incidents,
            failed_shards,
            half_life_requests,
            totals,
        } = guarded(|| Ok(self.cache.statistics()))?;
        let to = PyDict::new(py);
        for (name, value) in [
            ("entries", entries),
            ("used_bytes", used_bytes),
            ("history_bytes", history_bytes),
            ("structure_bytes", structure_bytes),
            ("capacity_bytes", self.capacity_bytes),
            ("incidents", incidents),
            ("failed_shards", failed_shards),
            ("hits", totals.hits),
            ("misses", totals.misses),
            ("stored", totals.stored),
            ("bypassed", totals.bypassed),
            ("too_large", totals.too_large),
            ("evicted", totals.evicted),
            ("expired", totals.expired),
            ("saved_nano", totals.saved_nano),
        ] {
            to.set_item(name, value)?;
        }
        to.set_item("half_life_requests", half_life_requests)?;
        Ok(to)
    }

    /// Raises `InternalError` unless every invariant holds.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        guarded(|| {
            detached(py, || {
                self.cache.check();
                self.stage.iter().for_each(Stage::check);
            });
            Ok(())
        })
    }

    /// The whole state in a checksummed envelope; `about` is kept with it. `embedder` names what makes the vectors of the
    /// semantic stage.
    #[pyo3(signature = (about, embedder=""))]
    fn to_bytes<'py>(&self, py: Python<'py>, about: &str, embedder: &str) -> PyResult<Bound<'py, PyBytes>> {
        let now = self.now(py)?;
        let entries = guarded(|| Ok(self.cache.export(now, |value| value.clone_ref(py))))?;
        let bytes = entries.iter().map(|entry| value::to_bytes(entry.value.bind(py)));
        let values = bytes.collect::<PyResult<Vec<_>>>()?;
        let sealed = guarded(|| {
            Ok(detached(py, || {
                let semantic = self.stage.as_ref().map_or_else(Vec::new, |stage| stage.to_bytes(embedder));
                let pairs = entries.iter().zip(&values);
                let entries = pairs.map(|(entry, (kind, value))| snapshot::entry(entry, *kind, value));
                let contents = Contents {
                    about,
                    entries: entries.collect::<Result<_, _>>()?,
                    history: self.cache.history(),
                    semantic: &semantic,
                };
                Ok(snapshot::encode(&contents))
            }))
        })?;
        Ok(PyBytes::new(py, &sealed.map_err(CoreError)?))
    }

    /// Takes over the entries and counts of a snapshot; returns how many entries fitted, and whether its semantic part
    /// did: it does not where another embedder than `embedder` made it.
    #[pyo3(signature = (sealed, embedder=""))]
    fn restore(slf: &Bound<'_, Self>, sealed: &[u8], embedder: &str) -> PyResult<(u64, bool)> {
        let (py, store) = (slf.py(), slf.get());
        let contents = snapshot::decode(sealed).map_err(CoreError)?;
        if contents.entries.iter().any(|entry| entry.expires_ms != NEVER) {
            store.timed.store(true, Ordering::Relaxed);
        }
        let now_ms = store.now(py)?;
        let mut returning = Returning { store: slf, now_ms, raised: None };
        let (extra, mut removed) = (semantic_stage::charge_of_saved(store, &contents, embedder), Vec::new());
        let taken = guarded(|| {
            let made = |entry: &snapshot::Entry<'_>| value::from_bytes(py, entry.kind, entry.value);
            let terms = |entry: &snapshot::Entry<'_>| {
                (if store.scored { returning.score(entry) } else { None }, extra)
            };
            Ok(store.cache.restore_scored(&contents, now_ms, made, terms, &mut removed))
        })?;
        store.leave(&removed);
        drop(removed);
        returning.raised.map_or(Ok(()), Err)?;
        let taken = taken.map_err(CoreError)?;
        Ok((taken, semantic_stage::restored(store, &contents, now_ms, embedder)?))
    }

    fn __len__(&self) -> PyResult<usize> {
        guarded(|| Ok(self.cache.len()))
    }

    /// Panics inside the lock of the shard of `key`; for tests of what happens then.
    fn _panic(&self, key: &str) -> PyResult<()> {
        guarded(|| {
            self.cache.panic_in_shard(KeyRef { scope: "", fingerprint: "", text: key });
            Ok(())
        })
    }
}

impl Store {
    /// Now in ms since 1970 by the clock given, or by the system's.
    #[inline]
    pub(crate) fn now(&self, py: Python<'_>) -> PyResult<u64> {
        if self.timed.load(Ordering::Relaxed) { self.read_clock(py) } else { Ok(0) }
    }

    fn read_clock(&self, py: Python<'_>) -> PyResult<u64> {
        let seconds = match &self.clock {
            Some(clock) => clock.bind(py).call0()?.extract()?,
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |age| age.as_secs_f64()),
        };
        Ok(whole(seconds * 1e3))
    }

    /// Now and the expiry of an entry put now, both in ms.
    fn expiry(&self, py: Python<'_>, ttl_seconds: Option<f64>) -> PyResult<(u64, u64)> {
        let Some(ttl) = ttl_seconds.or(self.default_ttl_seconds) else { return Ok((self.now(py)?, NEVER)) };
        let ttl = ttl_ms(ttl)?;
        self.timed.store(true, Ordering::Relaxed);
        let now = self.read_clock(py)?;
        Ok((now, now.saturating_add(ttl)))
    }
}

/// Whether `value` was stored. What leaves for it is dropped here, outside every lock.
fn offered(
    slf: &Bound<'_, Store>,
    hash: u64,
    key: KeyRef<'_>,
    value: &Bound<'_, PyAny>,
    offer: &Offer,
    proposal: Option<(&Proposed, u64)>,
) -> PyResult<bool> {
    let store = slf.get();
    let &Offer { value_bytes, cost, hit_cost, ttl_seconds } = offer;
    let proposal = store.stage.as_ref().zip(proposal);
    let charge = proposal.map_or(0, |(stage, (proposal, _))| stage.charge(proposal, key.text));
    let value_bytes = value_bytes.saturating_add(charge);
    let (now_ms, expires_ms) = store.expiry(value.py(), ttl_seconds)?;
    let given = if store.scored { score_new(slf, key, value, offer)? } else { None };
    let terms = Terms { value_bytes, cost, hit_cost, given, expires_ms };
    let mut removed = Removed::default();
    let value = value.clone().unbind();
    let outcome = guarded(|| Ok(store.cache.put_hashed(hash, key, value, terms, now_ms, &mut removed)))?;
    store.leave(removed.iter());
    let stored = matches!(outcome.map_err(CoreError)?, Outcome::Stored { .. });
    if let Some((_, (proposal, answer))) = proposal.filter(|_| stored) {
        guarded(|| store.enter(key, now_ms, proposal, answer))?;
    }
    Ok(stored)
}

fn ttl_ms(seconds: f64) -> PyResult<u64> {
    if seconds.is_finite() && seconds > 0.0 {
        return Ok(whole((seconds * 1e3).ceil()));
    }
    Err(ConfigError::new_err(format!("a time to live must be a positive number of seconds, got {seconds}")))
}

/// The whole part; 0 for NaN and below 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates from floats")]
fn whole(value: f64) -> u64 {
    value as u64
}
