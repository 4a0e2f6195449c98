//! What an entry holds: a Python str or bytes by reference, or bytes that stand for another object.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyString};

use crate::error::ValueTypeError;

/// Size of an empty bytes object.
const BYTES_HEADER: usize = 33;

/// Bytes that stand for an object of the closed schema; decoded to a fresh object on each hit.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct Encoded {
    #[pyo3(get)]
    data: Py<PyBytes>,
}

#[pymethods]
impl Encoded {
    #[new]
    fn new(data: Py<PyBytes>) -> Self {
        Self { data }
    }
}

/// Kinds of values in a snapshot.
const STR: u8 = 0;
const BYTES: u8 = 1;
const ENCODED: u8 = 2;

/// Bytes that keeping `value` takes, where it can be kept as it is by the look of it: bytes, or a str in ASCII.
/// `None` for the rest, which the Python layer looks at more closely.
pub(crate) fn plain_size(value: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        return Ok(Some((BYTES_HEADER + bytes.as_bytes().len()) as u64));
    }
    let Ok(text) = value.cast_exact::<PyString>() else { return Ok(None) };
    // Text in ASCII takes one byte a character beyond the smallest header: quicker to ask than its size.
    if !value.call_method0(intern!(value.py(), "isascii"))?.is(PyBool::new(value.py(), true)) {
        return Ok(None);
    }
    Ok(Some(empty_str_bytes(value.py())? + text.len()? as u64))
}

/// Bytes that keeping `value` takes.
pub(crate) fn size(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok((BYTES_HEADER + bytes.as_bytes().len()) as u64);
    }
    if value.is_instance_of::<PyString>() {
        return size_of_str(value);
    }
    if let Ok(encoded) = value.cast::<Encoded>() {
        let data = encoded.get().data.bind(value.py());
        return Ok((BYTES_HEADER + size_of::<Encoded>() + 16 + data.as_bytes().len()) as u64);
    }
    let kind = value.get_type().name()?;
    Err(ValueTypeError::new_err(format!("a value must be str, bytes or a JSON-able object, not {kind}")))
}

/// Not the length: a str takes 1, 2 or 4 bytes a character.
fn size_of_str(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    value.call_method0(intern!(value.py(), "__sizeof__"))?.extract()
}

/// It differs between versions of the interpreter.
fn empty_str_bytes(py: Python<'_>) -> PyResult<u64> {
    static BYTES: PyOnceLock<u64> = PyOnceLock::new();
    BYTES.get_or_try_init(py, || size_of_str(&PyString::new(py, ""))).copied()
}

/// The bytes of an encoded value, if it is one.
#[inline]
pub(crate) fn encoded<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    if value.is_exact_instance_of::<PyString>() || value.is_exact_instance_of::<PyBytes>() {
        return None;
    }
    value.cast::<Encoded>().ok().map(|encoded| encoded.get().data.bind(value.py()).clone())
}

/// Kind and bytes of a value, for a snapshot.
pub(crate) fn to_bytes(value: &Bound<'_, PyAny>) -> PyResult<(u8, Vec<u8>)> {
    if let Some(data) = encoded(value) {
        return Ok((ENCODED, data.as_bytes().to_vec()));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok((BYTES, bytes.as_bytes().to_vec()));
    }
    // Lone surrogates may stand in a value (not in a key), so this is not plain UTF-8.
    let text = value.call_method1(intern!(value.py(), "encode"), ("utf-8", "surrogatepass"))?;
    Ok((STR, text.cast::<PyBytes>()?.as_bytes().to_vec()))
}

/// The value of a kind and bytes; `None` for what this version does not know.
pub(crate) fn from_bytes(py: Python<'_>, kind: u8, bytes: &[u8]) -> Option<Py<PyAny>> {
    let data = PyBytes::new(py, bytes);
    match kind {
        STR => {
            let text = data.call_method1(intern!(py, "decode"), ("utf-8", "surrogatepass"));
            text.ok().map(Bound::unbind)
        }
        BYTES => Some(data.into_any().unbind()),
        ENCODED => Py::new(py, Encoded::new(data.unbind())).ok().map(Py::into_any),
        _ => None,
    }
}
