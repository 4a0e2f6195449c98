//! The mean itself. One unlucky first cost is never looked at again, so regret grows linearly: for comparison.

#[inline]
pub(super) const fn bonus() -> f64 {
    0.0
}
