//! Erasing by a predicate of Python's: what there is, and how one entry of it goes.

use lecmux_core::shard::EntryView;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::guarded;
use crate::key::{Part, key_ref, parts};
use crate::store::Store;

/// Text, scope and fingerprint of the key, its `hit_id`, the value as it is kept, cost of a miss, bytes.
type Held = ((String, String, String), String, Py<PyAny>, f64, u64);

/// Every entry, expired ones too, in no order.
#[pyfunction]
pub(crate) fn held_entries(py: Python<'_>, store: &Bound<'_, Store>) -> PyResult<Vec<Held>> {
    const EXPIRED_TOO: u64 = 0;
    let cache = &store.get().cache;
    let entries = guarded(|| Ok(cache.export(EXPIRED_TOO, |value| value.clone_ref(py))))?;
    let told = entries.into_iter().map(|entry| {
        let EntryView { miss_cost, bytes, .. } = entry.view;
        let id = entry.key.as_ref().map_or_else(String::new, |key| format!("{:016x}", cache.hash(key)));
        (parts(&entry.key), id, entry.value, miss_cost, bytes)
    });
    Ok(told.collect())
}

/// Removes an entry where it still has this very `value`: one that was stored anew meanwhile stays.
#[pyfunction]
pub(crate) fn erase_entry(
    store: &Bound<'_, Store>,
    key: &Bound<'_, PyString>,
    scope: Part<'_>,
    fingerprint: Part<'_>,
    value: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let (store, key) = (store.get(), key_ref(key, scope, fingerprint)?);
    guarded(|| {
        let removed = store.cache.delete_if(key, |held| held.is(value));
        store.leave(&removed);
        Ok(removed.is_some())
    })
}
