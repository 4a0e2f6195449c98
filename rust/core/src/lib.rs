//! Every decision of lecmux.
//!
//! The modules stand in the order in which a query meets them. Nothing here reads a clock, draws a random
//! number or touches a file: time, seeds and costs come in as values.

pub mod config;
pub mod error;
mod sync;
mod room;
mod number;

pub mod key;
mod exact;
pub mod embed;
pub mod semantic;
pub mod route;
pub mod estimate;
pub mod evict;

mod tenants;
pub mod shard;
pub mod inflight;
pub mod tally;
pub mod cache;
pub mod snapshot;
