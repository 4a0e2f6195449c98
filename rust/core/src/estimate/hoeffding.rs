//! Hoeffding's bound: `mean - range · sqrt(ln(6 T Q / delta) / (2 n))` (Zhu et al. 2023, arXiv 2306.02003).
//!
//! Holds for any costs within the range, and is dominated by it: at a cost ratio of 100 an arm must be looked
//! at ten times before it leaves the floor. Kept for parity with the paper.

use super::config;
use crate::error::Error;

/// `ln(6 T Q / delta)`.
#[inline]
#[must_use]
pub fn log_term(delta: f64, horizon: u64, queries: u64) -> f64 {
    (6.0 * horizon as f64 * queries as f64 / delta).ln()
}

#[inline]
pub(super) fn bonus(n: f64, width: f64, log_term: f64) -> f64 {
    width * (log_term / (2.0 * n)).sqrt()
}

pub(super) fn validate(delta: f64, horizon: u64, queries: u64) -> Result<(), Error> {
    if !(delta > 0.0 && delta < 1.0) {
        return Err(config(format!("delta must lie between 0 and 1, not {delta}")));
    }
    if horizon == 0 || queries == 0 {
        return Err(config(format!("horizon {horizon} and queries {queries} must be at least 1")));
    }
    Ok(())
}
