//! `optimum` and `lower_bound`: what a trace costs at best, with the interpreter released.

use lecmux_core::error::Error;
use lecmux_sim::Trace;
use lecmux_sim::bound::{pfoo_l, uncached};
use lecmux_sim::optimum::{self as best, Kind, Law, Pay};
use pyo3::prelude::*;

use crate::error::{ConfigError, CoreError, guarded};
use crate::fork::detached;
use crate::simulate::copied;

/// Cost of `ids`, a buffer of int64 (T,), at `costs`, float64 (T, models) in C order, at the optimum of `kind`.
#[pyfunction]
#[pyo3(signature = (ids, costs, *, models, capacity, kind, mean=false, means=None, sizes=None))]
#[expect(clippy::too_many_arguments, reason = "keyword-only settings")]
pub(crate) fn optimum(
    py: Python<'_>,
    ids: &Bound<'_, PyAny>,
    costs: &Bound<'_, PyAny>,
    models: usize,
    capacity: u64,
    kind: &str,
    mean: bool,
    means: Option<&Bound<'_, PyAny>>,
    sizes: Option<&Bound<'_, PyAny>>,
) -> PyResult<f64> {
    let kind = match kind {
        "static" => Kind::Static,
        "static_cold" => Kind::StaticCold,
        "dynamic" => Kind::Dynamic,
        "dynamic_warm" => Kind::DynamicWarm,
        _ => return Err(ConfigError::new_err(format!("no optimum is called {kind:?}"))),
    };
    let means = means.map(|means| copied::<f64>(means, "means", "float64")).transpose()?;
    over(py, ids, costs, models, sizes, |trace| {
        let pay = match &means {
            Some(means) => Pay::MeansGiven(means),
            None if mean => Pay::MeanCheapest,
            None => Pay::Cheapest,
        };
        best::optimum(trace, capacity, kind, pay)
    })
}

/// A cost that no schedule goes below, sizes or not.
#[pyfunction]
#[pyo3(signature = (ids, costs, *, models, capacity, sizes=None))]
pub(crate) fn lower_bound(
    py: Python<'_>,
    ids: &Bound<'_, PyAny>,
    costs: &Bound<'_, PyAny>,
    models: usize,
    capacity: u64,
    sizes: Option<&Bound<'_, PyAny>>,
) -> PyResult<f64> {
    over(py, ids, costs, models, sizes, |trace| {
        Ok((uncached(trace, None) - pfoo_l(trace, capacity, None)).max(0.0))
    })
}

/// What a policy pays that knows the law and explores.
#[pyfunction]
#[pyo3(signature = (ids, costs, *, models, capacity, popularity, means, arm_means, sizes=None))]
#[expect(clippy::too_many_arguments, reason = "keyword-only settings")]
pub(crate) fn exploration_floor(
    py: Python<'_>,
    ids: &Bound<'_, PyAny>,
    costs: &Bound<'_, PyAny>,
    models: usize,
    capacity: u64,
    popularity: &Bound<'_, PyAny>,
    means: &Bound<'_, PyAny>,
    arm_means: &Bound<'_, PyAny>,
    sizes: Option<&Bound<'_, PyAny>>,
) -> PyResult<f64> {
    let popularity = copied::<f64>(popularity, "popularity", "float64")?;
    let means = copied::<f64>(means, "means", "float64")?;
    let arm_means = copied::<f64>(arm_means, "arm_means", "float64")?;
    over(py, ids, costs, models, sizes, |trace| {
        best::floor(trace, capacity, Law { popularity: &popularity, means: &means, arm_means: &arm_means })
    })
}

/// Calls `work` on the trace in these buffers, with the interpreter released.
fn over(
    py: Python<'_>,
    ids: &Bound<'_, PyAny>,
    costs: &Bound<'_, PyAny>,
    models: usize,
    sizes: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Trace<'_>) -> Result<f64, Error> + Send,
) -> PyResult<f64> {
    // Copied: another thread may write to the buffers while the interpreter is released.
    let (ids, costs) = (copied::<i64>(ids, "ids", "int64")?, copied::<f64>(costs, "costs", "float64")?);
    let sizes = sizes.map(|sizes| copied::<i64>(sizes, "sizes", "int64")).transpose()?;
    let found = guarded(|| {
        Ok(detached(py, || Trace::new(&ids, &costs, models, sizes.as_deref()).and_then(|trace| work(&trace))))
    })?;
    Ok(found.map_err(CoreError)?)
}
