//! PyO3 classes over the core. They convert and decide nothing.
#![expect(clippy::doc_markdown, reason = "the comments of Python classes and methods are Python docstrings")]

use pyo3::prelude::*;

mod convert;
mod embed;
mod erase;
mod error;
mod fork;
mod gate;
mod hit;
mod inflight;
mod key;
mod multiplexer;
mod optimum;
mod offline;
mod removed;
mod router;
mod scored;
mod semantic;
mod semantic_stage;
mod simulate;
mod store;
mod tally;
mod value;
mod vector;

/// The compiled part of lecmux.
#[pymodule]
mod _core {
    use super::PyResult;
    use lecmux_core::snapshot;
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::embed::StaticTable;
    #[pymodule_export]
    use super::erase::{erase_entry, held_entries};
    #[pymodule_export]
    use super::fork::{after_fork, before_fork};
    #[pymodule_export]
    use super::gate::{admit, knock, turned_away};
    #[pymodule_export]
    use super::hit::Hit;
    #[pymodule_export]
    use super::inflight::Inflight;
    #[pymodule_export]
    use super::multiplexer::{Expected, Features, Multiplexer};
    #[pymodule_export]
    use super::offline::offline;
    #[pymodule_export]
    use super::optimum::{exploration_floor, lower_bound, optimum};
    #[pymodule_export]
    use super::router::{Choice, Router};
    #[pymodule_export]
    use super::semantic::{SemanticStream, judge_pair, shipped_prior};
    #[pymodule_export]
    use super::semantic_stage::{Proposal, answered, propose, same_texts, semantic_ids, semantic_statistics};
    #[pymodule_export]
    use super::simulate::simulate;
    #[pymodule_export]
    use super::store::Store;
    #[pymodule_export]
    use super::tally::Tally;
    #[pymodule_export]
    use super::value::Encoded;
    #[pymodule_export]
    use super::vector::{VectorIndex, vector_kernels};

    /// The text kept with a snapshot.
    #[pyfunction]
    fn snapshot_about(sealed: &[u8]) -> PyResult<String> {
        Ok(snapshot::decode(sealed).map_err(super::error::CoreError)?.about.to_owned())
    }
}
