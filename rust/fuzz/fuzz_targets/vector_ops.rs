//! Operations on a vector index, its invariants after each, and any bytes as its snapshot.
#![no_main]

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use lecmux_vector::{Index, Store};
use libfuzzer_sys::fuzz_target;

const DIMENSION: usize = 3;

#[derive(Arbitrary, Debug)]
enum Op {
    Add(i64, [f32; DIMENSION]),
    /// Vectors with ids from the first on, so that the codes are reached.
    AddMany(u8, u8, [i8; DIMENSION]),
    Remove(i64),
    RemoveMany(u8, u8),
    Search([f32; DIMENSION], u8),
    SaveAndLoad,
    Load(Vec<u8>),
}

fn store(choice: u8) -> Store {
    [Store::F32, Store::F16, Store::I8][usize::from(choice) % 3]
}

fuzz_target!(|input: (u8, Vec<Op>)| {
    let mut index = Index::new(DIMENSION, store(input.0)).expect("a dimension");
    let mut held = BTreeSet::new();
    for op in input.1 {
        match op {
            Op::Add(id, vector) => {
                if index.add(&[id], &vector).is_ok() {
                    held.insert(id);
                }
            }
            Op::AddMany(first, count, [x, y, z]) => {
                let ids: Vec<i64> = (0..i64::from(count)).map(|at| i64::from(first) + at).collect();
                let vectors: Vec<f32> =
                    ids.iter().flat_map(|&id| [f32::from(x) + 200.0, f32::from(y) * id as f32, f32::from(z)]).collect();
                index.add(&ids, &vectors).expect("no zeros");
                held.extend(ids);
            }
            Op::Remove(id) => assert_eq!(index.remove(&[id]), usize::from(held.remove(&id))),
            Op::RemoveMany(first, count) => {
                let ids: Vec<i64> = (0..i64::from(count)).map(|at| i64::from(first) + at).collect();
                let gone = ids.iter().filter(|id| held.remove(id)).count();
                assert_eq!(index.remove(&ids), gone);
            }
            Op::Search(query, k) => {
                if let Ok(found) = index.search(&query, usize::from(k)) {
                    let ids: BTreeSet<i64> = found[0].iter().map(|hit| hit.id).collect();
                    assert_eq!(found[0].len(), usize::from(k).min(held.len()));
                    assert!(ids.len() == found[0].len() && ids.is_subset(&held));
                }
            }
            Op::SaveAndLoad => index = Index::from_bytes(&index.to_bytes()).expect("what was written can be read"),
            Op::Load(bytes) => {
                if let Ok(loaded) = Index::from_bytes(&bytes) {
                    loaded.check();
                }
            }
        }
        index.check();
        assert_eq!(index.len(), held.len());
    }
});
