//! What `Scored` is asked, outside every lock: `_score` of the Python class, which answers a number or None.

use lecmux_core::key::{KEY_OVERHEAD_BYTES, Key, KeyRef};
use lecmux_core::shard::{Cost, ENTRY_OVERHEAD_BYTES, Found, NEVER};
use lecmux_core::snapshot::Entry;
use pyo3::intern;
use pyo3::prelude::*;

use crate::error::guarded;
use crate::store::{Offer, Store};
use crate::value;

/// What is known of an entry.
struct Known<'a, 'py> {
    key: KeyRef<'a>,
    value: Option<&'a Bound<'py, PyAny>>,
    count: f64,
    cost: Option<f64>,
    hit_cost: f64,
    size_bytes: u64,
    /// Time left to live.
    ttl_seconds: Option<f64>,
    /// Whether it is being put.
    new: bool,
}

impl Known<'_, '_> {
    /// The word of the Python class.
    fn score(&self, store: &Bound<'_, Store>) -> PyResult<Option<f64>> {
        let Self { key: KeyRef { scope, fingerprint, text }, value, new, .. } = *self;
        let known = (self.count, self.cost, self.hit_cost, self.size_bytes, self.ttl_seconds);
        store
            .call_method1(intern!(store.py(), "_score"), ((text, scope, fingerprint), value, known, new))?
            .extract()
    }
}

/// The score of an entry that is being put.
#[cold]
pub(crate) fn score_new(
    slf: &Bound<'_, Store>,
    key: KeyRef<'_>,
    value: &Bound<'_, PyAny>,
    offer: &Offer,
) -> PyResult<Option<f64>> {
    let store = slf.get();
    let count = guarded(|| Ok(store.cache.count(key)))?;
    let known = Known {
        key,
        value: Some(value),
        count: if count > 0.0 { count } else { 1.0 },
        cost: match offer.cost {
            Cost::Observed(cost) | Cost::Bound(cost) => Some(cost),
            Cost::Unknown | Cost::Learnt(_) => None,
        },
        hit_cost: offer.hit_cost,
        size_bytes: charged_bytes(key, offer.value_bytes),
        ttl_seconds: offer.ttl_seconds.or(store.default_ttl_seconds),
        new: true,
    };
    known.score(slf)
}

/// The score of an entry of which something was learnt; None where it is not there.
#[cold]
pub(crate) fn score_anew(
    slf: &Bound<'_, Store>,
    key: KeyRef<'_>,
    worth: f64,
    hit_cost: f64,
) -> PyResult<Option<f64>> {
    let (py, store) = (slf.py(), slf.get());
    let now_ms = store.now(py)?;
    let found = guarded(|| {
        let read = |found: Found<'_, Key, Py<PyAny>>| (found.value().clone_ref(py), found.view());
        Ok(store.cache.peek(store.cache.hash(key), key, now_ms, read))
    })?;
    let Some((value, view)) = found else { return Ok(None) };
    let known = Known {
        key,
        value: Some(value.bind(py)),
        count: view.count,
        cost: Some(worth),
        hit_cost,
        size_bytes: view.bytes,
        ttl_seconds: seconds_left(view.expires_ms, now_ms),
        new: false,
    };
    known.score(slf)
}

/// What an entry is charged.
fn charged_bytes(key: KeyRef<'_>, value_bytes: u64) -> u64 {
    let KeyRef { scope, fingerprint, text } = key;
    let parts = (scope.len() + fingerprint.len() + text.len()) as u64;
    value_bytes.saturating_add(parts + KEY_OVERHEAD_BYTES + ENTRY_OVERHEAD_BYTES)
}

/// Seconds from now until then; None for ever.
fn seconds_left(expires_ms: u64, now_ms: u64) -> Option<f64> {
    (expires_ms != NEVER).then(|| expires_ms.saturating_sub(now_ms) as f64 / 1e3)
}

/// Scores entries on their way back from a snapshot, until the first of them raises.
pub(crate) struct Returning<'a, 'py> {
    pub(crate) store: &'a Bound<'py, Store>,
    pub(crate) now_ms: u64,
    pub(crate) raised: Option<PyErr>,
}

impl Returning<'_, '_> {
    pub(crate) fn score(&mut self, entry: &Entry<'_>) -> Option<f64> {
        if self.raised.is_some() {
            return None;
        }
        let value = value::from_bytes(self.store.py(), entry.kind, entry.value);
        let known = Known {
            key: entry.key,
            value: value.as_ref().map(|value| value.bind(self.store.py())),
            count: entry.learnt.count,
            cost: Some(entry.learnt.mean_cost),
            hit_cost: entry.hit_cost,
            size_bytes: charged_bytes(entry.key, entry.value.len() as u64),
            ttl_seconds: seconds_left(entry.expires_ms, self.now_ms),
            new: false,
        };
        known.score(self.store).unwrap_or_else(|error| {
            self.raised = Some(error);
            None
        })
    }
}
