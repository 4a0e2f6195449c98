//! Memory that follows the need: vectors grow by a quarter, not to the double.

/// Makes room for one more.
#[inline]
pub(crate) fn for_one<T>(vec: &mut Vec<T>) {
    if vec.len() == vec.capacity() {
        vec.reserve_exact((vec.len() / 4).max(4));
    }
}

/// Fills up to `len` with `value`.
pub(crate) fn fill<T: Clone>(vec: &mut Vec<T>, len: usize, value: T) {
    if len > vec.capacity() {
        vec.reserve_exact(len - vec.len() + vec.len() / 4);
    }
    vec.resize(len.max(vec.len()), value);
}
