//! What left a store in one put, dropped outside its locks.

use lecmux_core::key::Key;
use prefetch_index::prefetch_index;
use pyo3::prelude::*;

/// Mostly one entry, which takes no allocation.
///
/// To drop a key and to drop a value is a wait for memory each: both are on their way from the moment on that an
/// entry is handed over, while the put goes on.
#[derive(Default)]
pub(crate) struct Removed {
    one: Option<(Key, Py<PyAny>)>,
    others: Vec<(Key, Py<PyAny>)>,
}

impl Removed {
    /// All of it.
    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Key, Py<PyAny>)> {
        self.one.iter().chain(&self.others)
    }
}

impl Extend<(Key, Py<PyAny>)> for Removed {
    #[inline]
    fn extend<I: IntoIterator<Item = (Key, Py<PyAny>)>>(&mut self, entries: I) {
        for (key, value) in entries {
            key.prefetch();
            prefetch(&value);
            if self.one.is_none() {
                self.one = Some((key, value));
            } else {
                self.others.push((key, value));
            }
        }
    }
}

/// Has the memory fetched that holds the reference count of `object`.
#[inline]
fn prefetch(object: &Py<PyAny>) {
    // An address by its distance from another one: nothing is read there.
    let here: &[u8] = &[];
    prefetch_index(here, (object.as_ptr() as usize).wrapping_sub(here.as_ptr() as usize));
}
