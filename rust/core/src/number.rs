//! Conversions that lose something, each in one place, each saturating.

/// Half the room and half the digits. Never infinite: that could not be read back from a snapshot, and times a
/// count that underflowed it is no number.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "half the digits is the purpose")]
pub(crate) fn narrow(value: f64) -> f32 {
    value.min(f64::from(f32::MAX)) as f32
}

/// The whole part; 0 below and for NaN.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates from floats")]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}
