//! `simulate`: a replay over buffers, with the interpreter released.

use lecmux_sim::{Curve, Feedback, Multiplexer, Replay, Settings, Trace, replay};
use pyo3::buffer::{Element, PyBuffer, PyUntypedBuffer};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::convert;
use crate::error::{ConfigError, CoreError, guarded};
use crate::fork::detached;

/// Total cost, hits, the choice of each request as int8 (-1: a hit), places of the curve and the cost up to each,
/// and the queries resident at the end.
pub(crate) type Outcome<'py> = (f64, u64, Bound<'py, PyBytes>, (Vec<i64>, Vec<f64>), Vec<i64>);

/// Replays `ids`, a buffer of int64 (T,), at `costs`, a buffer of float64 (T, models) in C order; `success`, a
/// byte a cost, goes with the artifact's feedback. At most one of `guess`, int8 by query (or by request, where
/// `guess_each`), and `prior`, float64 (queries, models) in C order, advises; `resident`, int64, is held for good.
#[pyfunction]
#[pyo3(signature = (ids, costs, *, models, capacity, evict, estimator, cost_floor=0.0, cost_ceiling=None,
                    sizes=None, arm=None, seed=0, artifact=false, success=None, guess=None, guess_each=false,
                    prior=None, strength=1.0, resident=None))]
#[expect(clippy::too_many_arguments, reason = "keyword-only settings")]
pub(crate) fn simulate<'py>(
    py: Python<'py>,
    ids: &Bound<'py, PyAny>,
    costs: &Bound<'py, PyAny>,
    models: usize,
    capacity: u64,
    evict: &Bound<'py, PyDict>,
    estimator: &Bound<'py, PyDict>,
    cost_floor: f64,
    cost_ceiling: Option<f64>,
    sizes: Option<&Bound<'py, PyAny>>,
    arm: Option<usize>,
    seed: u64,
    artifact: bool,
    success: Option<&[u8]>,
    guess: Option<&Bound<'py, PyAny>>,
    guess_each: bool,
    prior: Option<&Bound<'py, PyAny>>,
    strength: f64,
    resident: Option<&Bound<'py, PyAny>>,
) -> PyResult<Outcome<'py>> {
    let (policy, decay, rescore) = convert::evict(evict)?;
    let guess = guess.map(|guess| copied::<i8>(guess, "guess", "int8")).transpose()?;
    let prior = prior.map(|prior| copied::<f64>(prior, "prior", "float64")).transpose()?;
    let resident = resident.map(|ids| copied::<i64>(ids, "resident", "int64")).transpose()?;
    let multiplexer = match (&guess, &prior) {
        (Some(guess), _) if guess_each => Some(Multiplexer::GuessEach(guess)),
        (Some(guess), _) => Some(Multiplexer::Guess(guess)),
        (None, Some(means)) => Some(Multiplexer::Prior { means, strength }),
        (None, None) => None,
    };
    let settings = Settings {
        decay,
        rescore,
        range: convert::range(cost_floor, cost_ceiling)?,
        feedback: if artifact { Feedback::Artifact } else { Feedback::Bandit },
        arm,
        multiplexer,
        resident: resident.as_deref(),
        seed,
        ..Settings::new(capacity, policy, convert::estimator(estimator)?)
    };
    // Copied: another thread may write to the buffers while the interpreter is released.
    let (ids, costs) = (copied::<i64>(ids, "ids", "int64")?, copied::<f64>(costs, "costs", "float64")?);
    let sizes = sizes.map(|sizes| copied::<i64>(sizes, "sizes", "int64")).transpose()?;
    let success: Option<Vec<bool>> = success.map(|flags| flags.iter().map(|&flag| flag != 0).collect());
    let run = guarded(|| {
        Ok(detached(py, || {
            let trace = Trace::new(&ids, &costs, models, sizes.as_deref())?;
            let trace = success.as_deref().map_or(Ok(trace), |success| trace.with_success(success))?;
            replay(&trace, &settings)
        }))
    })?;
    Ok(outcome(py, run.map_err(CoreError)?))
}

/// A replay as Python takes it.
pub(crate) fn outcome(py: Python<'_>, run: Replay) -> Outcome<'_> {
    let Replay { total_cost, hits, choices, curve: Curve { requests, costs }, resident } = run;
    let choices: Vec<u8> = choices.into_iter().map(i8::cast_unsigned).collect();
    (total_cost, hits, PyBytes::new(py, &choices), (requests, costs), resident)
}

/// The items of a buffer.
pub(crate) fn copied<T: Element>(buffer: &Bound<'_, PyAny>, name: &str, kind: &str) -> PyResult<Vec<T>> {
    if PyUntypedBuffer::get(buffer).is_ok_and(|buffer| buffer.item_count() == 0) {
        // Its address is nobody's, and may be refused as unaligned.
        return Ok(Vec::new());
    }
    let typed = PyBuffer::<T>::get(buffer)
        .map_err(|error| ConfigError::new_err(format!("{name} must be a buffer of {kind}: {error}")))?;
    typed.to_vec(buffer.py())
}
