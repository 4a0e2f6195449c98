//! Empirical Bernstein (Maurer and Pontil 2009, arXiv 0907.3740):
//! `mean - sqrt(2 v x / n) - 7 range x / (3 (n - 1))` with `x = ln(6 T Q / delta)` and `v` the sample variance.
//!
//! Narrow where an arm hardly varies, but only after the range term has faded: 45 looks at a cost ratio of 100.

/// The bonus of an arm seen `n` times; infinite at `n == 1` (no variance yet) and where none is kept.
#[inline]
#[must_use]
pub fn bonus(n: f64, variance: Option<f64>, width: f64, log_term: f64) -> f64 {
    match variance {
        Some(v) if n > 1.0 => (2.0 * v * log_term / n).sqrt() + 7.0 * width * log_term / (3.0 * (n - 1.0)),
        _ => f64::INFINITY,
    }
}
