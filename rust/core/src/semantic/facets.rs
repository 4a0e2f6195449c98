//! What a text says that its embedding blurs: numbers, units, dates, names, negation, direction, code.
//!
//! An embedding puts "turn it on" beside "turn it off". Facets are read from the words alone, once a text, and two
//! texts are compared facet by facet: equal, different, or only in one.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::lexicon::{AXES, DATES, NAMES, NEGATION, NUMBERS, STOP, SYNONYMS, UNITS};

/// Words after which a longer text is no longer read: what is served by meaning is short.
const MOST_WORDS: usize = 1024;

/// What one text says, as sorted hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    numbers: Vec<u32>,
    units: Vec<u32>,
    dates: Vec<u32>,
    names: Vec<u32>,
    codes: Vec<u32>,
    /// Axis and pole: twice the axis, plus one at the second pole.
    poles: Vec<u32>,
    content: Vec<u32>,
    /// The content words after "from" and "to".
    roles: [u32; 2],
    negations: u16,
    question: u8,
    words: u16,
}

/// How two texts compare in one facet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Both say the same, or nothing.
    Equal,
    /// One says something that the other leaves out.
    OneSided,
    /// Each says something that the other does not.
    Different,
}

/// How two texts compare.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "one facet each")]
pub struct Comparison {
    /// Numerals and number words.
    pub numbers: Compared,
    /// Units, currencies among them.
    pub units: Compared,
    /// Months, weekdays, times of day.
    pub dates: Compared,
    /// Words written with a capital, and names typed without one.
    pub names: Compared,
    /// Identifiers, paths, versions.
    pub codes: Compared,
    /// One text denies more than the other.
    pub negation: bool,
    /// Opposite poles of an axis such as on and off.
    pub opposite: bool,
    /// A pole in one text alone.
    pub pole_one_sided: bool,
    /// Another question word.
    pub question: bool,
    /// "from" and "to" name other things.
    pub roles: bool,
    /// Content words in both, only in the first, only in the second.
    pub content: [usize; 3],
    /// |ln| of the ratio of the numbers of words.
    pub length: f64,
    /// Words of the shorter text.
    pub shorter: usize,
}

struct Tables {
    stop: HashSet<&'static str>,
    negation: HashSet<&'static str>,
    poles: HashMap<&'static str, Vec<u32>>,
    same: HashMap<&'static str, u32>,
    numbers: HashMap<&'static str, f64>,
    units: HashMap<&'static str, u32>,
    dates: HashMap<&'static str, u32>,
    names: HashSet<&'static str>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
    stop: STOP.iter().copied().collect(),
    negation: NEGATION.iter().copied().collect(),
    poles: poles(),
    same: SYNONYMS.iter().flat_map(|set| set.iter().map(|&word| (word, hash(set[0])))).collect(),
    numbers: NUMBERS.iter().copied().collect(),
    units: UNITS.iter().flat_map(|set| set.iter().map(|&word| (word, hash(set[0])))).collect(),
    dates: DATES.iter().flat_map(|set| set.iter().map(|&word| (word, hash(set[0])))).collect(),
    names: NAMES.iter().copied().collect(),
});

fn poles() -> HashMap<&'static str, Vec<u32>> {
    let mut poles: HashMap<&'static str, Vec<u32>> = HashMap::new();
    for (axis, (first, second)) in (0_u32..).zip(AXES) {
        first.iter().for_each(|&word| poles.entry(word).or_default().push(2 * axis));
        second.iter().for_each(|&word| poles.entry(word).or_default().push(2 * axis + 1));
    }
    poles
}

/// FNV-1a: stable from one build to the next, since entries outlive the process.
fn hash(word: &str) -> u32 {
    word.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Facets {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut facets = Self::default();
        let mut role = None;
        let mut opens = true;
        for raw in text.split_whitespace().take(MOST_WORDS) {
            facets.words = facets.words.saturating_add(1);
            let ends = raw.ends_with(['.', '?', '!', ':']);
            for part in raw.split(['-', '–', '—', '/']).filter(|_| !is_code(trimmed(raw))) {
                facets.word(part, opens, &mut role);
            }
            if is_code(trimmed(raw)) {
                facets.codes.push(hash(&trimmed(raw).to_lowercase()));
            }
            opens = ends;
        }
        for set in facets.sets_mut() {
            set.sort_unstable();
        }
        for set in
            [&mut facets.dates, &mut facets.names, &mut facets.poles, &mut facets.content, &mut facets.units]
        {
            set.dedup();
        }
        facets
    }

    fn sets_mut(&mut self) -> [&mut Vec<u32>; 7] {
        let Self { numbers, units, dates, names, codes, poles, content, .. } = self;
        [numbers, units, dates, names, codes, poles, content]
    }

    fn word(&mut self, raw: &str, opens: bool, role: &mut Option<usize>) {
        for sign in raw.chars().filter(|sign| "$€£¥₹%".contains(*sign)) {
            self.units.extend(TABLES.units.get(sign.to_string().as_str()));
        }
        let bare = trimmed(raw);
        if bare.is_empty() {
            return;
        }
        let lower = bare.to_lowercase().replace('\u{2019}', "'");
        if lower.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return self.numeral(&lower);
        }
        let word = lower.strip_suffix("'s").unwrap_or(&lower);
        self.meaning(word, &lower);
        if is_named(bare, opens) || TABLES.names.contains(word) {
            self.names.push(hash(word));
        }
        if let Some(place) = match word {
            "from" => Some(0),
            "to" | "into" => Some(1),
            _ => None,
        } {
            *role = Some(place);
        } else if !TABLES.stop.contains(word) {
            let meant = sense(word);
            self.content.push(meant);
            if let Some(place) = role.take() {
                self.roles[place] = meant;
            }
        }
    }

    fn meaning(&mut self, word: &str, lower: &str) {
        if TABLES.negation.contains(word) || lower.ends_with("n't") {
            self.negations += 1;
        }
        if let Some(poles) = TABLES.poles.get(word) {
            self.poles.extend(poles);
        }
        if let Some(&number) = TABLES.numbers.get(word) {
            self.number(number);
        }
        self.units.extend(TABLES.units.get(word));
        self.dates.extend(TABLES.dates.get(word));
        if self.question == 0 {
            self.question = question(word);
        } else if self.question == 5 && matches!(word, "many" | "much" | "long" | "often" | "far" | "old") {
            self.question = 6; // an amount is asked for, not a way
        }
    }

    /// A numeral, with a unit or an ordinal glued to it ("5kg", "2nd").
    fn numeral(&mut self, lower: &str) {
        let end = lower
            .find(|sign: char| !(sign.is_ascii_digit() || sign == '.' || sign == ','))
            .unwrap_or(lower.len());
        let digits: String = lower[..end].trim_end_matches(['.', ',']).replace(',', "");
        let scale = match &lower[end..] {
            "k" => 1e3,
            "m" => 1e6,
            "bn" => 1e9,
            _ => 1.0,
        };
        match digits.parse::<f64>() {
            Ok(number) => self.number(number * scale),
            Err(_) => self.codes.push(hash(lower)),
        }
        self.units.extend(TABLES.units.get(lower[end..].trim_matches('.')));
    }

    fn number(&mut self, number: f64) {
        self.numbers.push(hash(&format!("{number:e}")));
    }

    /// Compares two texts. Symmetric.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        let ratio = f64::from(self.words.max(1)) / f64::from(other.words.max(1));
        let content = split(&self.content, &other.content);
        Comparison {
            numbers: compared(&self.numbers, &other.numbers),
            units: compared(&self.units, &other.units),
            dates: compared(&self.dates, &other.dates),
            names: compared(&self.names, &other.names),
            codes: compared(&self.codes, &other.codes),
            negation: self.negations % 2 != other.negations % 2,
            opposite: opposite(&self.poles, &other.poles),
            pole_one_sided: compared(&self.poles, &other.poles) != Compared::Equal,
            question: self.question != other.question && self.question != 0 && other.question != 0,
            roles: (0..2).any(|place| {
                let (mine, its) = (self.roles[place], other.roles[place]);
                mine != its && mine != 0 && its != 0
            }),
            content,
            length: ratio.ln().abs(),
            shorter: usize::from(self.words.min(other.words)),
        }
    }
}

fn trimmed(raw: &str) -> &str {
    raw.trim_matches(|sign: char| !sign.is_alphanumeric() && sign != '_')
}

/// Snake or camel case, a path, a call, a version: what a program would take literally.
fn is_code(word: &str) -> bool {
    let inner_capital =
        word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let letters = word.chars().any(char::is_alphabetic);
    let digits = word.chars().any(|sign| sign.is_ascii_digit());
    let starts_with_digit = word.starts_with(|sign: char| sign.is_ascii_digit());
    word.contains(['_', '@', '\\', '=', '#'])
        || word.contains("::")
        || word.contains("()")
        || inner_capital
        || (letters && digits && !starts_with_digit)
        || (letters && word.contains('.') && word.split('.').all(|part| part.len() > 1))
}

/// A capital inside a sentence, or several in a word: a name.
fn is_named(bare: &str, opens: bool) -> bool {
    let capitals = bare.chars().filter(|sign| sign.is_uppercase()).count();
    let first = bare.starts_with(char::is_uppercase);
    let pronoun = matches!(bare, "I" | "I'm" | "I've" | "I'd" | "I'll") || bare.starts_with("I\u{2019}");
    (capitals > 1 && bare.len() > 1) || (first && !opens && !pronoun)
}

fn question(word: &str) -> u8 {
    match word {
        "who" | "whom" | "whose" => 1,
        "when" => 2,
        "where" => 3,
        "why" => 4,
        "how" => 5,
        _ => 0,
    }
}

/// The hash of what a word means: its set of synonyms, or its stem.
fn sense(word: &str) -> u32 {
    let stem = stem(word);
    TABLES
        .same
        .get(word)
        .or_else(|| TABLES.same.get(stem))
        .or_else(|| TABLES.same.get(format!("{stem}e").as_str()))
        .copied()
        .unwrap_or_else(|| hash(stem))
}

/// A light stem: endings that change no meaning.
fn stem(word: &str) -> &str {
    let doubled = |stem: &str| {
        let mut last = stem.bytes().rev();
        let pair = last.next().zip(last.next());
        pair.is_some_and(|(a, b)| a == b && a.is_ascii_alphabetic() && !b"lsz".contains(&a))
    };
    for ending in ["ings", "ing", "ed", "es", "s", "ly", "e"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= 3
            && stem.is_char_boundary(stem.len() - 1)
            && !(ending == "s" && stem.ends_with('s'))
        {
            let stem = stem.strip_suffix('e').filter(|stem| stem.len() >= 3).unwrap_or(stem);
            return if doubled(stem) { &stem[..stem.len() - 1] } else { stem };
        }
    }
    word
}

/// How many of two sorted multisets are in both, only in the first, only in the second.
fn split(first: &[u32], second: &[u32]) -> [usize; 3] {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while i < first.len() && j < second.len() {
        match first[i].cmp(&second[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, both) = (i + 1, j + 1, both + 1),
        }
    }
    [both, first.len() - both, second.len() - both]
}

fn compared(first: &[u32], second: &[u32]) -> Compared {
    match split(first, second) {
        [_, 0, 0] => Compared::Equal,
        [_, 0, _] | [_, _, 0] => Compared::OneSided,
        _ => Compared::Different,
    }
}

/// Whether some axis has one pole in the first text alone and the other in the second alone.
fn opposite(first: &[u32], second: &[u32]) -> bool {
    let has = |poles: &[u32], pole: u32| poles.binary_search(&pole).is_ok();
    first.iter().any(|&pole| has(second, pole ^ 1) && !has(second, pole) && !has(first, pole ^ 1))
}
