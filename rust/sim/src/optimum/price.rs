//! What a request pays when it is not served from the cache.

use lecmux_core::error::Error;

use super::Asked;
use crate::trace::Trace;

/// Which model a request pays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pay<'a> {
    /// The cheapest for this very request: foresight of the noise, too.
    Cheapest,
    /// The one that is cheapest for its query on the mean over the trace.
    MeanCheapest,
    /// The one that is cheapest for its query by these means, row-major (queries, models), where the id of a
    /// query is its row; the first of equals.
    MeansGiven(&'a [f64]),
}

/// Price of each request, (T,).
pub(super) fn prices(trace: &Trace<'_>, asked: &Asked, pay: Pay<'_>) -> Result<Vec<f64>, Error> {
    let least = |at| trace.costs(at).iter().copied().fold(f64::INFINITY, f64::min);
    let models = match pay {
        Pay::Cheapest => return Ok((0..trace.len()).map(least).collect()),
        Pay::MeanCheapest => cheapest_in_all(trace, asked),
        Pay::MeansGiven(means) => cheapest_by(trace, asked, means)?,
    };
    Ok(asked.query.iter().enumerate().map(|(at, &query)| trace.costs(at)[models[query]]).collect())
}

fn cheapest_in_all(trace: &Trace<'_>, asked: &Asked) -> Vec<usize> {
    let models = trace.models();
    let mut sums = vec![0.0; asked.first.len() * models];
    for (at, &query) in asked.query.iter().enumerate() {
        for (sum, cost) in sums[query * models..].iter_mut().zip(trace.costs(at)) {
            *sum += cost;
        }
    }
    sums.chunks_exact(models).map(least_place).collect()
}

fn cheapest_by(trace: &Trace<'_>, asked: &Asked, means: &[f64]) -> Result<Vec<usize>, Error> {
    let models = trace.models();
    let fail = |what: String| Err(Error::Config { what });
    if !means.len().is_multiple_of(models) {
        return fail(format!("means must have {models} columns, one a model"));
    }
    if let Some(at) = means.iter().position(|mean| !mean.is_finite()) {
        return fail(format!("means: query {}, model {} is not finite", at / models, at % models));
    }
    let row = |&first: &usize| {
        let id = trace.ids()[first];
        let found = usize::try_from(id).ok().and_then(|id| means.chunks_exact(models).nth(id));
        found.map(least_place).ok_or_else(|| Error::Config {
            what: format!("request {first}: query {id} is not among the {} of means", means.len() / models),
        })
    };
    asked.first.iter().map(row).collect()
}

fn least_place(costs: &[f64]) -> usize {
    let mut least = 0;
    for (place, cost) in costs.iter().enumerate() {
        if *cost < costs[least] {
            least = place;
        }
    }
    least
}
