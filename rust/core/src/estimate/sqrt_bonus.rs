//! `mean - sqrt(Q / n)`: the bonus of the published notebook, in cost units and blind to their scale.

use super::config;
use crate::error::Error;

#[inline]
pub(super) fn bonus(n: f64, queries: u64) -> f64 {
    (queries as f64 / n).sqrt()
}

pub(super) fn validate(queries: u64) -> Result<(), Error> {
    if queries == 0 {
        return Err(config("queries must be at least 1, not 0".into()));
    }
    Ok(())
}
