//! One map from the core's errors, and from panics, to Python exceptions.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lecmux_core::error::Error;
use pyo3::prelude::*;

mod python {
    #![allow(missing_docs, reason = "the macro writes undocumented types")]
    pyo3::import_exception!(lecmux.errors, ConfigError);
    pyo3::import_exception!(lecmux.errors, CostError);
    pyo3::import_exception!(lecmux.errors, DimensionError);
    pyo3::import_exception!(lecmux.errors, InternalError);
    pyo3::import_exception!(lecmux.errors, SnapshotError);
    pyo3::import_exception!(lecmux.errors, ValueTypeError);
    pyo3::import_exception!(lecmux.errors, VectorError);
}
pub(crate) use python::{
    ConfigError, CostError, DimensionError, InternalError, SnapshotError, ValueTypeError, VectorError,
};

/// An error on its way to Python.
pub(crate) struct CoreError(pub(crate) Error);

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<CoreError> for PyErr {
    fn from(CoreError(error): CoreError) -> Self {
        let text = error.to_string();
        match error {
            Error::Config { .. } => ConfigError::new_err(text),
            Error::Cost { .. } => CostError::new_err(text),
            Error::Snapshot { .. } => SnapshotError::new_err(text),
        }
    }
}

/// Runs `work`; a panic in it becomes an `InternalError`, which `except Exception` catches.
#[inline]
pub(crate) fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(internal(&*panic)))
}

#[cold]
fn internal(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    InternalError::new_err(format!(
        "a defect inside lecmux: {text}; that part of the cache is bypassed from now on, please report it"
    ))
}
