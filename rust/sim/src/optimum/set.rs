//! The best fixed set: the queries that save most within the capacity.

use lecmux_core::error::Error;

use super::Asked;
use super::knapsack::{Item, most_profit};
use crate::trace::Trace;

/// Cost of all requests but those that the best set serves; `cold`: each member pays its first.
pub(super) fn cost(
    trace: &Trace<'_>,
    asked: &Asked,
    prices: &[f64],
    capacity: u64,
    cold: bool,
) -> Result<f64, Error> {
    let items = items(trace, asked, prices, cold);
    Ok(prices.iter().sum::<f64>() - most_profit(items, capacity)?)
}

/// What each query saves once it is held, and the room that takes.
fn items(trace: &Trace<'_>, asked: &Asked, prices: &[f64], cold: bool) -> Vec<Item> {
    let new = |&first: &usize| Item { profit: 0.0, size: trace.size(first) };
    let mut items: Vec<Item> = asked.first.iter().map(new).collect();
    for (at, (&query, price)) in asked.query.iter().zip(prices).enumerate() {
        if !cold {
            items[query].size = items[query].size.min(trace.size(at));
        }
        if !(cold && asked.first[query] == at) {
            items[query].profit += price;
        }
    }
    items
}
