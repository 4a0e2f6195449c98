//! Text → features: what can be known of a query before anybody answers it.
//!
//! Some are counted (length, numbers, operators, code, script, the question's first words), the rest are
//! words, pairs of words and runs of four characters, hashed into buckets with a sign (Weinberger et al.
//! 2009, arXiv 0902.2206), so that nothing grows with the vocabulary. All are of order 1. The hash is part of the format:
//! weights that were learnt over these buckets are saved.

use super::words::{CODE, OPENERS, is_operator};
use crate::error::Error;
use crate::estimate::config;

/// Most features of one query.
pub const MAX_DIMS: usize = 4096;
/// Features that are counted, ahead of the buckets.
pub const COUNTED: usize = 14 + OPENERS.len();
/// Characters read of a text; what a longer one asks mostly stands at its start or its end.
const MOST_CHARS: usize = 2048;
const RUN: usize = 4;
/// Norm of all hashed features together: a question's kind, counted, weighs more than its words.
const HASHED_NORM: f64 = 0.5;

/// One query as numbers: places below `dims`, ascending, and what stands there. All other places hold 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    dims: usize,
    places: Vec<(u32, f32)>,
}

impl Features {
    /// Of numbers, one a place: an embedding, or whatever else is known. Best of order 1.
    ///
    /// # Errors
    /// [`Error::Config`] for none, more than [`MAX_DIMS`], or one that is not finite.
    pub fn dense(values: &[f32]) -> Result<Self, Error> {
        let dims = checked_dims(values.len())?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(config(format!("feature {at} is not finite: {}", values[at])));
        }
        let places = (0..).zip(values).filter(|(_, value)| **value != 0.0).map(|(at, value)| (at, *value));
        Ok(Self { dims, places: places.collect() })
    }

    /// Of a text, with the hashed ones in `buckets` places behind the [`COUNTED`] ones.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "seven digits of a feature are plenty")]
    pub fn text(text: &str, buckets: usize) -> Self {
        let text = excerpt(text);
        let mut values = vec![0.0; COUNTED + buckets];
        let words = words(&text);
        count(&text, &words, &mut values[..COUNTED]);
        if buckets > 0 {
            hash(&text, &words, &mut values[COUNTED..]);
        }
        let places =
            (0..).zip(&values).filter(|(_, value)| **value != 0.0).map(|(at, value)| (at, *value as f32));
        Self { dims: values.len(), places: places.collect() }
    }

    /// How many places there are.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// `(place, value)` where the value is not 0.
    pub fn iter(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.places.iter().map(|&(place, value)| (place as usize, f64::from(value)))
    }
}

pub(super) fn checked_dims(dims: usize) -> Result<usize, Error> {
    if (1..=MAX_DIMS).contains(&dims) {
        return Ok(dims);
    }
    Err(config(format!("a query has 1 to {MAX_DIMS} features, not {dims}")))
}

/// The first and the last characters of a long text.
fn excerpt(text: &str) -> String {
    if text.len() <= MOST_CHARS {
        return text.into();
    }
    let chars = text.chars().count();
    if chars <= MOST_CHARS {
        return text.into();
    }
    let half = MOST_CHARS / 2;
    text.chars().take(half).chain(text.chars().skip(chars - half)).collect()
}

/// Lower-case words; a number is `#` with its digits counted apart.
struct Word {
    text: String,
    digits: usize,
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    let mut number = false;
    for c in text.chars() {
        let digit = c.is_ascii_digit();
        if !(digit || c.is_alphabetic()) {
            open = false;
            continue;
        }
        if !open || digit != number {
            words.push(Word { text: String::new(), digits: 0 });
        }
        (open, number) = (true, digit);
        if let Some(word) = words.last_mut() {
            if digit {
                word.digits += 1;
            } else {
                word.text.extend(c.to_lowercase());
            }
        }
    }
    for word in words.iter_mut().filter(|word| word.digits > 0) {
        word.text = "#".into();
    }
    words
}

fn count(text: &str, words: &[Word], to: &mut [f64]) {
    let many = |n: usize| (n as f64).ln_1p();
    let share = |n: usize| n as f64 / text.chars().count().max(1) as f64;
    let chars = |of: fn(char) -> bool| text.chars().filter(|&c| of(c)).count();
    let numbers = words.iter().filter(|word| word.digits > 0).count();
    let longest = words.iter().map(|word| word.digits).max().unwrap_or(0);
    let flag = |yes: bool| f64::from(u8::from(yes));
    let values = [
        many(text.len()) / 5.0,
        many(words.len()) / 3.0,
        (numbers.min(4) as f64) / 2.0,
        flag(numbers > 0),
        many(chars(|c| c.is_ascii_digit())) / 2.0,
        (longest.min(8) as f64) / 4.0,
        flag(operators(text)),
        many(text.matches(['.', '?', '!']).count()) / 2.0,
        many(text.matches('\n').count()) / 3.0,
        4.0 * share(chars(|c| "{}[]()<>;=_`".contains(c))).min(0.25),
        many(CODE.iter().filter(|mark| text.contains(**mark)).count()),
        share(chars(|c| !c.is_ascii())),
        4.0 * share(chars(char::is_uppercase)).min(0.25),
        flag(text.contains('?')),
    ];
    to[..values.len()].copy_from_slice(&values);
    for (place, opener) in to[values.len()..].iter_mut().zip(OPENERS) {
        *place = flag(opener.iter().any(|opener| opens(words, opener)));
    }
}

/// Whether an operator stands by itself, or between numbers.
fn operators(text: &str) -> bool {
    let digit = |c: &char| c.is_ascii_digit() || c.is_whitespace();
    let chars: Vec<char> = text.chars().collect();
    chars.windows(3).any(|near| is_operator(near[1]) && digit(&near[0]) && digit(&near[2]))
}

/// Whether a question begins with these words: the text's first, or the first after the end of a sentence.
fn opens(words: &[Word], opener: &str) -> bool {
    let mut parts = opener.split(' ');
    let mut at = words.windows(opener.split(' ').count());
    at.any(|window| {
        let same = window.iter().all(|word| parts.next().is_some_and(|part| part == word.text));
        parts = opener.split(' ');
        same
    })
}

fn hash(text: &str, words: &[Word], to: &mut [f64]) {
    let mut add = |kind: u8, parts: &[&[u8]]| {
        let hash = fnv(kind, parts);
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        to[usize::try_from(hash % to.len() as u64).unwrap_or(0)] += sign;
    };
    for word in words {
        add(1, &[word.text.as_bytes()]);
    }
    for pair in words.windows(2) {
        add(2, &[pair[0].text.as_bytes(), b" ", pair[1].text.as_bytes()]);
    }
    let folded: Vec<u8> =
        text.to_lowercase().bytes().map(|b| if b.is_ascii_digit() { b'0' } else { b }).collect();
    for run in folded.windows(RUN) {
        add(3, &[run]);
    }
    // Damped, so that one frequent word does not stand for the text; then of one norm, whatever the length.
    for value in to.iter_mut() {
        *value = value.signum() * value.abs().ln_1p();
    }
    let norm = to.iter().map(|value| value * value).sum::<f64>().sqrt();
    if norm > 0.0 {
        for value in to.iter_mut() {
            *value *= HASHED_NORM / norm;
        }
    }
}

/// FNV-1a with a final mix: fixed for ever, unlike the hash of a table.
fn fnv(kind: u8, parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(kind);
    for &byte in parts.iter().copied().flatten() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_words_are_told_apart() {
        let words = words("Tom has 12 apples, x2!");
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["tom", "has", "#", "apples", "x", "#"]);
        assert!(operators("What is 2 + 3?") && operators("2*3") && !operators("a well-known fact"));
    }

    #[test]
    fn equal_texts_have_equal_features_and_long_ones_are_cut() {
        let text = "How many days are there in a week?";
        assert_eq!(Features::text(text, 64), Features::text(text, 64));
        assert_ne!(Features::text(text, 64), Features::text("What is 2 + 3?", 64));
        let long: String = "é".repeat(100_000);
        assert_eq!(excerpt(&long).chars().count(), MOST_CHARS);
        assert_eq!(Features::text("", 64).dims(), COUNTED + 64);
    }

    #[test]
    fn all_features_are_of_order_one() {
        for text in ["", "x", "1+1", &"fn main() { println!(\"9\"); }\n".repeat(400), &"日本語".repeat(900)]
        {
            for (place, value) in Features::text(text, 32).iter() {
                assert!(value.abs() < 3.0, "{place}: {value} of {text:.20}");
            }
        }
    }

    #[test]
    fn numbers_that_are_no_features_are_refused() {
        assert!(Features::dense(&[]).is_err());
        assert!(Features::dense(&[0.0, f32::NAN]).is_err());
        assert!(Features::dense(&vec![0.0; MAX_DIMS + 1]).is_err());
        assert_eq!(Features::dense(&[0.0, 2.0]).map(|f| f.iter().collect()), Ok(vec![(1, 2.0)]));
    }
}
