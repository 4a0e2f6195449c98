//! `StaticTable`: text to vectors in Rust, with the interpreter released for batches.

use lecmux_core::embed;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::error::{CoreError, ValueTypeError, guarded};
use crate::fork::detached;
use crate::simulate::copied;

/// From so many texts on, another thread may run meanwhile; for fewer, handing over takes longer than the work.
const MANY: usize = 16;

/// The table behind `lecmux.embedders.Static`.
#[pyclass(frozen, module = "lecmux._core")]
pub(crate) struct StaticTable(embed::StaticTable);

#[pymethods]
impl StaticTable {
    /// `vocabulary`: a piece a line; `sealed`: what `pack` wrote for it.
    #[new]
    fn new(py: Python<'_>, vocabulary: &str, sealed: &[u8]) -> PyResult<Self> {
        let table = guarded(|| Ok(detached(py, || embed::StaticTable::new(vocabulary, sealed))))?;
        Ok(Self(table.map_err(CoreError)?))
    }

    /// The vectors of `texts`, row after row, as float32 of length 1.
    fn embed<'py>(&self, py: Python<'py>, texts: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyBytes>> {
        let texts: Vec<Bound<'py, PyString>> = texts
            .iter()
            .map(|text| {
                text.cast_into().map_err(|error| {
                    let kind = error.into_inner().get_type();
                    ValueTypeError::new_err(format!("texts must be str, not {kind}"))
                })
            })
            .collect::<PyResult<_>>()?;
        let mut cells = Vec::with_capacity(texts.len() * self.0.dim());
        if texts.len() < MANY {
            guarded(|| {
                for text in &texts {
                    self.0.embed(&text.to_string_lossy(), &mut cells);
                }
                Ok(())
            })?;
        } else {
            let owned: Vec<String> = texts.iter().map(|text| text.to_string_lossy().into_owned()).collect();
            guarded(|| {
                detached(py, || {
                    for text in &owned {
                        self.0.embed(text, &mut cells);
                    }
                });
                Ok(())
            })?;
        }
        PyBytes::new_with(py, 4 * cells.len(), |bytes| {
            for (place, cell) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(&cells) {
                *place = cell.to_ne_bytes();
            }
            Ok(())
        })
    }

    /// The numbers of the pieces of `text`, the first `most`.
    fn pieces(&self, text: &Bound<'_, PyString>, most: usize) -> Vec<u32> {
        self.0.words().encode(&text.to_string_lossy(), most)
    }

    /// Rows of float32, `dim` each, as bytes that the constructor takes.
    #[staticmethod]
    fn pack<'py>(py: Python<'py>, rows: &Bound<'py, PyAny>, dim: usize) -> PyResult<Bound<'py, PyBytes>> {
        let rows = copied::<f32>(rows, "rows", "float32")?;
        let sealed = guarded(|| Ok(embed::StaticTable::pack(&rows, dim)))?;
        Ok(PyBytes::new(py, &sealed.map_err(CoreError)?))
    }

    #[getter]
    fn dim(&self) -> usize {
        self.0.dim()
    }
}
