//! Python's text as the parts of a key, and back; what is no text is refused by type.

use lecmux_core::key::{Key, KeyRef};
use pyo3::Borrowed;
use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyString;

use crate::error::ValueTypeError;

#[inline]
pub(crate) fn key_ref<'a>(
    key: &'a Bound<'_, PyString>,
    scope: Part<'a>,
    fingerprint: Part<'a>,
) -> PyResult<KeyRef<'a>> {
    Ok(KeyRef { scope: scope.0, fingerprint: fingerprint.0, text: key.to_str().map_err(|_| not_text())? })
}

pub(crate) fn backed(key: &Bound<'_, PyAny>) -> PyResult<PyBackedStr> {
    let text = key.cast::<PyString>().map_err(|_| ValueTypeError::new_err("a key must be a str"))?;
    PyBackedStr::try_from(text.clone()).map_err(|_| not_text())
}

pub(crate) fn backed_ref<'a>(text: &'a PyBackedStr, scope: Part<'a>, fingerprint: Part<'a>) -> KeyRef<'a> {
    KeyRef { scope: scope.0, fingerprint: fingerprint.0, text }
}

pub(crate) fn parts(key: &Key) -> (String, String, String) {
    let (scope, fingerprint, text) = key.parts();
    let [text, scope, fingerprint] =
        [text, scope, fingerprint].map(|part| String::from_utf8_lossy(part).into_owned());
    (text, scope, fingerprint)
}

/// A scope or a fingerprint.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a>(pub(crate) &'a str);

impl Part<'_> {
    pub(crate) const EMPTY: Self = Self("");
}

impl<'a, 'py> FromPyObject<'a, 'py> for Part<'a> {
    type Error = PyErr;

    #[inline]
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|error| part_error(object.py(), error))
    }
}

#[cold]
fn part_error(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyUnicodeEncodeError>(py) {
        return ValueTypeError::new_err(
            "scope and fingerprint must be text without lone surrogates; encode or replace them first",
        );
    }
    error
}

fn not_text() -> PyErr {
    ValueTypeError::new_err("a key must be text without lone surrogates; encode or replace them first")
}
