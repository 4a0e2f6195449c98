//! Nearest neighbours of unit vectors, in a collection that never stops changing.
//!
//! [`Index`] is the interface. A search passes three stages, each of which sees fewer vectors more exactly: all
//! 1-bit [`codes`] by Hamming distance, the nearest of them by an estimate from the code and the unrounded query,
//! the best of those by the stored [`rows`]; what these find says how far to look. Adding and removing move one
//! vector, so nothing decays.

pub mod error;
pub mod metric;

mod room;
mod rotation;
mod ids;
pub mod rows;
pub mod codes;
mod candidates;
mod search;
mod dense;
mod cells;
mod flat;
mod graph;
mod engine;
mod index;
mod snapshot;

pub use engine::Choice;
pub use error::Error;
pub use flat::{CODED_FROM, EXACT_BELOW};
pub use index::{Index, MAX_DIMENSION, Match, Settings};
pub use rows::Store;
