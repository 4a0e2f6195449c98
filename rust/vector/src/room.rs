//! Lists whose reserve stays close to what they hold: it grows by an eighth while a list is short, by a 64th once it
//! is long. Linux moves a long list by its pages, not its bytes.

/// Bytes from which a list is long.
const LONG: usize = 1 << 20;

/// Makes room for `more` items.
pub(crate) fn grow<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        let share = if size_of_val(list.as_slice()) < LONG { 8 } else { 64 };
        list.reserve_exact(more.max(list.len() / share));
    }
}

/// Gives back what is no longer needed.
pub(crate) fn shrink<T>(list: &mut Vec<T>) {
    if list.len() < list.capacity() / 4 * 3 {
        list.shrink_to(list.len() + list.len() / 8);
    }
}

/// Bytes reserved.
pub(crate) fn bytes<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}
