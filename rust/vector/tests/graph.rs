//! The graph engine: long rows that are walked by their codes, turnover, growth, and what a snapshot may hold.

use std::collections::BTreeMap;

use lecmux_vector::{Choice, Index, Settings, Store};
use proptest::prelude::*;

/// Rows of this length have codes in a graph, in every store.
const LONG: usize = 260;

fn index(dimension: usize, store: Store, engine: Choice, crossing: Option<usize>) -> Index {
    Index::with(dimension, Settings { store, engine, crossing }).expect("sound")
}

/// A vector of its own for each seed, around one of eight directions.
fn vector(dimension: usize, seed: u64) -> Vec<f32> {
    let mut state = seed << 20 | 0x5_eed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let mut vector: Vec<f32> = (0..dimension).map(|_| next()).collect();
    (0..8).for_each(|at| vector[usize::try_from(seed % 8).expect("small") * 8 + at] += 2.5);
    vector
}

fn vectors(dimension: usize, seeds: impl Iterator<Item = u64>) -> Vec<f32> {
    seeds.flat_map(|seed| vector(dimension, seed)).collect()
}

#[derive(Clone, Debug)]
enum Op {
    Add(i64, u64),
    AddMany(i64, i64),
    Remove(i64),
    RemoveMany(i64, i64),
    Same(i64, i64),
    SaveAndLoad,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..300_i64, any::<u32>()).prop_map(|(id, seed)| Op::Add(id, u64::from(seed))),
        2 => (0..300_i64, 1..80_i64).prop_map(|(first, count)| Op::AddMany(first, count)),
        4 => (0..300_i64).prop_map(Op::Remove),
        2 => (0..300_i64, 1..80_i64).prop_map(|(first, count)| Op::RemoveMany(first, count)),
        1 => (0..300_i64, 40..60_i64).prop_map(|(first, count)| Op::Same(first, count)),
        1 => Just(Op::SaveAndLoad),
    ]
}

/// Does the same to both engines, and asks both for everything.
fn run(store: Store, engine: Choice, ops: &[Op]) {
    let mut graph = index(LONG, store, engine, Some(50));
    let mut flat = index(LONG, store, Choice::Flat, None);
    let mut held = BTreeMap::new();
    for op in ops {
        let change = |graph: &mut Index, flat: &mut Index, pairs: Vec<(i64, u64)>| {
            let ids: Vec<i64> = pairs.iter().map(|pair| pair.0).collect();
            let rows = vectors(LONG, pairs.iter().map(|pair| pair.1));
            graph.add(&ids, &rows).expect("sound");
            flat.add(&ids, &rows).expect("sound");
            pairs
        };
        match *op {
            Op::Add(id, seed) => held.extend(change(&mut graph, &mut flat, vec![(id, seed)])),
            Op::AddMany(first, count) => {
                let pairs = (first..first + count).map(|id| (id, id.cast_unsigned())).collect();
                held.extend(change(&mut graph, &mut flat, pairs));
            }
            Op::Same(first, count) => {
                let pairs = (first..first + count).map(|id| (id, 7)).collect();
                held.extend(change(&mut graph, &mut flat, pairs));
            }
            Op::Remove(id) => {
                assert_eq!(graph.remove(&[id]), usize::from(held.remove(&id).is_some()));
                flat.remove(&[id]);
            }
            Op::RemoveMany(first, count) => {
                let ids: Vec<i64> = (first..first + count).collect();
                assert_eq!(graph.remove(&ids), flat.remove(&ids));
                held.retain(|id, _| !ids.contains(id));
            }
            Op::SaveAndLoad => {
                let bytes = graph.to_bytes();
                graph = Index::from_bytes(&bytes).expect("what was written can be read");
                assert_eq!(graph.to_bytes(), bytes);
            }
        }
        graph.check();
        let query = vector(LONG, 1234);
        let all = held.len().max(1);
        let mut found = graph.search_with(&query, all, Some(all)).expect("sound").remove(0);
        let mut want = flat.search(&query, all).expect("sound").remove(0);
        found.sort_by_key(|hit| hit.id);
        want.sort_by_key(|hit| hit.id);
        assert_eq!(found, want);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_graph_of_codes_holds_what_the_flat_engine_holds(ops in prop::collection::vec(op(), 1..30)) {
        run(Store::F16, Choice::Hnsw, &ops);
        run(Store::I8, Choice::Hnsw, &ops);
    }

    #[test]
    fn so_does_one_that_comes_and_goes_with_the_size(ops in prop::collection::vec(op(), 1..30)) {
        run(Store::F32, Choice::Auto, &ops);
    }
}

/// Share of the five nearest by `b` that a walk of such an effort in `a` finds.
fn agreement(a: &Index, b: &Index, queries: &[f32], effort: usize) -> f64 {
    let a = a.search_with(queries, 5, Some(effort)).expect("sound");
    let b = b.search(queries, 5).expect("sound");
    let same = a.iter().zip(&b).map(|(a, b)| a.iter().filter(|hit| b.iter().any(|o| o.id == hit.id)).count());
    same.sum::<usize>() as f64 / (5 * a.len()) as f64
}

#[test]
fn after_many_turnovers_it_finds_what_a_graph_built_afresh_finds() {
    let (size, turnovers) = (2000, 10);
    let mut old = index(LONG, Store::F16, Choice::Hnsw, None);
    old.add(&(0..size).collect::<Vec<_>>(), &vectors(LONG, 0..2000)).expect("sound");
    let bytes = old.memory_bytes();
    for new in size..size * (turnovers + 1) {
        let leaves = (new - size) / size * size + (new % size) * 337 % size;
        assert_eq!(old.remove(&[leaves]), 1);
        old.add(&[new], &vector(LONG, new.cast_unsigned())).expect("sound");
    }
    old.check();
    let ids: Vec<i64> = (size * turnovers..size * (turnovers + 1)).collect();
    let rows = vectors(LONG, ids.iter().map(|id| id.cast_unsigned()));
    let (mut fresh, mut flat) =
        (index(LONG, Store::F16, Choice::Hnsw, None), index(LONG, Store::F16, Choice::Flat, None));
    fresh.add(&ids, &rows).expect("sound");
    flat.add(&ids, &rows).expect("sound");
    let queries = vectors(LONG, 50_000..50_300);
    for (effort, least) in [(40, 0.93), (128, 0.97)] {
        let found = |graph| agreement(graph, &flat, &queries, effort);
        let (was, is) = (found(&fresh), found(&old));
        assert!(was >= least, "a fresh graph finds {was} at effort {effort}");
        assert!(is >= was - 0.01, "{is} after turnovers, {was} afresh, at effort {effort}");
    }
    assert!(old.memory_bytes() * 100 <= bytes * 102, "{} over {bytes}", old.memory_bytes());
}

#[test]
fn the_same_history_makes_the_same_graph() {
    let made = || {
        let mut index = index(LONG, Store::I8, Choice::Hnsw, None);
        index.add(&(0..600).collect::<Vec<_>>(), &vectors(LONG, 0..600)).expect("sound");
        index.remove(&(0..600).step_by(3).collect::<Vec<_>>());
        index.to_bytes()
    };
    assert_eq!(made(), made());
}

#[test]
fn auto_grows_a_graph_beside_the_flat_engine_and_drops_it_at_half_the_crossing() {
    let mut index = index(LONG, Store::F16, Choice::Auto, Some(1000));
    index.add(&(0..1000).collect::<Vec<_>>(), &vectors(LONG, 0..1000)).expect("sound");
    assert!(!index.walks(), "it has just begun");
    for new in 1000..1600 {
        index.remove(&[new - 1000]);
        index.add(&[new], &vector(LONG, new.cast_unsigned())).expect("sound");
    }
    assert!(index.walks());
    index.check();
    index.remove(&(1000..1501).collect::<Vec<_>>());
    assert!(!index.walks());
    index.check();
}

#[test]
fn a_greater_effort_finds_more() {
    let (mut graph, mut flat) =
        (index(LONG, Store::F16, Choice::Hnsw, None), index(LONG, Store::F16, Choice::Flat, None));
    for index in [&mut graph, &mut flat] {
        index.add(&(0..4000).collect::<Vec<_>>(), &vectors(LONG, 0..4000)).expect("sound");
    }
    let queries = vectors(LONG, 90_000..90_200);
    let truth = flat.search(&queries, 1).expect("sound");
    let found = |effort| {
        let found = graph.search_with(&queries, 1, Some(effort)).expect("sound");
        found.iter().zip(&truth).filter(|(a, b)| a[0].id == b[0].id).count()
    };
    assert!(found(400) > found(4), "{} and {}", found(400), found(4));
    assert!(graph.search_with(&queries, 1, Some(0)).is_err());
}

#[test]
fn every_flipped_byte_and_every_cut_of_a_graph_is_refused() {
    let mut index = index(3, Store::I8, Choice::Hnsw, None);
    index
        .add(&(0..40).collect::<Vec<_>>(), &(1_u16..=120).map(f32::from).collect::<Vec<_>>())
        .expect("sound");
    let bytes = index.to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(Index::from_bytes(&changed).is_err(), "byte {at}");
        assert!(Index::from_bytes(&bytes[..at]).is_err(), "cut to {at}");
    }
}

#[test]
fn memory_is_given_back_when_a_graph_empties() {
    let mut index = index(LONG, Store::F16, Choice::Hnsw, None);
    let empty = index.memory_bytes();
    index.add(&(0..1000).collect::<Vec<_>>(), &vectors(LONG, 0..1000)).expect("sound");
    assert!(index.memory_bytes() > 1000 * (2 * LONG + LONG / 8 + 32 * 4));
    assert_eq!(index.remove(&(0..1000).collect::<Vec<_>>()), 1000);
    index.check();
    assert!(index.memory_bytes() < empty + 8000, "{} and {empty}", index.memory_bytes());
    assert_eq!(index.search(&vector(LONG, 1), 3).expect("sound"), [[]]);
}
