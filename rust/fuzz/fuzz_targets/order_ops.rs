//! The lazy order against a sorted list, with scores that rise unseen.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use lecmux_core::evict::order::Order;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Op {
    Set(u8, u8),
    /// The score rises without a word to the order.
    Rise(u8, u8),
    Remove(u8),
    Pop,
    PopAndPutBack,
    Halve,
}

fn lowest(scores: &BTreeMap<u32, f64>) -> Option<(u32, f64)> {
    let least = scores.iter().min_by(|a, b| a.1.total_cmp(b.1).then(a.0.cmp(b.0)))?;
    Some((*least.0, *least.1))
}

fuzz_target!(|ops: Vec<Op>| {
    let mut order = Order::default();
    let mut scores: BTreeMap<u32, f64> = BTreeMap::new();
    for op in ops {
        match op {
            Op::Set(slot, score) => {
                order.set(u32::from(slot), f64::from(score));
                scores.insert(u32::from(slot), f64::from(score));
            }
            Op::Rise(slot, by) => {
                scores.entry(u32::from(slot)).and_modify(|score| *score += f64::from(by));
            }
            Op::Remove(slot) => {
                order.remove(u32::from(slot));
                scores.remove(&u32::from(slot));
            }
            Op::Pop | Op::PopAndPutBack => {
                let want = lowest(&scores);
                assert_eq!(order.lowest_by(|slot, _| scores[&slot]), want);
                assert_eq!(order.pop_lowest(), want);
                if let Some((slot, score)) = want {
                    if matches!(op, Op::Pop) {
                        scores.remove(&slot);
                    } else {
                        assert_eq!(order.popped_score(slot), score);
                        order.put_back(slot);
                    }
                }
            }
            Op::Halve => {
                order.rescale(0.5);
                scores.values_mut().for_each(|score| *score *= 0.5);
            }
        }
        order.check(&scores.keys().copied().collect::<Vec<_>>());
    }
});
