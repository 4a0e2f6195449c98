//! `offline`: the paper's offline protocol over buffers, with the interpreter released.

use lecmux_sim::{Offline, Rank, Trace, offline as serve};
use pyo3::prelude::*;

use crate::error::{CoreError, guarded};
use crate::fork::detached;
use crate::simulate::{Outcome, copied, outcome};

/// Serves `ids` at `costs`, buffers as `simulate` takes them, from the static set that ranks highest by counts
/// (`believed` None) or by costs under a selector of accuracy `believed`.
#[pyfunction]
#[pyo3(signature = (ids, costs, *, models, capacity, believed, accuracy, arm=None, sizes=None, seed=0))]
#[expect(clippy::too_many_arguments, reason = "keyword-only settings")]
pub(crate) fn offline<'py>(
    py: Python<'py>,
    ids: &Bound<'py, PyAny>,
    costs: &Bound<'py, PyAny>,
    models: usize,
    capacity: u64,
    believed: Option<f64>,
    accuracy: f64,
    arm: Option<usize>,
    sizes: Option<&Bound<'py, PyAny>>,
    seed: u64,
) -> PyResult<Outcome<'py>> {
    let rank = believed.map_or(Rank::Count, |accuracy| Rank::Cost { accuracy });
    let settings = Offline { capacity, rank, accuracy, arm, seed };
    let (ids, costs) = (copied::<i64>(ids, "ids", "int64")?, copied::<f64>(costs, "costs", "float64")?);
    let sizes = sizes.map(|sizes| copied::<i64>(sizes, "sizes", "int64")).transpose()?;
    let run = guarded(|| {
        Ok(detached(py, || {
            let trace = Trace::new(&ids, &costs, models, sizes.as_deref())?;
            serve(&trace, &settings)
        }))
    })?;
    Ok(outcome(py, run.map_err(CoreError)?))
}
