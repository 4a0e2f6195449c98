//! `Tally`: sums that wait to be taken over by a ledger.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use lecmux_core::tally::{self, Place, Row, nano};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;

const SECONDS: &str = "seconds";
const SECONDS_A_DAY: f64 = 86_400.0;
/// Amounts, the first of the columns.
const AMOUNTS: usize = 6;
const SPENT: usize = 0;
const SAVED_BY_HITS: usize = 1;
const CALLS: usize = 6;
const HITS: usize = 7;
const UNPRICED: usize = 8;

/// Unit, day, scope, model, and the sums in billionths.
type Drained = (String, i64, String, String, Vec<i128>);

/// The compiled part of `lecmux.costs.Ledger`.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Tally(Mutex<tally::Tally>);

#[pymethods]
impl Tally {
    #[new]
    fn new() -> Self {
        Self(Mutex::default())
    }

    /// Adds `amounts` of `unit`, and counts `kind`: "call", "hit" or neither. `seconds` of the model's time go to
    /// the seconds as well where the unit is another. `now`: seconds since 1970, None for the system's clock.
    ///
    /// Returns whether there is so much that it should be drained.
    #[expect(clippy::too_many_arguments, reason = "as many as its one caller has, without a dictionary")]
    fn add(
        &self,
        unit: &str,
        scope: &Bound<'_, PyString>,
        model: &Bound<'_, PyString>,
        kind: Option<&str>,
        amounts: [f64; AMOUNTS],
        unpriced: bool,
        seconds: Option<f64>,
        now: Option<f64>,
    ) -> PyResult<bool> {
        let mut whole = [0; AMOUNTS];
        for (whole, amount) in whole.iter_mut().zip(amounts) {
            *whole = billionths(amount)?;
        }
        let taken = seconds.filter(|_| unit != SECONDS).map(billionths).transpose()?;
        // A name may be no text at all; what is added under it counts all the same.
        let (scope, model) = (scope.to_string_lossy(), model.to_string_lossy());
        let place = Place { unit, day: day(now), scope: &scope, model: &model };
        let counted = kind.map(|kind| if kind == "hit" { HITS } else { CALLS });
        let mut tally = self.lock();
        let sums = tally.at(place);
        sums.iter_mut().zip(whole).for_each(|(sum, amount)| *sum += amount);
        for column in counted.into_iter().chain(unpriced.then_some(UNPRICED)) {
            sums[column] += 1;
        }
        if let Some(taken) = taken {
            let sums = tally.at(Place { unit: SECONDS, ..place });
            sums[if counted == Some(HITS) { SAVED_BY_HITS } else { SPENT }] += taken;
            if let Some(column) = counted {
                sums[column] += 1;
            }
        }
        Ok(tally.is_full())
    }

    /// Adds a hit that saved `saved` of `unit` and `seconds` of the model's time; returns as `add`.
    fn add_hit(
        &self,
        unit: &str,
        scope: &Bound<'_, PyString>,
        model: &Bound<'_, PyString>,
        saved: f64,
        seconds: f64,
        now: Option<f64>,
    ) -> PyResult<bool> {
        let mut amounts = [0.0; AMOUNTS];
        amounts[SAVED_BY_HITS] = saved;
        self.add(unit, scope, model, Some("hit"), amounts, false, Some(seconds), now)
    }

    /// Takes everything out.
    fn drain(&self) -> Vec<Drained> {
        self.lock().drain().iter().map(drained).collect()
    }
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, tally::Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drained(row: &Row) -> Drained {
    let Place { unit, day, scope, model } = row.place();
    (unit.to_owned(), day, scope.to_owned(), model.to_owned(), row.sums.to_vec())
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates from floats")]
fn day(now: Option<f64>) -> i64 {
    let system = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    (now.unwrap_or_else(system) / SECONDS_A_DAY).floor() as i64
}

/// The errors are those of Python's `round`.
fn billionths(amount: f64) -> PyResult<i128> {
    nano(amount).ok_or_else(|| {
        if amount.is_nan() {
            PyValueError::new_err("an amount must be a number, not NaN")
        } else {
            PyOverflowError::new_err("an amount must be finite")
        }
    })
}
