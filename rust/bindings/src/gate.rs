//! The gate before the slow embedder of a store's semantic stage.

use lecmux_core::semantic::stage::{Place, Waiting};
use pyo3::prelude::*;

use crate::error::{CoreError, guarded};
use crate::key::Part;
use crate::semantic_stage::Proposal;
use crate::simulate::copied;
use crate::store::Store;

/// Whether anything is as similar as `threshold` to `quick`: the near entries that have no slow vector yet, as
/// (number, text), or None.
#[pyfunction]
#[pyo3(signature = (store, quick, *, threshold, scope=Part::EMPTY, fingerprint=Part::EMPTY, context=""))]
pub(crate) fn knock(
    store: &Bound<'_, Store>,
    quick: &Bound<'_, PyAny>,
    threshold: f64,
    scope: Part<'_>,
    fingerprint: Part<'_>,
    context: &str,
) -> PyResult<Option<Vec<(u64, String)>>> {
    let (stage, quick) = (store.get().semantic()?, copied::<f32>(quick, "quick", "float32")?);
    let place = Place { scope: scope.0, fingerprint: fingerprint.0, context };
    let near = guarded(|| Ok(stage.knock(&place, &quick, threshold)))?.map_err(CoreError)?;
    let named = |Waiting { hash, text }: Waiting| (hash, text.into_string());
    Ok(near.map(|near| near.into_iter().map(named).collect()))
}

/// A request that nothing is near to; `asks` counts it.
#[pyfunction]
#[pyo3(signature = (store, salient, quick, *, asks, scope=Part::EMPTY, fingerprint=Part::EMPTY, context=""))]
pub(crate) fn turned_away(
    store: &Bound<'_, Store>,
    salient: &str,
    quick: &Bound<'_, PyAny>,
    asks: bool,
    scope: Part<'_>,
    fingerprint: Part<'_>,
    context: &str,
) -> PyResult<Proposal> {
    let (stage, quick) = (store.get().semantic()?, copied::<f32>(quick, "quick", "float32")?);
    let place = Place { scope: scope.0, fingerprint: fingerprint.0, context };
    let found = guarded(|| Ok(stage.turned_away(&place, salient, &quick, asks)))?;
    Ok(Proposal::without_candidate(found.map_err(CoreError)?))
}

/// Gives the entry `number` of `knock` its slow vector, where it still waits and is still stored.
#[pyfunction]
pub(crate) fn admit(store: &Bound<'_, Store>, number: u64, vector: &Bound<'_, PyAny>) -> PyResult<()> {
    let (py, store) = (store.py(), store.get());
    let (stage, vector) = (store.semantic()?, copied::<f32>(vector, "vector", "float32")?);
    let now = store.now(py)?;
    let key = guarded(|| Ok(stage.admit(number, &vector)))?.map_err(CoreError)?;
    guarded(|| {
        let Some(key) = key else { return Ok(()) };
        let stored = key.as_ref().and_then(|key| store.cache.peek(number, key, now, |_| ()));
        if stored.is_none() {
            stage.remove(number);
        }
        Ok(())
    })
}
