//! Any two texts: facets are read without a panic, a text equals itself, comparing is symmetric, features are finite.
#![no_main]

use lecmux_core::semantic::facets::{Compared, Comparison, Facets};
use lecmux_core::semantic::features::{Near, features};
use libfuzzer_sys::fuzz_target;

fn facets(words: &Comparison) -> [Compared; 5] {
    [words.numbers, words.units, words.dates, words.names, words.codes]
}

fuzz_target!(|texts: (String, String)| {
    let (first, second) = (Facets::of(&texts.0), Facets::of(&texts.1));
    let same = first.compare(&first);
    assert_eq!(facets(&same), [Compared::Equal; 5]);
    assert!(!(same.negation || same.opposite || same.question || same.roles));

    let (there, back) = (first.compare(&second), second.compare(&first));
    assert_eq!(facets(&there), facets(&back));
    assert_eq!(there.content, [back.content[0], back.content[2], back.content[1]]);
    assert_eq!((there.negation, there.opposite, there.roles), (back.negation, back.opposite, back.roles));

    let near = Near { similarity: 0.9, around: None, surprise: [0.0; 2], entries: 1, agreement: None };
    assert!(features(&near, &there).iter().all(|feature| feature.is_finite()));
});
