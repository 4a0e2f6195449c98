//! What no cache of this size can beat: an upper bound on the cost that hits can save, with hindsight.
//!
//! PFOO-L of Berger, Beckmann and Harchol-Balter 2018 ("Practical Bounds on Optimal Caching with Variable
//! Object Sizes", SIGMETRICS), weighted by cost: to serve a request from the cache its answer must have been
//! held since the request for it before, over an interval that occupies size × length of space-time. Filling
//! the whole budget capacity × T with the intervals that save most for what they occupy, the last one in part,
//! relaxes "at most the capacity at each moment" to "on average", so no feasible schedule saves more. Where the
//! answers to a query differ in size, the one held is any of those before: the smallest is counted.

use std::collections::HashMap;

use crate::trace::Trace;

struct Interval {
    saves: f64,
    occupies: f64,
}

/// An upper bound on the cost any policy can save on `trace`; each request costs what its cheapest model
/// would (the one in column `arm` where given). O(T log T).
#[must_use]
pub fn pfoo_l(trace: &Trace<'_>, capacity: u64, arm: Option<usize>) -> f64 {
    let mut intervals = intervals(trace, arm);
    intervals.retain(|interval| interval.saves > 0.0);
    intervals.sort_unstable_by(|a, b| (b.saves * a.occupies).total_cmp(&(a.saves * b.occupies)));
    let (mut room, mut saved) = (capacity as f64 * trace.len() as f64, 0.0);
    for Interval { saves, occupies } in intervals {
        if occupies > room {
            return saved + saves * room / occupies;
        }
        room -= occupies;
        saved += saves;
    }
    saved
}

/// Cost of `trace` without a cache, priced as in [`pfoo_l`].
#[must_use]
pub fn uncached(trace: &Trace<'_>, arm: Option<usize>) -> f64 {
    (0..trace.len()).map(|at| price(trace, at, arm)).sum()
}

fn intervals(trace: &Trace<'_>, arm: Option<usize>) -> Vec<Interval> {
    // The last request of each query, and the size of its smallest answer so far.
    let mut seen: HashMap<i64, (usize, u64)> = HashMap::new();
    let mut intervals = Vec::new();
    for (at, &id) in trace.ids().iter().enumerate() {
        let size = trace.size(at);
        let (last, smallest) = seen.entry(id).or_insert((at, size));
        if *last < at {
            let occupies = *smallest as f64 * (at - *last) as f64;
            intervals.push(Interval { saves: price(trace, at, arm), occupies });
        }
        (*last, *smallest) = (at, size.min(*smallest));
    }
    intervals
}

fn price(trace: &Trace<'_>, at: usize, arm: Option<usize>) -> f64 {
    let costs = trace.costs(at);
    arm.map_or_else(|| costs.iter().copied().fold(f64::INFINITY, f64::min), |arm| costs[arm])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_bounds_the_clairvoyant_optimum_of_the_twelve_requests() {
        let ids: Vec<i64> = "BDCBBCADCADD".bytes().map(|name| i64::from(name - b'A')).collect();
        let costs: Vec<f64> =
            ids.iter().map(|&id| [10.0, 5.0, 4.0, 6.0][usize::try_from(id).unwrap()]).collect();
        let trace = Trace::new(&ids, &costs, 1, None).unwrap();
        let total = uncached(&trace, None);
        assert!((total - 71.0).abs() < 1e-12);
        // With room for two the clairvoyant optimum pays 33, so at least 38 can be saved.
        let bound = pfoo_l(&trace, 2, None);
        assert!((38.0..=46.0).contains(&bound), "{bound}");
        // With room for all only the four first requests are paid.
        assert!((pfoo_l(&trace, 4, None) - 46.0).abs() < 1e-12);
    }
}
