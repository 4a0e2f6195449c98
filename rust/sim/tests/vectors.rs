//! Whole replays against `tests/golden/lec/vectors.json`, request by request.

use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_sim::{Estimates, Replay, Settings, Trace, replay};
use serde_json::Value;

const LEC: Policy = Policy::Lec { bypass: true };

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/lec/vectors.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn settings(capacity: u64, policy: Policy) -> Settings<'static> {
    Settings::new(capacity, policy, Estimator::PlugIn)
}

fn ids(names: &Value) -> Vec<i64> {
    names.as_str().unwrap().bytes().map(i64::from).collect()
}

fn name(id: i64) -> String {
    char::from(u8::try_from(id).unwrap()).to_string()
}

/// Row-major costs of `ids` under the tables of `row` named in `columns`.
fn costs(ids: &[i64], row: &Value, columns: &[&str]) -> Vec<f64> {
    let cost = |&id: &i64, column: &&str| row[column][name(id)].as_f64().unwrap();
    ids.iter().flat_map(|id| columns.iter().map(move |column| cost(id, column))).collect()
}

fn names(ids: &[i64]) -> Vec<String> {
    ids.iter().map(|&id| name(id)).collect()
}

fn strings(row: &Value) -> Vec<String> {
    row.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn same(cost: f64, want: &Value) {
    let want = want.as_f64().unwrap();
    assert!((cost - want).abs() < 1e-9, "{cost} instead of {want}");
}

/// Replays every prefix; what must hold after its last request is for `check` to say.
fn each_prefix(trace: &Trace<'_>, settings: &Settings<'_>, rows: &Value, check: impl Fn(&Replay, &Value)) {
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), trace.len());
    for (at, row) in rows.iter().enumerate() {
        check(&replay(&trace.prefix(at + 1), settings).unwrap(), row);
    }
}

#[test]
fn least_expected_cost_twelve_requests() {
    let row = &vectors()["lec12"];
    let ids = ids(&row["req"]);
    let costs = costs(&ids, row, &["cost"]);
    let trace = Trace::new(&ids, &costs, 1, None).unwrap();
    for estimates in [Estimates::Routed, Estimates::InShard] {
        let settings = Settings { estimates, ..settings(row["L"].as_u64().unwrap(), LEC) };
        each_prefix(&trace, &settings, &row["trace"], |run, step| {
            assert_eq!(names(&run.resident), strings(&step[4]), "{step}");
            assert_eq!(run.choices.last() == Some(&-1), step[2] == "hit", "{step}");
            same(run.total_cost, &step[5]);
        });
        same(replay(&trace, &settings).unwrap().total_cost, &row["total"]);
    }
}

#[test]
fn other_policies_on_the_same_requests() {
    let vectors = vectors();
    let ids = ids(&vectors["lec12"]["req"]);
    let costs = costs(&ids, &vectors["lec12"], &["cost"]);
    let trace = Trace::new(&ids, &costs, 1, None).unwrap();
    for (policy, want) in
        [(Policy::Lfu { bypass: true }, &vectors["lfu12"]), (Policy::Lru, &vectors["lru12"])]
    {
        let run = replay(&trace, &settings(2, policy)).unwrap();
        same(run.total_cost, &want[0]);
        assert_eq!(names(&run.resident), strings(&want[1]));
    }
}

#[test]
fn greedy_dual_with_sizes() {
    let vectors = vectors();
    let row = &vectors["gdsf12"];
    let ids = ids(&vectors["lec12"]["req"]);
    let costs = costs(&ids, &vectors["lec12"], &["cost"]);
    let sizes: Vec<i64> = ids.iter().map(|&id| row["size"][name(id)].as_i64().unwrap()).collect();
    let trace = Trace::new(&ids, &costs, 1, Some(&sizes)).unwrap();
    let policy = Policy::Gdsf { keep_counts: false, bypass: false };
    let settings = settings(row["budget"].as_u64().unwrap(), policy);
    each_prefix(&trace, &settings, &row["trace"], |run, step| {
        let mut held: Vec<String> = step[4].as_object().unwrap().keys().cloned().collect();
        held.sort_unstable();
        assert_eq!(names(&run.resident), held, "{step}");
        assert_eq!(run.choices.last() == Some(&-1), step[2] == "hit", "{step}");
        same(run.total_cost, &step[6]);
    });
}

#[test]
fn cache_and_route_together() {
    let row = &vectors()["joint12"];
    let ids = ids(&row["req"]);
    let costs = costs(&ids, row, &["cs", "cl"]);
    let trace = Trace::new(&ids, &costs, 2, None).unwrap();
    let settings = Settings {
        estimator: Estimator::SqrtBonus { queries: row["Q"].as_u64().unwrap() },
        range: CostRange { floor: row["B1"].as_f64().unwrap(), ceiling: None },
        rescore: true,
        ..settings(row["L"].as_u64().unwrap(), LEC)
    };
    each_prefix(&trace, &settings, &row["trace"], |run, step| {
        assert_eq!(names(&run.resident), strings(&step[5]), "{step}");
        let called = step[3].as_i64().unwrap_or(-1);
        assert_eq!(run.choices.last().map(|&choice| i64::from(choice)), Some(called), "{step}");
        same(run.total_cost, &step[6]);
    });
    let run = replay(&trace, &settings).unwrap();
    for (arm, tries) in row["stats"].as_object().unwrap() {
        let (query, model) = arm.split_at(1);
        let asked = ids.iter().zip(&run.choices);
        let tried = asked.filter(|&(&id, choice)| name(id) == query && choice.to_string() == model).count();
        assert_eq!(tried as u64, tries[0].as_u64().unwrap(), "{arm}");
    }
}

#[test]
fn density_fills_the_knapsack_greedily() {
    let row = &vectors()["knapsack"];
    let held: String = row["density"][1].as_str().unwrap().into();
    for order in ["abc", "acb", "bac", "bca", "cab", "cba"] {
        let ids: Vec<i64> = order.bytes().map(i64::from).collect();
        let item = |id: &i64, at: usize| row["items"][name(*id)][at].as_i64().unwrap();
        let costs: Vec<f64> = ids.iter().map(|id| item(id, 0) as f64).collect();
        let sizes: Vec<i64> = ids.iter().map(|id| item(id, 1)).collect();
        let trace = Trace::new(&ids, &costs, 1, Some(&sizes)).unwrap();
        let run = replay(&trace, &settings(row["budget"].as_u64().unwrap(), LEC)).unwrap();
        assert_eq!(names(&run.resident).concat(), held, "offered in order {order}");
    }
}

#[test]
fn a_tie_is_the_newcomers_under_value_of_information_alone() {
    let trace = Trace::new(&[1, 2], &[4.0, 4.0], 1, None).unwrap();
    for (estimator, held) in [
        (Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 }, 2),
        (Estimator::PooledVariance { z: 2.0, s0: None }, 1),
        (Estimator::PlugIn, 1),
    ] {
        let settings =
            Settings { estimator, range: CostRange { floor: 4.0, ceiling: None }, ..settings(1, LEC) };
        assert_eq!(replay(&trace, &settings).unwrap().resident, [held], "{estimator:?}");
    }
}

#[test]
fn with_equal_costs_lec_is_lfu_and_the_unit_does_not_matter() {
    let ids: Vec<i64> = (0..4000_i64).map(|at| (at * at * 7 + at / 3) % 23).collect();
    let equal = vec![3.0; ids.len()];
    let trace = Trace::new(&ids, &equal, 1, None).unwrap();
    let lec = replay(&trace, &settings(5, LEC)).unwrap();
    assert_eq!(lec, replay(&trace, &settings(5, Policy::Lfu { bypass: true })).unwrap());

    let costs: Vec<f64> = ids.iter().map(|id| 1.0 + (id % 5) as f64).collect();
    let scaled: Vec<f64> = costs.iter().map(|cost| cost * 1024.0).collect();
    let voi = Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 };
    let settings = Settings { estimator: voi, ..settings(5, LEC) };
    let (plain, scaled) = (
        replay(&Trace::new(&ids, &costs, 1, None).unwrap(), &settings).unwrap(),
        replay(&Trace::new(&ids, &scaled, 1, None).unwrap(), &settings).unwrap(),
    );
    assert_eq!((plain.choices, plain.resident), (scaled.choices, scaled.resident));
}

#[test]
fn settings_out_of_range_are_refused() {
    let trace = Trace::new(&[1, 2], &[1.0, 2.0], 1, None).unwrap();
    assert!(replay(&trace, &settings(0, LEC)).is_err());
    assert!(replay(&trace, &Settings { arm: Some(1), ..settings(1, LEC) }).is_err());
    let two = Trace::new(&[1], &[1.0, 2.0], 2, None).unwrap();
    assert!(replay(&two, &Settings { estimates: Estimates::InShard, ..settings(1, LEC) }).is_err());
}
