//! Any sequence of operations against a naive scan over a map; `check()` after each.

use std::collections::BTreeMap;

use lecmux_vector::metric::available;
use lecmux_vector::{CODED_FROM, Choice, EXACT_BELOW, Error, Index, Settings, Store};
use proptest::prelude::*;

const DIMENSION: usize = 20;

#[derive(Clone, Debug)]
enum Op {
    Add(Vec<(i64, u32)>),
    Remove(Vec<i64>),
    Search(u32, usize),
    SaveAndLoad,
}

fn op() -> impl Strategy<Value = Op> {
    // Ids from a small range meet again; the sizes cross the border between rows alone and codes both ways.
    let id = -100..100_i64;
    prop_oneof![
        4 => prop::collection::btree_map(id.clone(), any::<u32>(), 1..80)
            .prop_map(|pairs| Op::Add(pairs.into_iter().collect())),
        3 => prop::collection::vec(id, 1..70).prop_map(Op::Remove),
        2 => (any::<u32>(), 1_usize..300).prop_map(|(seed, k)| Op::Search(seed, k)),
        1 => Just(Op::SaveAndLoad),
    ]
}

/// A vector of its own for each seed, around one of four directions, of any length.
fn vector(seed: u32) -> Vec<f32> {
    let mut state = u64::from(seed) << 20 | 0x5_eed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let mut vector: Vec<f32> = (0..DIMENSION).map(|_| next()).collect();
    vector[seed as usize % 4] += 1.5;
    let length = 10.0_f32.powf(8.0 * next());
    vector.into_iter().map(|value| value * length).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn tolerance(store: Store) -> f64 {
    match store {
        Store::F32 => 1e-5,
        Store::F16 => 1e-3,
        Store::I8 => 2e-2,
    }
}

/// `engine` at a crossing that the sizes meet both ways.
fn settings(store: Store, engine: Choice) -> Settings {
    Settings { store, engine, crossing: Some(60) }
}

fn run(store: Store, engine: Choice, ops: &[Op], kernels: usize) {
    let tables = available();
    let kernels = tables[kernels % tables.len()];
    let mut index = Index::with_kernels(DIMENSION, settings(store, engine), kernels).expect("sound");
    let mut model: BTreeMap<i64, Vec<f32>> = BTreeMap::new();
    for op in ops {
        match op {
            Op::Add(pairs) => {
                let ids: Vec<i64> = pairs.iter().map(|pair| pair.0).collect();
                let vectors: Vec<Vec<f32>> = pairs.iter().map(|pair| vector(pair.1)).collect();
                index.add(&ids, &vectors.concat()).expect("sound");
                model.extend(ids.into_iter().zip(vectors));
            }
            Op::Remove(ids) => {
                let gone = ids.iter().filter(|id| model.remove(id).is_some()).count();
                assert_eq!(index.remove(ids), gone);
            }
            Op::Search(seed, k) => search(&index, &model, &vector(*seed), *k),
            Op::SaveAndLoad => {
                let bytes = index.to_bytes();
                index = Index::from_bytes(&bytes).expect("what was written can be read");
                assert_eq!(index.to_bytes(), bytes);
            }
        }
        index.check();
        assert_eq!(index.len(), model.len());
    }
}

/// Similarities are true, in order and without a better one left out.
fn search(index: &Index, model: &BTreeMap<i64, Vec<f32>>, query: &[f32], k: usize) {
    // A graph finds all when it keeps all in view: there is a way to every vector.
    let found = index.search_with(query, k, Some(model.len().max(1))).expect("sound").remove(0);
    let slack = tolerance(index.store());
    assert_eq!(found.len(), k.min(model.len()));
    assert!(found.is_sorted_by(|a, b| a.similarity >= b.similarity));
    for hit in &found {
        assert!((f64::from(hit.similarity) - cosine(query, &model[&hit.id])).abs() <= slack);
    }
    // With so few vectors every search takes in all of them, so that it is exact.
    let mut all: Vec<f64> = model.values().map(|vector| cosine(query, vector)).collect();
    all.sort_by(|a, b| b.total_cmp(a));
    for (hit, best) in found.iter().zip(all) {
        assert!((f64::from(hit.similarity) - best).abs() <= 2.0 * slack, "{} for {best}", hit.similarity);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn f32_rows_do_as_a_naive_scan_does(
        ops in prop::collection::vec(op(), 1..24), engine in engine(), kernels in 0_usize..6,
    ) {
        run(Store::F32, engine, &ops, kernels);
    }

    #[test]
    fn f16_rows_do_as_a_naive_scan_does(
        ops in prop::collection::vec(op(), 1..24), engine in engine(), kernels in 0_usize..6,
    ) {
        run(Store::F16, engine, &ops, kernels);
    }

    #[test]
    fn i8_rows_do_as_a_naive_scan_does(
        ops in prop::collection::vec(op(), 1..24), engine in engine(), kernels in 0_usize..6,
    ) {
        run(Store::I8, engine, &ops, kernels);
    }
}

fn engine() -> impl Strategy<Value = Choice> {
    prop_oneof![Just(Choice::Flat), Just(Choice::Hnsw), Just(Choice::Auto)]
}

/// An index of `count` vectors with ids from 0 on.
fn filled(store: Store, count: u32) -> Index {
    let mut index = Index::new(DIMENSION, store).expect("sound");
    let vectors: Vec<f32> = (0..count).flat_map(vector).collect();
    index.add(&(0..i64::from(count)).collect::<Vec<_>>(), &vectors).expect("sound");
    index
}

#[test]
fn several_queries_find_what_each_finds_alone() {
    let index = filled(Store::F16, 3000);
    let queries: Vec<f32> = (5000..5021).flat_map(vector).collect();
    let together = index.search(&queries, 7).expect("sound");
    for (query, found) in queries.chunks_exact(DIMENSION).zip(together) {
        assert_eq!(index.search(query, 7).expect("sound"), [found]);
    }
}

#[test]
fn every_kernel_finds_the_same() {
    let vectors: Vec<f32> = (0..3000).flat_map(vector).collect();
    let ids: Vec<i64> = (0..3000).collect();
    let found = available().into_iter().map(|kernels| {
        let mut index =
            Index::with_kernels(DIMENSION, settings(Store::F32, Choice::Flat), kernels).expect("sound");
        index.add(&ids, &vectors).expect("sound");
        let queries: Vec<f32> = (9000..9050).flat_map(vector).collect();
        let hits = index.search(&queries, 1).expect("sound");
        hits.iter().map(|hits| hits[0].id).collect::<Vec<_>>()
    });
    let found: Vec<_> = found.collect();
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn after_many_turnovers_a_search_finds_what_a_fresh_index_finds() {
    let (size, turnovers) = (1000_u32, 10);
    let mut index = filled(Store::F16, size);
    let fresh_bytes = index.memory_bytes();
    for new in size..size * (turnovers + 1) {
        // The oldest leaves last: slots are shuffled by a stride that meets every id.
        let old = i64::from((new - size) / size * size + (new % size) * 337 % size);
        assert_eq!(index.remove(&[old]), 1);
        index.add(&[i64::from(new)], &vector(new)).expect("sound");
    }
    index.check();
    let mut fresh = Index::new(DIMENSION, Store::F16).expect("sound");
    let held = size * turnovers..size * (turnovers + 1);
    let ids: Vec<i64> = held.clone().map(i64::from).collect();
    fresh.add(&ids, &held.flat_map(vector).collect::<Vec<_>>()).expect("sound");
    let queries: Vec<f32> = (50_000..50_100).flat_map(vector).collect();
    let (old, new) = (index.search(&queries, 1).expect("sound"), fresh.search(&queries, 1).expect("sound"));
    let same = old.iter().zip(&new).filter(|(a, b)| a[0].id == b[0].id).count();
    assert!(same >= 99, "{same} of 100");
    assert!(index.memory_bytes() * 100 <= fresh_bytes * 102, "{} over {fresh_bytes}", index.memory_bytes());
}

#[test]
fn equal_vectors_beyond_number_do_not_slow_or_break_it() {
    let mut index = Index::new(DIMENSION, Store::I8).expect("sound");
    let ids: Vec<i64> = (0..5000).collect();
    index.add(&ids, &vector(1).repeat(5000)).expect("sound");
    index.check();
    let found = index.search(&vector(1), 3).expect("sound").remove(0);
    assert!(found.iter().all(|hit| hit.similarity > 0.98));
}

#[test]
fn a_partition_of_few_has_no_codes_and_gives_memory_back() {
    let few = u32::try_from(EXACT_BELOW).expect("small") - 1;
    let mut index = filled(Store::F16, 4 * u32::try_from(CODED_FROM).expect("small"));
    let ids: Vec<i64> = (0..).skip(few as usize).take(4 * CODED_FROM - few as usize).collect();
    assert_eq!(index.remove(&ids), ids.len());
    index.check();
    assert!(index.memory_bytes() <= filled(Store::F16, few).memory_bytes() * 5 / 4);
}

#[test]
fn what_cannot_be_taken_changes_nothing() {
    let mut index = filled(Store::F32, 3);
    let before = index.to_bytes();
    let zero = [vec![1.0; DIMENSION], vec![0.0; DIMENSION]].concat();
    let mut not_finite = vec![1.0; 2 * DIMENSION];
    not_finite[DIMENSION + 4] = f32::NAN;
    for vectors in [&zero, &not_finite] {
        assert!(
            matches!(index.add(&[7, 8], vectors), Err(Error::Vector { what }) if what.contains("vector 1"))
        );
    }
    assert!(matches!(index.add(&[7, 7], &[1.0; 2 * DIMENSION]), Err(Error::Vector { .. })));
    assert!(matches!(index.add(&[7], &[1.0; DIMENSION + 1]), Err(Error::Dimension { .. })));
    assert!(matches!(index.search(&[f32::INFINITY; DIMENSION], 1), Err(Error::Vector { .. })));
    assert!(matches!(index.search(&[1.0; DIMENSION - 1], 1), Err(Error::Dimension { .. })));
    assert!(matches!(index.search(&[1.0; DIMENSION], 0), Err(Error::Config { .. })));
    assert_eq!(index.to_bytes(), before);
}

#[test]
fn vectors_of_any_length_are_taken_as_directions() {
    let mut index = Index::new(2, Store::F32).expect("sound");
    index.add(&[1, 2], &[f32::MAX, f32::MAX, f32::MIN_POSITIVE / 4.0, 0.0]).expect("sound");
    let found = index.search(&[1e-30, 0.0], 2).expect("sound").remove(0);
    assert_eq!(found[0].id, 2);
    assert!((found[1].similarity - 0.5_f32.sqrt()).abs() < 1e-6);
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_snapshot_is_refused() {
    let bytes = filled(Store::I8, 5).to_bytes();
    for at in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(Index::from_bytes(&changed).is_err(), "bit {at}");
    }
    for length in 0..bytes.len() {
        assert!(Index::from_bytes(&bytes[..length]).is_err(), "cut to {length}");
    }
}

/// One of many vectors that lie close together: `crowd` says where, `member` how it differs.
fn in_crowd(crowd: u32, member: u32) -> Vec<f32> {
    let unit = |seed: u32| {
        let vector = vector(seed);
        let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.into_iter().map(move |value| value / norm)
    };
    unit(crowd).zip(unit(member)).map(|(centre, own)| centre + 0.3 * own).collect()
}

#[derive(Clone, Debug)]
enum Move {
    /// So many come around a place.
    Come(u32, u32),
    /// So many leave, those that came first or those that came last.
    Leave(usize, bool),
    SaveAndLoad,
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        5 => (0_u32..4, 1_u32..900).prop_map(|(crowd, count)| Move::Come(crowd, count)),
        3 => (1_usize..1200, any::<bool>()).prop_map(|(count, first)| Move::Leave(count, first)),
        1 => Just(Move::SaveAndLoad),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Crowds come and leave, with the cells that are made for them; whatever is held finds itself.
    #[test]
    fn crowds_come_and_leave(moves in prop::collection::vec(a_move(), 4..12), kernels in 0_usize..6) {
        let tables = available();
        let kernels = tables[kernels % tables.len()];
        let flat = Settings { store: Store::F32, engine: Choice::Flat, crossing: None };
        let mut index = Index::with_kernels(DIMENSION, flat, kernels).expect("sound");
        let (mut held, mut next) = (std::collections::VecDeque::new(), 0_u32);
        for step in moves {
            match step {
                Move::Come(crowd, count) => {
                    let members = next..next + count;
                    let vectors: Vec<f32> = members.clone().flat_map(|member| in_crowd(crowd, member)).collect();
                    let ids: Vec<i64> = members.clone().map(i64::from).collect();
                    index.add(&ids, &vectors).expect("sound");
                    held.extend(members.map(|member| (crowd, member)));
                    next += count;
                }
                Move::Leave(count, first) => {
                    let count = count.min(held.len());
                    let gone: Vec<(u32, u32)> =
                        if first { held.drain(..count).collect() } else { held.drain(held.len() - count..).collect() };
                    let ids: Vec<i64> = gone.iter().map(|&(_, member)| i64::from(member)).collect();
                    prop_assert_eq!(index.remove(&ids), count);
                }
                Move::SaveAndLoad => {
                    let bytes = index.to_bytes();
                    index = Index::from_bytes(&bytes).expect("what was written can be read");
                    prop_assert_eq!(index.to_bytes(), bytes);
                }
            }
            index.check();
            for &(crowd, member) in held.iter().step_by(held.len() / 40 + 1) {
                let found = index.search(&in_crowd(crowd, member), 3).expect("sound").remove(0);
                prop_assert_eq!(found[0].id, i64::from(member));
                prop_assert!(found[0].similarity > 0.9999);
            }
        }
    }
}

#[test]
fn a_crowd_is_told_apart_as_a_naive_scan_does_and_is_still_after_turnover() {
    let (size, crowds) = (4000_u32, 5);
    let at = |member: u32| in_crowd(member % crowds, member);
    let ids = |members: std::ops::Range<u32>| members.map(i64::from).collect::<Vec<_>>();
    let mut index = Index::new(DIMENSION, Store::F32).expect("sound");
    index.add(&ids(0..size), &(0..size).flat_map(at).collect::<Vec<_>>()).expect("sound");
    let first_bytes = index.memory_bytes();
    for turnover in 0..5 {
        let (old, new) =
            (turnover * size..(turnover + 1) * size, (turnover + 1) * size..(turnover + 2) * size);
        for (old, new) in old.zip(new) {
            index.remove(&[i64::from(old)]);
            index.add(&[i64::from(new)], &at(new)).expect("sound");
        }
        index.check();
    }
    let held = 5 * size..6 * size;
    let right = (900_000..900_200_u32).filter(|&asked| {
        let query = at(asked);
        let best = held.clone().map(|member| cosine(&query, &at(member))).fold(-1.0, f64::max);
        let found = index.search(&query, 1).expect("sound").remove(0);
        f64::from(found[0].similarity) > best - 1e-5
    });
    assert!(right.count() >= 198);
    assert!(index.memory_bytes() * 100 <= first_bytes * 103, "{} over {first_bytes}", index.memory_bytes());
}

/// Above the floor nothing is missed that a search without one finds; where nothing is, there is still an answer.
#[test]
fn a_floor_gives_up_only_what_lies_below_it() {
    let mut index = Index::new(DIMENSION, Store::F32).expect("a sound dimension");
    let ids: Vec<i64> = (0..600).collect();
    let vectors: Vec<f32> = ids.iter().flat_map(|&id| vector(u32::try_from(id).expect("small"))).collect();
    index.add(&ids, &vectors).expect("sound vectors");
    for seed in 1000..1040 {
        let query = vector(seed);
        let all = index.search(&query, 10).expect("sound").remove(0);
        let floor = all[4].similarity;
        let above = index.search_above(&query, 10, floor).expect("sound").remove(0);
        assert_eq!(above.len(), 10);
        assert_eq!(above[..5], all[..5]);
    }
}
