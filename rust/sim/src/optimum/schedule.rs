//! The best schedule: which answers to hold between which requests, knowing them all.
//!
//! To serve a request from the cache, its answer must have been held since the request for it before: an
//! interval on the line of requests, worth the price it saves. The best schedule is the set of intervals worth
//! most of which no more than the capacity overlap anywhere; storing and dropping are free, and an answer that
//! does not pay is not stored. That is a flow of least cost along the line (Arkin and Silverberg 1987,
//! "Scheduling jobs with fixed start and end times", Discrete Applied Mathematics 18).

use lecmux_core::error::Error;

use super::Asked;
use super::flow::Line;
use crate::trace::Trace;

/// Cost of all requests but those that the best schedule serves.
pub(super) fn cost(
    trace: &Trace<'_>,
    asked: &Asked,
    prices: &[f64],
    capacity: u64,
    warm: bool,
) -> Result<f64, Error> {
    let places = places(trace, capacity)?;
    let hits = schedule(&asked.query, &asked.first, prices, places, warm);
    Ok(prices.iter().zip(hits).filter(|(_, hit)| !hit).map(|(price, _)| price).sum())
}

/// Answers that fit at once.
fn places(trace: &Trace<'_>, capacity: u64) -> Result<usize, Error> {
    let size = if trace.is_empty() { 1 } else { trace.size(0) };
    if let Some(at) = (0..trace.len()).find(|&at| trace.size(at) != size) {
        return Err(Error::Config {
            what: format!(
                "request {at}: with answers of different sizes the best schedule is NP-hard to find; \
                 lower_bound() gives a cost that none can beat, and static sets are exact"
            ),
        });
    }
    Ok(usize::try_from(capacity / size).unwrap_or(usize::MAX))
}

/// Which requests the best schedule of `places` answers serves from the cache, (T,). `query` numbers the query
/// of each request by the order of `first`, their first requests; `warm`: answers may be held from the start.
#[must_use]
pub fn schedule(query: &[usize], first: &[usize], prices: &[f64], places: usize, warm: bool) -> Vec<bool> {
    // Before the first request each query gets a place on the line, from which its answer can be held.
    let ahead = if warm { first.len() } else { 0 };
    let mut last: Vec<Option<usize>> = (0..first.len()).map(|number| warm.then_some(number)).collect();
    let mut line = Line::new(ahead + query.len());
    for (at, &number) in query.iter().enumerate() {
        if let Some(before) = last[number].replace(ahead + at) {
            line.interval(before, ahead + at, prices[at]);
        }
    }
    let mut hits = vec![false; query.len()];
    for end in line.best(places) {
        hits[end - ahead] = true;
    }
    hits
}
