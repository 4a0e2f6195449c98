//! The paper's offline protocol (arXiv 2306.02003): a static cache, chosen with the trace in hand.
//!
//! The queries with the largest summed cost are held from the start; nothing is learnt. On a miss a selector of
//! some accuracy throws a coin: right, it takes the model that costs least on this request, else the one that
//! costs most. The public code ranks by the least cost whatever the accuracy; what the system will really pay is
//! `accuracy * least + (1 - accuracy) * most`.

use lecmux_core::error::Error;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::curve::Recorder;
use crate::replay::{HIT, Replay};
use crate::static_set::StaticSet;
use crate::trace::Trace;

/// By what the queries are ranked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rank {
    /// How often each is asked.
    Count,
    /// What all its requests cost, with a selector of this accuracy.
    Cost {
        /// In [0, 1]; 1 is the paper's rule.
        accuracy: f64,
    },
}

/// Settings of the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offline {
    /// Total size that may be resident.
    pub capacity: u64,
    /// Who is held.
    pub rank: Rank,
    /// How often the selector is right, in [0, 1].
    pub accuracy: f64,
    /// The only model to call, in place of the selector.
    pub arm: Option<usize>,
    /// Of the selector's coins.
    pub seed: u64,
}

/// Serves `trace` from the static cache that the protocol chooses.
///
/// With sizes the rank is per unit of size, each query at that of its first request, and the next that fits is
/// taken.
///
/// # Errors
/// [`Error::Config`] for a capacity of 0, an accuracy outside [0, 1] or an arm that is not there.
pub fn offline(trace: &Trace<'_>, settings: &Offline) -> Result<Replay, Error> {
    validate(trace, settings)?;
    let set = StaticSet::new(&choose(trace, settings), trace, settings.capacity)?;
    let mut coins = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut choices = Vec::with_capacity(trace.len());
    let (mut total_cost, mut hits) = (0.0, 0);
    let mut curve = Recorder::new(trace.len());
    for at in 0..trace.len() {
        if set.holds(trace.query(at)) {
            hits += 1;
            choices.push(HIT);
        } else {
            let costs = trace.costs(at);
            let model = settings.arm.unwrap_or_else(|| {
                let right = coins.random::<f64>() < settings.accuracy;
                if right { least(costs) } else { most(costs) }
            });
            total_cost += costs[model];
            choices.push(i8::try_from(model).unwrap_or(i8::MAX));
        }
        curve.served(at + 1, total_cost);
    }
    Ok(Replay { total_cost, hits, choices, curve: curve.finish(), resident: set.ids() })
}

fn validate(trace: &Trace<'_>, settings: &Offline) -> Result<(), Error> {
    let fail = |what: String| Err(Error::Config { what });
    let believed = match settings.rank {
        Rank::Count => 1.0,
        Rank::Cost { accuracy } => accuracy,
    };
    if settings.capacity == 0 {
        return fail("capacity must be at least 1, not 0".into());
    }
    if let Some(bad) = [settings.accuracy, believed].into_iter().find(|share| !(0.0..=1.0).contains(share)) {
        return fail(format!("accuracy must lie in [0, 1], not {bad}"));
    }
    match settings.arm.filter(|&arm| arm >= trace.models()) {
        Some(arm) => fail(format!("arm {arm} is not among the {} models", trace.models())),
        None => Ok(()),
    }
}

/// The queries to hold: the highest rank first, and among equals the one asked first.
fn choose(trace: &Trace<'_>, settings: &Offline) -> Vec<i64> {
    let mut ranks = vec![0.0; trace.queries()];
    for at in 0..trace.len() {
        ranks[trace.query(at)] += weight(trace.costs(at), settings);
    }
    let mut firsts: Vec<usize> = trace.first_requests().into_iter().flatten().collect();
    firsts.sort_unstable();
    let density = |&at: &usize| ranks[trace.query(at)] / trace.size(at) as f64;
    firsts.sort_by(|one, other| density(other).total_cmp(&density(one)));
    let mut room = settings.capacity;
    firsts.retain(|&at| {
        let left = room.checked_sub(trace.size(at));
        room = left.unwrap_or(room);
        left.is_some()
    });
    firsts.into_iter().map(|at| trace.ids()[at]).collect()
}

/// What a request adds to the rank of its query.
fn weight(costs: &[f64], settings: &Offline) -> f64 {
    match (settings.rank, settings.arm) {
        (Rank::Count, _) => 1.0,
        (Rank::Cost { .. }, Some(arm)) => costs[arm],
        (Rank::Cost { accuracy }, None) => {
            accuracy * costs[least(costs)] + (1.0 - accuracy) * costs[most(costs)]
        }
    }
}

fn least(costs: &[f64]) -> usize {
    (1..costs.len()).fold(0, |best, model| if costs[model] < costs[best] { model } else { best })
}

fn most(costs: &[f64]) -> usize {
    (1..costs.len()).fold(0, |worst, model| if costs[model] > costs[worst] { model } else { worst })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Offline =
        Offline { capacity: 1, rank: Rank::Cost { accuracy: 1.0 }, accuracy: 1.0, arm: None, seed: 0 };
    const IDS: [i64; 6] = [2, 2, 2, 0, 1, 1];
    const COSTS: [f64; 12] = [1.0, 4.0, 4.0, 1.0, 1.0, 4.0, 9.0, 8.0, 3.0, 3.5, 3.0, 3.5];

    fn run(settings: Offline) -> Replay {
        offline(&Trace::new(&IDS, &COSTS, 2, None).unwrap(), &settings).unwrap()
    }

    #[test]
    fn what_ranks_highest_is_held_for_good() {
        assert_eq!(run(Offline { rank: Rank::Count, ..SETTINGS }).resident, [2]);
        let run = run(SETTINGS);
        assert_eq!((run.resident.as_slice(), run.hits), ([0].as_slice(), 1));
        assert_eq!(run.choices, [0, 1, 0, HIT, 0, 0]);
        assert!((run.total_cost - 9.0).abs() < 1e-12);
    }

    #[test]
    fn an_arm_ranks_and_pays_by_its_own_costs() {
        let run = run(Offline { arm: Some(1), ..SETTINGS });
        assert_eq!(run.resident, [2], "query 2 costs 9 with model 1, query 0 only 8");
        assert!((run.total_cost - 15.0).abs() < 1e-12);
    }

    #[test]
    fn a_selector_that_is_always_wrong_pays_the_most() {
        let always = run(Offline { accuracy: 0.0, rank: Rank::Cost { accuracy: 0.0 }, ..SETTINGS });
        assert_eq!(always.resident, [2], "12 at the most, against 9 and 7");
        assert!((always.total_cost - 16.0).abs() < 1e-12);
    }

    #[test]
    fn sizes_are_filled_by_density_and_what_does_not_fit_is_passed_over() {
        let (ids, costs) = ([0, 1, 2], [60.0, 100.0, 120.0]);
        for (capacity, held) in [(50, vec![0, 1]), (30, vec![0, 1]), (29, vec![0]), (9, vec![])] {
            let trace = Trace::new(&ids, &costs, 1, Some(&[10, 20, 30])).unwrap();
            assert_eq!(offline(&trace, &Offline { capacity, ..SETTINGS }).unwrap().resident, held);
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let trace = Trace::new(&IDS, &COSTS, 2, None).unwrap();
        for bad in [
            Offline { capacity: 0, ..SETTINGS },
            Offline { accuracy: 1.1, ..SETTINGS },
            Offline { rank: Rank::Cost { accuracy: f64::NAN }, ..SETTINGS },
            Offline { arm: Some(2), ..SETTINGS },
        ] {
            assert!(matches!(offline(&trace, &bad), Err(Error::Config { .. })), "{bad:?}");
        }
    }
}
