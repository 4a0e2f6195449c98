//! Replays a trace through the live policies and estimators of `lecmux-core`.
//!
//! What runs here is the shard and the beliefs that serve users: a figure from a replay is a figure of the
//! product, less keys, values and clocks.

pub mod trace;
pub mod laws;
pub mod multiplexer;
pub mod settings;
mod knowledge;
mod static_set;
pub mod curve;
pub mod replay;
pub mod offline;
pub mod bound;
pub mod optimum;
pub mod semantic;

pub use curve::Curve;
pub use multiplexer::Multiplexer;
pub use offline::{Offline, Rank, offline};
pub use replay::{Replay, replay};
pub use settings::{Estimates, Feedback, Settings};
pub use trace::Trace;
