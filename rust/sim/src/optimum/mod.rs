//! What the best schedule of a trace costs, with all of it known beforehand.
//!
//! Three optima bound what a policy without foresight can reach. The best fixed set, held from the start, is
//! the target of any policy while popularity stands still; the same set when each member must be computed
//! once; and the clairvoyant schedule, which holds every answer just as long as that pays, below all policies.

mod floor;
mod flow;
mod knapsack;
mod price;
mod schedule;
mod set;

use std::collections::HashMap;

use lecmux_core::error::Error;

use crate::trace::Trace;

pub use floor::{Law, floor};
pub use price::Pay;
pub use schedule::schedule;

/// Which optimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The best fixed set, held from the start for nothing.
    Static,
    /// The best fixed set, where each member pays for its first request.
    StaticCold,
    /// The best schedule: at each request the answer may be stored and any other dropped.
    Dynamic,
    /// The same, with any answers held from the start for nothing.
    DynamicWarm,
}

/// Cost of serving `trace` at the optimum of `kind` within `capacity`.
///
/// Exact up to the rounding of sums. Static sets take O(T), with sizes that differ a knapsack on top; schedules
/// O(min(capacity, queries) T log T) time and O(T) memory. Where the answers to a query differ in size, a
/// fixed set holds the smallest of them, and one that pays for its first request the answer to that.
///
/// # Errors
/// [`Error::Config`] for a capacity of 0, for a schedule with sizes that differ (NP-hard), for a knapsack that
/// outgrows its memory, and for means that do not fit the trace.
pub fn optimum(trace: &Trace<'_>, capacity: u64, kind: Kind, pay: Pay<'_>) -> Result<f64, Error> {
    if capacity == 0 {
        return Err(Error::Config { what: "capacity must be at least 1, not 0".into() });
    }
    let asked = Asked::new(trace);
    let prices = price::prices(trace, &asked, pay)?;
    let cost = match kind {
        Kind::Static => set::cost(trace, &asked, &prices, capacity, false),
        Kind::StaticCold => set::cost(trace, &asked, &prices, capacity, true),
        Kind::Dynamic => schedule::cost(trace, &asked, &prices, capacity, false),
        Kind::DynamicWarm => schedule::cost(trace, &asked, &prices, capacity, true),
    }?;
    // An empty sum is -0.0, and rounding can take the least cost below 0.
    Ok(cost.max(0.0))
}

/// The queries of a trace, numbered in the order of their first requests.
pub(crate) struct Asked {
    /// Number of the query of each request, (T,).
    pub(crate) query: Vec<usize>,
    /// First request of each query, ascending.
    pub(crate) first: Vec<usize>,
}

impl Asked {
    pub(crate) fn new(trace: &Trace<'_>) -> Self {
        let mut number: HashMap<i64, usize> = HashMap::new();
        let mut first = Vec::new();
        let number_of = |(at, &id): (usize, &i64)| {
            *number.entry(id).or_insert_with(|| {
                first.push(at);
                first.len() - 1
            })
        };
        let query = trace.ids().iter().enumerate().map(number_of).collect();
        Self { query, first }
    }
}
