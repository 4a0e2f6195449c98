//! What was learnt ↔ numbers, for snapshots.
//!
//! Each part writes its numbers one after the other and reads them back in the same order. What does not read back as a
//! state that could have been written is refused as a whole.

/// Numbers that are read one after the other.
pub(super) type Numbers<'a> = std::slice::Iter<'a, f64>;

/// A part of the evidence that a snapshot keeps.
pub(super) trait Saved {
    /// Appends its state.
    fn save(&self, to: &mut Vec<f64>);

    /// Takes over what `save` wrote; `None`: that is no state, and this one is not to be used any more.
    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()>;
}

/// The next number, if it is finite.
pub(super) fn finite(from: &mut Numbers<'_>) -> Option<f64> {
    from.next().copied().filter(|number| number.is_finite())
}

/// The next number, if it is finite and not negative.
pub(super) fn amount(from: &mut Numbers<'_>) -> Option<f64> {
    finite(from).filter(|&number| number >= 0.0)
}

/// The next number, if it is a count.
pub(super) fn count(from: &mut Numbers<'_>) -> Option<u64> {
    const MOST: f64 = 9e15;
    let number = amount(from).filter(|&number| number.fract() == 0.0 && number < MOST)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and in range")]
    Some(number as u64)
}

/// The next numbers into `to`, if `read` accepts each.
pub(super) fn each(
    to: &mut [f64],
    from: &mut Numbers<'_>,
    read: fn(&mut Numbers<'_>) -> Option<f64>,
) -> Option<()> {
    to.iter_mut().try_for_each(|number| {
        *number = read(from)?;
        Some(())
    })
}
