//! Bounds and decay against `tests/golden/lec/vectors.json`, computed independently of this code.

use lecmux_core::estimate::decay::{Decay, DecayRule};
use lecmux_core::estimate::{ArmView, CostRange, Estimator, Pooled, bernstein};
use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "the core reads no files; its tests read the vectors")]
fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/lec/vectors.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn real(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn whole(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or_else(|| panic!("{name} of {row}"))
}

fn arm(row: &Value) -> ArmView {
    let variance = row["var"].as_f64();
    ArmView { n: u32::try_from(whole(row, "n")).unwrap(), mean: real(row, "mean"), variance }
}

fn hoeffding(row: &Value) -> f64 {
    let range = CostRange { floor: real(row, "B1"), ceiling: Some(real(row, "B2")) };
    let (delta, horizon, queries) = (real(row, "delta"), whole(row, "T"), whole(row, "Q"));
    Estimator::Hoeffding { delta, horizon, queries }.lower(arm(row), &Pooled::default(), range)
}

fn sqrt_bonus(row: &Value) -> f64 {
    let range = CostRange { floor: real(row, "B1"), ceiling: None };
    Estimator::SqrtBonus { queries: whole(row, "Q") }.lower(arm(row), &Pooled::default(), range)
}

fn empirical_bernstein(row: &Value) -> f64 {
    let (floor, ArmView { n, mean, variance }) = (real(row, "B1"), arm(row));
    let width = real(row, "B2") - floor;
    (mean - bernstein::bonus(f64::from(n), variance, width, real(row, "logterm"))).max(floor)
}

#[test]
fn lower_bounds() {
    let rows = vectors()["lcb"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 13);
    for row in &rows {
        let value = match row["kind"].as_str().unwrap() {
            "hoeffding" => hoeffding(row),
            "sqrt(Q/n)" => sqrt_bonus(row),
            "empirical-bernstein" => empirical_bernstein(row),
            other => panic!("unknown bound {other}"),
        };
        assert!((value - real(row, "value")).abs() < 1e-9, "{value} for {row}");
    }
}

#[test]
fn looks_needed_to_leave_the_floor() {
    let range = CostRange { floor: 1.0, ceiling: Some(101.0) };
    let (horizon, queries) = (10_000, 20);
    let needed = |estimator: Estimator| {
        let above = |n: u32| {
            let arm = ArmView { n, mean: 101.0, variance: Some(1.0) };
            estimator.lower(arm, &Pooled::default(), range) > range.floor
        };
        (1..1000).find(|&n| above(n)).map(u64::from)
    };
    let want = &vectors()["n_to_leave_floor"];
    for (name, delta) in
        [("hoeffding delta=0.1", 0.1), ("hoeffding delta=0.01", 0.01), ("hoeffding delta=0.0001", 1e-4)]
    {
        assert_eq!(needed(Estimator::Hoeffding { delta, horizon, queries }), want[name].as_u64(), "{name}");
    }
    let bernstein = Estimator::EmpiricalBernstein { delta: 0.01, horizon, queries };
    assert_eq!(needed(bernstein), want["empirical-bernstein delta=.01, var=1"].as_u64());
    assert_eq!(needed(Estimator::SqrtBonus { queries }), want["sqrt(Q/n)"].as_u64());
}

#[test]
fn decayed_count() {
    let row = vectors()["decay"].clone();
    let times: Vec<u64> =
        row["times"].as_array().unwrap().iter().map(|time| time.as_u64().unwrap()).collect();
    let mut decay = Decay::new(DecayRule::HalfLife(real(&row, "half_life")), 0);
    let mut count = 0.0;
    for now in 0..=*times.last().unwrap() {
        if now > 0 {
            assert_eq!(decay.tick(), None, "no rescaling so soon");
        }
        if times.contains(&now) {
            count += decay.weight();
        }
    }
    assert!((count / decay.weight() - real(&row, "count_at_4")).abs() < 1e-12);
}
