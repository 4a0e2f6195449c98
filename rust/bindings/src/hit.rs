//! What a lookup gives: the value, decoded afresh where it is stored as bytes, with what is known of the entry.

use lecmux_core::shard::EntryView;
use pyo3::intern;
use pyo3::prelude::*;

use crate::store::Store;
use crate::value;

/// An entry found.
#[expect(clippy::struct_field_names, reason = "they are the names of Python attributes")]
#[pyclass(frozen, get_all, module = "lecmux._core")]
pub(crate) struct Hit {
    value: Py<PyAny>,
    hit_id: String,
    count: f64,
    miss_cost: f64,
    hit_cost: f64,
    size_bytes: u64,
}

/// The object a value stands for.
#[inline]
pub(crate) fn decoded<'py>(slf: &Bound<'py, Store>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match value::encoded(&value) {
        None => Ok(value),
        Some(data) => slf.call_method1(intern!(slf.py(), "_decode"), (data,)),
    }
}

/// The same for a hit: what was stored beside the value may come with it.
fn decoded_hit<'py>(slf: &Bound<'py, Store>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match value::encoded(&value) {
        None => Ok(value),
        Some(data) => slf.call_method1(intern!(slf.py(), "_decode_hit"), (data,)),
    }
}

pub(crate) fn hit(slf: &Bound<'_, Store>, hash: u64, found: (Py<PyAny>, EntryView)) -> PyResult<Hit> {
    let (value, view) = found;
    Ok(Hit {
        value: decoded_hit(slf, value.into_bound(slf.py()))?.unbind(),
        hit_id: format!("{hash:016x}"),
        count: view.count,
        miss_cost: view.miss_cost,
        hit_cost: view.hit_cost,
        size_bytes: view.bytes,
    })
}
