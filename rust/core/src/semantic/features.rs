//! Neighbours → the numbers that the model weighs.

use super::facets::{Compared, Comparison};

/// How many numbers describe a candidate.
pub const FEATURES: usize = 34;

/// What each of them tells.
pub const NAMES: [&str; FEATURES] = [
    "level",
    "similarity",
    "distance",
    "margin to the next",
    "margin to the crowd",
    "nearer than the next is",
    "length",
    "words shared",
    "words replaced",
    "words added",
    "one word replaced",
    "numbers differ",
    "numbers in one",
    "names differ",
    "names in one",
    "dates or units differ",
    "dates or units in one",
    "code differs",
    "code in one",
    "negation",
    "opposite",
    "direction in one",
    "question word",
    "from and to",
    "shortness",
    "unused",
    "neighbours agree",
    "next other answer",
    "neighbours with this answer",
    "entries",
    "very alike",
    "alike",
    "surprise around",
    "surprise since",
];

/// What is known of the nearest entries, best first.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// Cosine similarity of the candidate.
    pub similarity: f64,
    /// What lies around the candidate; `None` where it is the only entry.
    pub around: Option<Around>,
    /// Mean surprise of the labels that the nearest entries came with, and of those they were judged by since.
    pub surprise: [f64; 2],
    /// Entries to choose from.
    pub entries: usize,
    /// How far the neighbours' answers agree; `None` where answers stay hidden.
    pub agreement: Option<Agreement>,
}

/// The entries after the candidate.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Cosine similarity of the next entry to the query.
    pub second: f64,
    /// Mean similarity to the query of the (up to four) entries after the candidate.
    pub crowd: f64,
    /// Cosine similarity of candidate and next entry.
    pub mutual: f64,
}

/// How far the neighbours' stored answers agree with the candidate's.
#[derive(Clone, Copy, Debug)]
pub struct Agreement {
    /// Share of the neighbours' weight behind the candidate's answer, in (0, 1].
    pub share: f64,
    /// Similarity of the candidate less that of the nearest entry with another answer (or 0).
    pub gap: f64,
    /// Neighbours with the candidate's answer, itself among them.
    pub votes: usize,
}

/// The features of a candidate, the first of which is 1.
#[must_use]
pub fn features(near: &Near, words: &Comparison) -> [f64; FEATURES] {
    let [both, mine, its] = words.content.map(|count| count as f64);
    let differs = |compared| f64::from(u8::from(compared == Compared::Different));
    let one_sided = |compared| f64::from(u8::from(compared == Compared::OneSided));
    let flag = |flag: bool| f64::from(u8::from(flag));
    let around = near.around.map_or([0.0; 3], |around| {
        [
            (near.similarity - around.second).clamp(0.0, 0.3) * 10.0 - 0.5,
            (near.similarity - around.crowd).clamp(0.0, 0.5) * 5.0 - 0.5,
            (around.mutual - around.second).clamp(-0.4, 0.4) * 5.0,
        ]
    });
    let agreement = near.agreement.map_or([0.0; 4], |agreement| {
        let share = agreement.share.clamp(0.02, 0.98);
        [0.0, (share / (1.0 - share)).ln() / 2.0, agreement.gap.min(0.4) * 5.0, (agreement.votes as f64).ln()]
    });
    [
        1.0,
        (near.similarity - 0.85) * 10.0,
        (1.0 - near.similarity + 0.02).ln() + 2.0,
        around[0],
        around[1],
        around[2],
        words.length.min(2.0),
        2.0 * both / (2.0 * both + mine + its).max(1.0) - 0.6,
        mine.min(its).min(4.0) / 2.0,
        (mine - its).abs().min(6.0) / 3.0,
        flag(words.content[1] == 1 && words.content[2] == 1),
        differs(words.numbers),
        one_sided(words.numbers),
        differs(words.names),
        one_sided(words.names),
        differs(words.dates).max(differs(words.units)),
        one_sided(words.dates).max(one_sided(words.units)),
        differs(words.codes),
        one_sided(words.codes),
        flag(words.negation),
        flag(words.opposite),
        flag(words.pole_one_sided),
        flag(words.question),
        flag(words.roles),
        1.0 / (words.shorter.max(1) as f64).sqrt(),
        agreement[0],
        agreement[1],
        agreement[2],
        agreement[3],
        (near.entries.max(1) as f64).ln() - 6.0,
        (near.similarity - 0.9).max(0.0) * 20.0,
        (near.similarity - 0.7).max(0.0) * 5.0,
        near.surprise[0] * 2.0,
        near.surprise[1],
    ]
}
