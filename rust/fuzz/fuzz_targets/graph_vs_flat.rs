//! The same operations on a graph and on the flat engine: both hold the same, and the graph keeps its invariants.
#![no_main]

use arbitrary::Arbitrary;
use lecmux_vector::{Choice, Index, Settings, Store};
use libfuzzer_sys::fuzz_target;

/// Long enough that a graph walks by codes.
const DIMENSION: usize = 257;
/// Few, so that the crossing is met often both ways.
const CROSSING: usize = 24;

#[derive(Arbitrary, Debug)]
enum Op {
    /// Vectors with ids from the first on, about a direction.
    Add(u8, u8, u8),
    Remove(u8, u8),
    Search(u8),
    SaveAndLoad,
}

fn vector(direction: u8, seed: u8) -> impl Iterator<Item = f32> {
    (0..DIMENSION).map(move |at| {
        let bump = if at % 256 == usize::from(direction) { 3.0 } else { 0.0 };
        bump + f32::from((at as u8).wrapping_mul(seed | 1).wrapping_add(seed)) / 256.0
    })
}

fuzz_target!(|input: (bool, u8, Vec<Op>)| {
    let engine = if input.0 { Choice::Hnsw } else { Choice::Auto };
    let store = [Store::F32, Store::F16, Store::I8][usize::from(input.1) % 3];
    let made = |engine| Index::with(DIMENSION, Settings { store, engine, crossing: Some(CROSSING) }).expect("sound");
    let (mut graph, mut flat) = (made(engine), made(Choice::Flat));
    for op in input.2 {
        match op {
            Op::Add(first, count, direction) => {
                let ids: Vec<i64> = (0..i64::from(count % 32)).map(|at| i64::from(first) + at).collect();
                let vectors: Vec<f32> = ids.iter().flat_map(|&id| vector(direction, id as u8)).collect();
                graph.add(&ids, &vectors).expect("no zeros");
                flat.add(&ids, &vectors).expect("no zeros");
            }
            Op::Remove(first, count) => {
                let ids: Vec<i64> = (0..i64::from(count % 32)).map(|at| i64::from(first) + at).collect();
                assert_eq!(graph.remove(&ids), flat.remove(&ids));
            }
            Op::Search(direction) => {
                let (query, all) = (vector(direction, 3).collect::<Vec<f32>>(), flat.len().max(1));
                let mut found = graph.search_with(&query, all, Some(all)).expect("sound").remove(0);
                let mut want = flat.search(&query, all).expect("sound").remove(0);
                found.sort_by_key(|hit| hit.id);
                want.sort_by_key(|hit| hit.id);
                assert_eq!(found, want);
            }
            Op::SaveAndLoad => graph = Index::from_bytes(&graph.to_bytes()).expect("what was written can be read"),
        }
        graph.check();
    }
});
