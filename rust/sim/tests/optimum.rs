//! Optima against all schedules and sets of small traces, tried one by one, and against what policies pay.

use std::collections::{BTreeSet, HashMap};

use lecmux_core::estimate::Estimator;
use lecmux_core::evict::Policy;
use lecmux_sim::bound::{pfoo_l, uncached};
use lecmux_sim::optimum::{Kind, Pay, optimum};
use lecmux_sim::{Settings, Trace, replay};
use proptest::prelude::*;

/// Whole costs, so that sums are exact.
fn requests(queries: i64, most: usize) -> impl Strategy<Value = Vec<(i64, u8, u8)>> {
    prop::collection::vec((0..queries, 0..9_u8, 0..9_u8), 0..=most)
}

fn columns(requests: &[(i64, u8, u8)]) -> (Vec<i64>, Vec<f64>) {
    let costs = requests.iter().flat_map(|&(_, a, b)| [f64::from(a), f64::from(b)]);
    (requests.iter().map(|&(id, ..)| id).collect(), costs.collect())
}

fn price(trace: &Trace<'_>, at: usize) -> f64 {
    trace.costs(at).iter().copied().fold(f64::INFINITY, f64::min)
}

fn subsets(of: &BTreeSet<i64>) -> impl Iterator<Item = BTreeSet<i64>> {
    (0..1_u32 << of.len()).map(|taken| {
        of.iter().enumerate().filter(|(place, _)| taken >> place & 1 == 1).map(|(_, &id)| id).collect()
    })
}

/// The cheapest way through the trace by trying all contents of the cache after each request.
fn best_schedule(trace: &Trace<'_>, capacity: usize, warm: bool) -> f64 {
    let all: BTreeSet<i64> = trace.ids().iter().copied().collect();
    let small = |held: &BTreeSet<i64>| held.len() <= capacity;
    let mut paid: HashMap<BTreeSet<i64>, f64> = HashMap::from([(BTreeSet::new(), 0.0)]);
    if warm {
        paid = subsets(&all).filter(small).map(|held| (held, 0.0)).collect();
    }
    for (at, &id) in trace.ids().iter().enumerate() {
        let mut next: HashMap<BTreeSet<i64>, f64> = HashMap::new();
        for (held, cost) in &paid {
            let now = cost + if held.contains(&id) { 0.0 } else { price(trace, at) };
            let mut there = held.clone();
            there.insert(id);
            for after in subsets(&there).filter(small) {
                let least = next.entry(after).or_insert(f64::INFINITY);
                *least = least.min(now);
            }
        }
        paid = next;
    }
    paid.into_values().fold(f64::INFINITY, f64::min)
}

/// The cheapest fixed set within `capacity`, by trying all; `cold`: members pay their first request.
fn best_set(trace: &Trace<'_>, capacity: u64, cold: bool) -> f64 {
    let all: BTreeSet<i64> = trace.ids().iter().copied().collect();
    let first = |id: i64| trace.ids().iter().position(|&other| other == id).unwrap();
    let size = |id: i64| {
        let asked = (0..trace.len()).filter(|&at| trace.ids()[at] == id);
        if cold { trace.size(first(id)) } else { asked.map(|at| trace.size(at)).min().unwrap() }
    };
    let fits = |held: &BTreeSet<i64>| held.iter().map(|&id| size(id)).sum::<u64>() <= capacity;
    let cost = |held: BTreeSet<i64>| -> f64 {
        let pays = |&at: &usize| {
            let id = trace.ids()[at];
            !held.contains(&id) || (cold && first(id) == at)
        };
        (0..trace.len()).filter(pays).map(|at| price(trace, at)).sum()
    };
    subsets(&all).filter(fits).map(cost).fold(f64::INFINITY, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn schedules_are_the_best_of_all(requests in requests(6, 14), capacity in 1..5_usize) {
        let (ids, costs) = columns(&requests);
        let trace = Trace::new(&ids, &costs, 2, None).unwrap();
        for (kind, warm) in [(Kind::Dynamic, false), (Kind::DynamicWarm, true)] {
            let found = optimum(&trace, capacity as u64, kind, Pay::Cheapest).unwrap();
            prop_assert!((found - best_schedule(&trace, capacity, warm)).abs() < 1e-9);
        }
    }

    #[test]
    fn sets_are_the_best_of_all(
        requests in requests(7, 20), sizes in prop::collection::vec(1..9_i64, 20), capacity in 1..25_u64,
    ) {
        let (ids, costs) = columns(&requests);
        for sizes in [None, Some(&sizes[..ids.len()])] {
            let trace = Trace::new(&ids, &costs, 2, sizes).unwrap();
            for (kind, cold) in [(Kind::Static, false), (Kind::StaticCold, true)] {
                let found = optimum(&trace, capacity, kind, Pay::Cheapest).unwrap();
                prop_assert!((found - best_set(&trace, capacity, cold)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn bounds_are_in_order(requests in requests(30, 300), capacity in 1..12_u64) {
        let (ids, costs) = columns(&requests);
        let trace = Trace::new(&ids, &costs, 2, None).unwrap();
        let of = |kind, pay| optimum(&trace, capacity, kind, pay).unwrap();
        for pay in [Pay::Cheapest, Pay::MeanCheapest] {
            prop_assert!(of(Kind::DynamicWarm, pay) <= of(Kind::Dynamic, pay));
            prop_assert!(of(Kind::DynamicWarm, pay) <= of(Kind::Static, pay));
            prop_assert!(of(Kind::Dynamic, pay) <= of(Kind::StaticCold, pay));
            prop_assert!(of(Kind::Static, pay) <= of(Kind::StaticCold, pay));
        }
        for kind in [Kind::Static, Kind::StaticCold, Kind::Dynamic, Kind::DynamicWarm] {
            prop_assert!(of(kind, Pay::Cheapest) <= of(kind, Pay::MeanCheapest));
        }
        let saved = uncached(&trace, None) - of(Kind::Dynamic, Pay::Cheapest);
        prop_assert!(saved <= pfoo_l(&trace, capacity, None) + 1e-9);
    }

    #[test]
    fn no_policy_pays_less_than_the_best_schedule(requests in requests(12, 200), capacity in 1..6_u64) {
        let (ids, costs) = columns(&requests);
        let trace = Trace::new(&ids, &costs, 2, None).unwrap();
        let least = optimum(&trace, capacity, Kind::Dynamic, Pay::Cheapest).unwrap();
        for policy in [
            Policy::Lec { bypass: true },
            Policy::Gdsf { keep_counts: true, bypass: false },
            Policy::Lfu { bypass: true },
            Policy::Lru,
            Policy::S3Fifo { small_share: 0.1 },
        ] {
            prop_assert!(least <= replay(&trace, &settings(capacity, policy)).unwrap().total_cost);
        }
    }

    #[test]
    fn no_policy_saves_more_than_the_bound_whatever_the_sizes(
        requests in requests(12, 200), sizes in prop::collection::vec(1..9_i64, 200), capacity in 1..30_u64,
    ) {
        let (ids, costs) = columns(&requests);
        let trace = Trace::new(&ids, &costs, 2, Some(&sizes[..ids.len()])).unwrap();
        let least = uncached(&trace, None) - pfoo_l(&trace, capacity, None);
        for policy in [Policy::Lec { bypass: true }, Policy::Lru, Policy::S3Fifo { small_share: 0.1 }] {
            let paid = replay(&trace, &settings(capacity, policy)).unwrap().total_cost;
            prop_assert!(least <= paid + 1e-9, "{} {}", least, paid);
        }
    }
}

fn settings(capacity: u64, policy: Policy) -> Settings<'static> {
    Settings::new(capacity, policy, Estimator::PlugIn)
}

#[test]
fn an_answer_found_before_may_be_smaller_than_the_latest() {
    // The answer of size 1 serves both later requests: what they would have brought is larger, and not made.
    let trace = Trace::new(&[7, 7, 8, 7], &[1.0; 4], 1, Some(&[1, 9, 9, 9])).unwrap();
    let run = replay(&trace, &settings(1, Policy::Lru)).unwrap();
    assert!(run.total_cost >= uncached(&trace, None) - pfoo_l(&trace, 1, None), "{run:?}");
}

#[test]
fn equal_sizes_are_places() {
    let (ids, costs) = ([1, 2, 1, 2, 1], [3.0, 2.0, 3.0, 2.0, 3.0]);
    let plain = Trace::new(&ids, &costs, 1, None).unwrap();
    let sized = Trace::new(&ids, &costs, 1, Some(&[4; 5])).unwrap();
    for kind in [Kind::Static, Kind::StaticCold, Kind::Dynamic, Kind::DynamicWarm] {
        let of = |trace, capacity| optimum(trace, capacity, kind, Pay::Cheapest).unwrap();
        assert_eq!(of(&plain, 1).to_bits(), of(&sized, 7).to_bits());
        assert_eq!(of(&sized, 3).to_bits(), uncached(&sized, None).to_bits());
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let trace = Trace::new(&[1, 2], &[1.0; 4], 2, Some(&[1, 2])).unwrap();
    let refused = |capacity, kind, pay| optimum(&trace, capacity, kind, pay).unwrap_err().to_string();
    assert!(refused(0, Kind::Static, Pay::Cheapest).contains("capacity"));
    assert!(refused(2, Kind::Dynamic, Pay::Cheapest).contains("NP-hard"));
    assert!(refused(2, Kind::Static, Pay::MeansGiven(&[1.0; 3])).contains("2 columns"));
    assert!(refused(2, Kind::Static, Pay::MeansGiven(&[1.0; 4])).contains("query 2"));
    assert!(refused(2, Kind::Static, Pay::MeansGiven(&[f64::NAN; 6])).contains("not finite"));
}

#[test]
fn an_empty_trace_costs_nothing() {
    let trace = Trace::new(&[], &[], 1, None).unwrap();
    for kind in [Kind::Static, Kind::StaticCold, Kind::Dynamic, Kind::DynamicWarm] {
        assert!(optimum(&trace, 1, kind, Pay::MeanCheapest).unwrap().abs() < f64::MIN_POSITIVE);
    }
}
