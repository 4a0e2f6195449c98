//! Replays of the semantic decision over texts and vectors, with the interpreter released.

use lecmux_core::semantic::facets::Facets;
use lecmux_core::semantic::features::{NAMES, Near, features};
use lecmux_core::semantic::model::{Pooled, Record};
use lecmux_core::semantic::rate::Rate;
use lecmux_core::semantic::{prior, young};
use lecmux_sim::semantic::{Outcome, Settings, Stream, Told};
use pyo3::prelude::*;

use crate::error::{CoreError, guarded};
use crate::fork::detached;
use crate::simulate::copied;

/// Requests, hits, wrong hits; estimate, low and high since the start; the same of late; the truth of late.
type Place = (usize, u64, u64, [f64; 3], [f64; 3], f64);
/// Hits, wrong hits, audits, drifts; the rows asked and served; the curve; the calibration.
type Replayed = ([u64; 4], Vec<(usize, Option<usize>)>, Vec<Place>, Vec<(f64, f64, f64)>);

fn place(told: &Told) -> Place {
    let ends = |rate: Rate| [rate.estimate, rate.low, rate.high];
    let Told { requests, hits: [hits, wrong], rate, recent, recent_truth } = *told;
    (requests, hits, wrong, ends(rate), ends(recent), recent_truth)
}

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

    /// What became of the order of `seed`: see `Replayed`.
    #[pyo3(signature = (seed, *, requests, max_error, hide_answers, redraw=None, serve_contradictions=true))]
    #[expect(clippy::too_many_arguments, reason = "keyword-only settings")]
    fn replay(
        &self,
        py: Python<'_>,
        seed: u64,
        requests: usize,
        max_error: f64,
        hide_answers: bool,
        redraw: Option<usize>,
        serve_contradictions: bool,
    ) -> PyResult<Replayed> {
        let settings =
            Settings { requests, max_error, hide: hide_answers, refuse: !serve_contradictions, redraw };
        let run = guarded(|| Ok(detached(py, || self.0.replay(seed, settings))))?;
        let Outcome { hits, wrong_hits, audits, trace, drifts, curve, calibration } =
            run.map_err(CoreError)?;
        let curve = curve.iter().map(place).collect();
        Ok(([hits, wrong_hits, audits, drifts], trace, curve, calibration))
    }

    /// Features and label of each candidate in the order of `seed`, where nothing is served.
    #[pyo3(signature = (seed, *, requests, hide_answers))]
    fn lessons(
        &self,
        py: Python<'_>,
        seed: u64,
        requests: usize,
        hide_answers: bool,
    ) -> PyResult<Vec<(Vec<f64>, bool)>> {
        let run = guarded(|| Ok(detached(py, || self.0.lessons(seed, requests, hide_answers))))?;
        Ok(run.map_err(CoreError)?.into_iter().map(|(features, right)| (features.to_vec(), right)).collect())
    }

    /// Hits of the best static threshold in hindsight, and that threshold.
    #[pyo3(signature = (seed, *, requests, max_error, redraw=None))]
    fn hindsight(
        &self,
        py: Python<'_>,
        seed: u64,
        requests: usize,
        max_error: f64,
        redraw: Option<usize>,
    ) -> PyResult<(u64, f64)> {
        let settings = Settings { requests, max_error, hide: false, refuse: false, redraw };
        guarded(|| Ok(detached(py, || self.0.hindsight(seed, settings))))
    }
}

/// Entries at which their number speaks neither for nor against a hit: exp(6).
const NEUTRAL_ENTRIES: usize = 403;

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
    let near =
        Near { similarity, around: None, surprise: [0.0; 2], entries: NEUTRAL_ENTRIES, agreement: None };
    let model = Pooled::new(&prior::MEANS, &prior::DEVIATIONS);
    let wrong = model.wrong(&features(&near, &words), &Record::default());
    let veto = young::veto(&words);
    (veto.is_none() && wrong <= young::bound(max_error), wrong, veto.unwrap_or(""))
}

/// Names, means, deviations, bounds.
type Shipped = (Vec<&'static str>, Vec<f64>, Vec<f64>, Vec<(f64, f64)>);

/// What the shipped model starts from: names of the features, means, deviations, and the bounds of pairs judged alone.
#[pyfunction]
pub(crate) fn shipped_prior() -> Shipped {
    (NAMES.to_vec(), prior::MEANS.to_vec(), prior::DEVIATIONS.to_vec(), prior::ALONE.to_vec())
}
