//! Sets of models as bits.

/// The places of the bits set.
pub(super) fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(place)
    })
}

/// The place in a non-empty `set` with the lowest score, `false` before `true`, then the lowest place.
pub(super) fn lowest_by(set: u64, score: impl Fn(usize) -> (f64, bool)) -> usize {
    let mut best = (set.trailing_zeros() as usize, (f64::INFINITY, true));
    for place in bits(set) {
        let this = score(place);
        if this.0 < best.1.0 || (this.0 <= best.1.0 && !this.1 && best.1.1) {
            best = (place, this);
        }
    }
    best.0
}
