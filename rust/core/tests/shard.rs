//! One shard, driven by hand: golden traces, shares, expiry, sizes, and what is booked.
#![expect(clippy::float_cmp, reason = "counts without decay are whole numbers")]

mod common;

use common::{Desk, GDSF, LEC, LFU, Terms, config, hash};
use lecmux_core::estimate::Estimator;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::evict::Policy;
use lecmux_core::shard::{Cost, Learnt, Outcome, ShardConfig};
use serde_json::Value;

const STORED: Outcome = Outcome::Stored { evicted: 0 };

#[expect(clippy::disallowed_methods, reason = "the core reads no files; its tests read the vectors")]
fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/lec/vectors.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Twelve requests for A to D, with what each costs.
fn twelve() -> Vec<(String, f64)> {
    let row = &vectors()["lec12"];
    let names = row["req"].as_str().unwrap().chars().map(String::from);
    names.map(|name| (name.clone(), row["cost"][&name].as_f64().unwrap())).collect()
}

fn words(row: &Value) -> String {
    row.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn least_expected_cost_twelve_requests() {
    let row = &vectors()["lec12"];
    let mut desk = Desk::new(config(LEC, row["L"].as_u64().unwrap()));
    let mut paid = 0.0;
    for ((name, cost), step) in twelve().iter().zip(row["trace"].as_array().unwrap()) {
        let did = match desk.serve(name, Terms::new(1, *cost)) {
            None => "hit",
            Some(Outcome::Stored { evicted: 0 }) => "insert",
            Some(Outcome::Stored { .. }) => "replace",
            Some(_) => "reject",
        };
        paid += if did == "hit" { 0.0 } else { *cost };
        assert_eq!(did, step[2].as_str().unwrap(), "{step}");
        let gone = desk.gone();
        if did == "replace" {
            assert_eq!(gone, step[3].as_str().unwrap(), "{step}");
        }
        assert_eq!((desk.held(), Some(paid)), (words(&step[4]), step[5].as_f64()), "{step}");
    }
    assert_eq!(Some(paid), row["total"].as_f64());
}

#[test]
fn lfu_and_lru_twelve_requests() {
    for (policy, name) in [(LFU, "lfu12"), (Policy::Lru, "lru12")] {
        let mut desk = Desk::new(config(policy, 2));
        let mut paid = 0.0;
        for (word, cost) in twelve() {
            paid += desk.serve(&word, Terms::new(1, cost)).map_or(0.0, |_| cost);
        }
        let want = &vectors()[name];
        assert_eq!((Some(paid), desk.held()), (want[0].as_f64(), words(&want[1])), "{name}");
    }
}

#[test]
fn gdsf_twelve_requests_with_sizes() {
    let row = &vectors()["gdsf12"];
    let mut desk = Desk::new(config(GDSF, row["budget"].as_u64().unwrap()));
    let mut paid = 0.0;
    for ((name, cost), step) in twelve().iter().zip(row["trace"].as_array().unwrap()) {
        let outcome = desk.serve(name, Terms::new(row["size"][name].as_u64().unwrap(), *cost));
        paid += outcome.map_or(0.0, |_| *cost);
        assert_eq!(outcome.is_none(), step[2] == "hit", "{step}");
        assert_eq!(desk.gone(), words(&step[3]), "{step}");
        let held = step[4].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!((desk.held(), Some(paid)), (held, step[6].as_f64()), "{step}");
    }
}

#[test]
fn a_replaced_value_keeps_count_and_costs() {
    let mut desk = Desk::new(config(LEC, 10));
    for cost in [2.0, 4.0] {
        desk.ask("a");
        desk.put("a", Terms::new(3, cost));
    }
    assert_eq!((desk.count("a"), desk.shard.len()), (2.0, 1));
    assert_eq!(desk.left, [("a".into(), 1)], "the old value left");
    let view = desk.view("a").unwrap();
    assert!((view.miss_cost - 3.0).abs() < 1e-12, "mean of 2 and 4");
    assert_eq!(desk.ask("a"), Some(2));
    assert_eq!(desk.shard.used(), 3);
}

#[test]
fn a_put_that_nobody_asked_for_counts_once() {
    let mut desk = Desk::new(config(LEC, 10));
    desk.put("a", Terms::new(1, 1.0));
    assert_eq!(desk.count("a"), 1.0);
    desk.put("a", Terms::new(1, 1.0));
    assert_eq!(desk.count("a"), 1.0);
    desk.ask("b");
    desk.put("b", Terms::new(1, 1.0));
    assert_eq!(desk.count("b"), 1.0);
    desk.delete("b");
    assert_eq!((desk.count("b"), desk.view("b")), (1.0, None), "the count outlives the entry");
}

#[test]
fn larger_than_the_budget_is_refused_and_replaces_nothing_else() {
    let mut desk = Desk::new(config(LEC, 10));
    desk.put("a", Terms::new(4, 1.0));
    desk.put("b", Terms::new(4, 1.0));
    for bytes in [11, u64::from(u32::MAX) + 1, u64::MAX] {
        assert_eq!(desk.put("b", Terms::new(bytes, 1.0)), Outcome::TooLarge);
    }
    assert_eq!(desk.held(), "a", "the outdated value of b left");
    assert_eq!(desk.put("c", Terms::new(10, 1e6)), Outcome::Stored { evicted: 1 });
    assert_eq!(desk.shard.totals().too_large, 3);
}

#[test]
fn a_declined_newcomer_changes_nothing() {
    for (policy, rich) in [(LEC, 9.0), (LFU, 1.0), (Policy::Gdsf { keep_counts: true, bypass: true }, 9.0)] {
        let mut desk = Desk::new(config(policy, 6));
        // Cheap "a" alone would make way for "d", but "d" needs the room of dear "b" as well.
        desk.put("a", Terms::new(2, 1.0));
        for name in ["b", "c"] {
            desk.put(name, Terms::new(2, rich));
            desk.ask(name);
            desk.ask(name);
        }
        desk.ask("d");
        desk.ask("d");
        assert_eq!(desk.put("d", Terms::new(4, 2.0 * rich)), Outcome::Bypassed, "{policy:?}");
        assert_eq!((desk.held(), desk.gone()), ("a b c".into(), "d".into()));
        // "e" beats "a" by a hair: had the decline raised "a", "e" would be declined as well.
        desk.ask("e");
        desk.ask("e");
        assert_eq!(desk.put("e", Terms::new(2, 1.0)), Outcome::Stored { evicted: 1 }, "{policy:?}");
        assert_eq!(desk.held(), "b c e", "{policy:?}");
    }
}

/// Everything that a share sets aside stays in its place in the order.
#[test]
fn a_tenant_over_its_share_makes_room_among_its_own() {
    for policy in [LEC, LFU, Policy::Lru, GDSF, Policy::S3Fifo { small_share: 0.1 }] {
        let mut desk = Desk::new(ShardConfig { tenant_share: 0.5, ..config(policy, 8) });
        for name in ["y/1", "x/1", "y/2", "x/2", "x/3", "x/4"] {
            assert_eq!(desk.put(name, Terms::new(1, 1.0)), STORED);
        }
        desk.ask("x/5");
        desk.ask("x/5");
        assert_eq!(desk.put("x/5", Terms::new(1, 1.0)), Outcome::Stored { evicted: 1 }, "{policy:?}");
        assert_eq!((desk.gone(), desk.shard.used()), ("x/1".into(), 6), "{policy:?}");
        assert_eq!(desk.put("x/6", Terms::new(5, 1.0)), Outcome::TooLarge, "{policy:?}: more than the share");
        desk.gone();
        desk.ask("z/1");
        desk.ask("z/1");
        assert_eq!(desk.put("z/1", Terms::new(3, 5.0)), Outcome::Stored { evicted: 1 }, "{policy:?}");
        assert_eq!(desk.gone(), "y/1", "{policy:?}: the oldest of equals, touched by nobody since");
    }
}

/// Room that a tenant has to make anyway is not taken from others first.
#[test]
fn over_share_and_over_budget_at_once() {
    for policy in [LEC, LFU, Policy::Lru, GDSF, Policy::S3Fifo { small_share: 0.1 }] {
        let mut desk = Desk::new(ShardConfig { tenant_share: 0.5, ..config(policy, 4) });
        for name in ["y/1", "y/2", "x/1", "x/2"] {
            desk.put(name, Terms::new(1, 1.0));
        }
        desk.ask("x/3");
        desk.ask("x/3");
        assert_eq!(desk.put("x/3", Terms::new(1, 1.0)), Outcome::Stored { evicted: 1 }, "{policy:?}");
        assert_eq!(desk.held(), "x/2 x/3 y/1 y/2", "{policy:?}");
    }
}

#[test]
fn without_shares_a_large_owner_gets_no_special_treatment() {
    let mut desk = Desk::new(config(LEC, 4));
    desk.put("y/1", Terms::new(1, 1.0));
    for name in ["x/1", "x/2", "x/3"] {
        desk.put(name, Terms::new(1, 2.0));
    }
    desk.put("x/4", Terms::new(2, 9.0));
    assert_eq!(desk.held(), "x/2 x/3 x/4", "the least valuable went, whoever owned it");
}

#[test]
fn entries_expire_in_the_order_of_their_time() {
    let mut desk = Desk::new(config(LEC, 4));
    for (name, expires_ms) in [("late", 300), ("soon", 100), ("mid", 200), ("never", u64::MAX)] {
        desk.put(name, Terms { expires_ms, ..Terms::new(1, 50.0) });
    }
    desk.now_ms = 99;
    assert!(desk.ask("soon").is_some());
    desk.now_ms = 200;
    assert_eq!((desk.ask("soon"), desk.ask("mid"), desk.shard.len()), (None, None, 4));
    assert!(desk.view("mid").is_none() && desk.view("late").is_some());
    // Worthless as it is, the newcomer takes the place of what nobody may have any more.
    assert_eq!(desk.put("new", Terms::new(1, 0.0)), STORED);
    assert_eq!((desk.gone(), desk.held()), ("soon mid".into(), "late never new".into()));
    let totals = desk.shard.totals();
    assert_eq!((totals.expired, totals.evicted, totals.hits, totals.misses), (2, 0, 1, 2));
    desk.now_ms = 300;
    desk.put("late", Terms { expires_ms: 301, ..Terms::new(1, 50.0) });
    assert!(desk.ask("late").is_some(), "a new value has its own time");
}

#[test]
fn a_tenants_expired_entries_do_not_count_against_its_share() {
    let mut desk = Desk::new(ShardConfig { tenant_share: 0.5, ..config(LEC, 4) });
    for name in ["x/1", "x/2"] {
        desk.put(name, Terms { expires_ms: 10, ..Terms::new(1, 50.0) });
    }
    desk.now_ms = 10;
    assert_eq!(desk.put("x/3", Terms::new(2, 1.0)), STORED);
    assert_eq!(desk.held(), "x/3");
}

#[test]
fn savings_are_booked_to_the_nano() {
    let mut desk = Desk::new(config(LEC, 10));
    desk.put("a", Terms { hit_cost: 0.25, ..Terms::new(1, 1.0) });
    desk.ask("a");
    desk.ask("a");
    assert_eq!(desk.shard.totals().saved_nano, 1_500_000_000);
    // What is learnt later prices later hits only.
    assert!(desk.shard.revalue(hash("a"), |held| held == "a", 3.0, 0.5, None));
    desk.ask("a");
    assert_eq!(desk.shard.totals().saved_nano, 4_000_000_000);
    desk.put("a", Terms { hit_cost: 4.0, ..Terms::new(1, 2.0) });
    desk.ask("a");
    desk.delete("a");
    assert_eq!(
        desk.shard.totals().saved_nano,
        4_000_000_000,
        "a hit that costs more than a miss saves nothing"
    );
    for (name, cost, nano) in [("b", 0.000_3, 300_000), ("c", 1.001, 1_001_000_000), ("d", 4.1e-8, 41)] {
        let before = desk.shard.totals().saved_nano;
        desk.put(name, Terms::new(1, cost));
        (0..3).for_each(|_| assert!(desk.ask(name).is_some()));
        assert_eq!(desk.shard.totals().saved_nano - before, 3 * nano, "{cost}");
    }
}

#[test]
fn savings_saturate() {
    let mut desk = Desk::new(config(LEC, 10));
    for name in ["a", "b"] {
        desk.put(name, Terms::new(1, 1e12));
        desk.ask(name);
        desk.ask(name);
    }
    assert_eq!(desk.shard.totals().saved_nano, u64::MAX);
    desk.delete("a");
    desk.delete("b");
    assert_eq!(desk.shard.totals().saved_nano, u64::MAX);
}

/// Half of the hash lies in the table; the other half must count as well.
#[test]
fn a_hash_names_one_entry() {
    let mut desk = Desk::new(config(LEC, 10));
    let (first, second) = (0xABCD_0000_0000_0001, 0xABCD_0000_0000_0002);
    desk.put_at(first, "a", Terms::new(1, 1.0));
    desk.put_at(second, "b", Terms::new(1, 1.0));
    assert_eq!(desk.shard.delete_hash(second), Some(("b".into(), 2)));
    assert_eq!(desk.shard.delete_hash(second), None);
    desk.shard.check();
    assert_eq!(desk.held(), "a");
}

/// The dear newcomer raises the mean cost and with it the deviation, which makes "a", seen once, worth less
/// than "b", seen often.
#[test]
fn rescoring_comes_before_the_decision() {
    let estimator = Estimator::PooledVariance { z: 2.0, s0: None };
    let mut desk = Desk::new(ShardConfig { estimator, rescore: true, ..config(LEC, 2) });
    desk.put("a", Terms::new(1, 10.0));
    for _ in 0..16 {
        desk.put("b", Terms::new(1, 9.0));
    }
    assert!(desk.view("a").unwrap().miss_cost > desk.view("b").unwrap().miss_cost);
    desk.gone();
    desk.put("c", Terms::new(1, 1000.0));
    assert_eq!(desk.gone(), "a");
}

#[test]
fn counts_survive_a_long_decay() {
    let decay = DecayRule::HalfLife(0.25);
    for policy in [LEC, LFU, Policy::Gdsf { keep_counts: true, bypass: false }] {
        let mut desk = Desk::new(ShardConfig { decay, ..config(policy, 2) });
        desk.put("old", Terms::new(1, 1.0));
        for at in 0..200 {
            desk.serve(["a", "b"][at % 2], Terms::new(1, 1.0));
            assert!(desk.count("old") <= 1.0);
        }
        assert_eq!(desk.held(), "a b", "{policy:?}: what is asked for now replaced what was");
    }
}

#[test]
fn dear_entries_come_back_as_numbers() {
    let mut desk = Desk::new(config(LEC, 1));
    for _ in 0..3 {
        desk.put("a", Terms::new(1, 1e100));
        assert!(desk.view("a").unwrap().miss_cost >= 1e38);
        desk.delete("a");
    }
}

/// What a snapshot brings back was not asked for just now.
#[test]
fn restoring_lets_no_time_pass() {
    let mut desk = Desk::new(ShardConfig { decay: DecayRule::HalfLife(2.0), ..config(LEC, 100) });
    desk.shard.remember(hash("gone"), 8.0);
    for name in ["a", "b", "c", "d"] {
        let learnt = Learnt { count: 4.0, mean_cost: 1.0, observed: 1 };
        desk.put(name, Terms { cost: Cost::Learnt(learnt), ..Terms::new(1, 0.0) });
    }
    assert_eq!((desk.count("gone"), desk.count("a"), desk.count("d")), (8.0, 4.0, 4.0));
}

/// Whether an entry has expired by then is for whoever reads the snapshot to say.
#[test]
fn the_history_has_the_counts_of_entries_that_expire() {
    let mut desk = Desk::new(config(LEC, 10));
    desk.put("stays", Terms::new(1, 1.0));
    desk.put("expires", Terms { expires_ms: 5, ..Terms::new(1, 1.0) });
    desk.ask("expires");
    assert_eq!(desk.shard.history().collect::<Vec<_>>(), [(hash("expires"), 2.0)]);
}

#[test]
fn what_was_learnt_comes_back() {
    let mut desk = Desk::new(config(LEC, 10));
    let learnt = Learnt { count: 7.0, mean_cost: 0.5, observed: 3 };
    desk.put("a", Terms { cost: Cost::Learnt(learnt), ..Terms::new(1, 0.0) });
    assert_eq!(desk.shard.learnt(&desk.view("a").unwrap()), learnt);
    desk.put("b", Terms { cost: Cost::Unknown, ..Terms::new(1, 0.0) });
    let view = desk.view("b").unwrap();
    assert!((view.miss_cost - 0.5).abs() < 1e-12, "the running mean is that of the costs learnt before");
}

#[test]
fn an_entry_that_another_would_answer_for_counts_for_the_rest() {
    for policy in [LEC, GDSF] {
        for (share, leaves) in [(0.0, "cheap"), (0.9, "dear"), (0.3, "cheap")] {
            let mut desk = Desk::new(config(policy, 2));
            desk.put("dear", Terms { expires_ms: 1_000, ..Terms::new(1, 50.0) });
            desk.put("cheap", Terms::new(1, 30.0));
            assert_eq!(desk.shard.density(hash("dear")), None, "there is room for all");
            desk.shard.cover(hash("dear"), 0.99);
            desk.shard.cover(hash("dear"), share);
            desk.shard.check();
            let view = desk.view("dear").unwrap();
            assert!(
                (view.covered - share).abs() < 1e-4 && view.expires_ms == 1_000 && view.miss_cost == 50.0
            );

            desk.put("new", Terms::new(1, 40.0));
            assert_eq!(desk.gone(), leaves, "{policy:?} {share}");
            if leaves == "cheap" {
                assert_eq!(desk.shard.density(hash("dear")), Some(50.0), "whatever others would answer");
                desk.put("dear", Terms::new(1, 50.0));
                assert_eq!(desk.view("dear").unwrap().covered, 0.0, "a new value stands for itself");
            }
        }
    }
}

#[test]
fn a_score_from_outside_and_recency_know_no_cover() {
    for policy in [Policy::Lru, Policy::Given { bypass: false }] {
        let mut desk = Desk::new(config(policy, 2));
        desk.put("first", Terms { given: Some(1.0), ..Terms::new(1, 50.0) });
        desk.put("second", Terms { given: Some(2.0), ..Terms::new(1, 50.0) });
        desk.shard.cover(hash("second"), 0.99);
        desk.put("third", Terms { given: Some(3.0), ..Terms::new(1, 50.0) });
        assert_eq!(desk.gone(), "first", "{policy:?}");
    }
}
