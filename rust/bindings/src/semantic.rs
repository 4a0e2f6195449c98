//! Replays of the semantic decision over texts and vectors, with the interpreter released.

use lecmux_core::semantic::facets::Facets;
use lecmux_core::semantic::features::{Near, features};
use lecmux_core::semantic::model::{Pooled, Record};
use lecmux_core::semantic::{prior, young};
use lecmux_sim::semantic::{Outcome, Stream};
use pyo3::prelude::*;

use crate::error::{CoreError, guarded};
use crate::fork::detached;
use crate::simulate::copied;

/// Hits, wrong hits, audits, and the row asked and served of each request.
type Replayed = (u64, u64, u64, Vec<(usize, Option<usize>)>);

/// Texts with vectors and classes, to be replayed in many orders.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct SemanticStream(Stream);

#[pymethods]
impl SemanticStream {
    /// `vectors`, a buffer of float32 (n, dim), of unit norm; `classes`, a buffer of int64 (n,).
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn new(
        py: Python<'_>,
        texts: Vec<String>,
        classes: &Bound<'_, PyAny>,
        vectors: &Bound<'_, PyAny>,
        dim: usize,
    ) -> PyResult<Self> {
        let classes =
            copied::<i64>(classes, "classes", "int64")?.into_iter().map(i64::cast_unsigned).collect();
        let vectors = copied::<f32>(vectors, "vectors", "float32")?;
        let stream = guarded(|| Ok(detached(py, || Stream::new(&texts, classes, vectors, dim))))?;
        Ok(Self(stream.map_err(CoreError)?))
    }

    /// Hits, wrong hits, audits and the rows (asked, served or None) of the order of `seed`.
    #[pyo3(signature = (seed, *, requests, max_error, hide_answers))]
    fn replay(
        &self,
        py: Python<'_>,
        seed: u64,
        requests: usize,
        max_error: f64,
        hide_answers: bool,
    ) -> PyResult<Replayed> {
        let run = guarded(|| Ok(detached(py, || self.0.replay(seed, requests, max_error, hide_answers))))?;
        let Outcome { hits, wrong_hits, audits, trace } = run.map_err(CoreError)?;
        Ok((hits, wrong_hits, audits, trace))
    }

    /// Hits of the best static threshold in hindsight, and that threshold.
    #[pyo3(signature = (seed, *, requests, max_error))]
    fn hindsight(&self, py: Python<'_>, seed: u64, requests: usize, max_error: f64) -> PyResult<(u64, f64)> {
        guarded(|| Ok(detached(py, || self.0.hindsight(seed, requests, max_error))))
    }
}

/// Whether a cached text's answer would be served for a query of which no stream tells anything yet; the probability
/// that it would be wrong; and the facet that forbids it, or "".
#[pyfunction]
#[pyo3(signature = (cached, query, similarity, *, max_error))]
pub(crate) fn judge_pair(
    cached: &str,
    query: &str,
    similarity: f64,
    max_error: f64,
) -> (bool, f64, &'static str) {
    let words = Facets::of(query).compare(&Facets::of(cached));
    let near = Near { similarity, around: None, surprise: [0.0; 2], entries: 403, agreement: None };
    let model = Pooled::new(&prior::MEANS, &prior::DEVIATIONS);
    let wrong = model.wrong(&features(&near, &words), &Record::default());
    let veto = young::veto(&words);
    (veto.is_none() && wrong <= young::bound(max_error), wrong, veto.unwrap_or(""))
}
