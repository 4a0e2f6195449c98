//! `WordPiece` (Schuster and Nakajima 2012) as BERT's uncased models use it: the longest piece first.

use hashbrown::HashMap;

use super::characters::{Role, ascii_role, each_reading};
use crate::error::Error;

/// A longer word is one unknown piece.
const LONGEST_WORD: usize = 100;
const CONTINUES: &str = "##";
const UNKNOWN: &str = "[UNK]";

/// Splits text into numbered pieces of a vocabulary.
///
/// Names of special pieces in a text, such as `[SEP]`, are words like any other: what a user types cannot
/// become a marker.
#[derive(Debug)]
pub struct WordPiece {
    /// Number and whether it starts a word, by the piece without its `##`.
    starts: HashMap<Box<str>, u32>,
    inner: HashMap<Box<str>, u32>,
    unknown: u32,
    pieces: usize,
    longest: usize,
}

impl WordPiece {
    /// `vocabulary`: a piece a line, its number being that of the line, from 0.
    ///
    /// # Errors
    /// [`Error::Config`] when there is no `[UNK]` in it.
    pub fn new(vocabulary: &str) -> Result<Self, Error> {
        let mut words =
            Self { starts: HashMap::new(), inner: HashMap::new(), unknown: u32::MAX, pieces: 0, longest: 0 };
        for (number, piece) in (0_u32..).zip(vocabulary.lines()) {
            if piece == UNKNOWN {
                words.unknown = number;
            }
            let (kind, text) = match piece.strip_prefix(CONTINUES) {
                Some(rest) if !rest.is_empty() => (&mut words.inner, rest),
                _ => (&mut words.starts, piece),
            };
            words.longest = words.longest.max(text.len());
            kind.insert(text.into(), number);
            words.pieces += 1;
        }
        if words.unknown == u32::MAX {
            return Err(Error::Config { what: format!("the vocabulary has no {UNKNOWN}") });
        }
        Ok(words)
    }

    /// Pieces of the vocabulary.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    /// The numbers of the pieces of `text`, the first `most` of them. Reads no further than these need.
    #[must_use]
    pub fn encode(&self, text: &str, most: usize) -> Vec<u32> {
        let mut coded = Coded { words: self, word: String::new(), letters: 0, ids: Vec::new() };
        for letter in text.chars() {
            if coded.ids.len() >= most {
                break;
            }
            match u8::try_from(letter) {
                Ok(byte) if byte.is_ascii() => {
                    coded.take(char::from(byte.to_ascii_lowercase()), ascii_role(byte));
                }
                _ => each_reading(letter, |part, role| coded.take(part, role)),
            }
        }
        coded.end_word();
        coded.ids.truncate(most);
        coded.ids
    }

    /// Appends the pieces of one word; all of it is unknown when any part is.
    fn split(&self, word: &str, ids: &mut Vec<u32>) {
        let before = ids.len();
        let mut rest = word;
        while !rest.is_empty() {
            let kind = if rest.len() == word.len() { &self.starts } else { &self.inner };
            let mut end = rest.floor_char_boundary(self.longest);
            let found = loop {
                if end == 0 {
                    break None;
                }
                if let Some(&id) = kind.get(&rest[..end]) {
                    break Some(id);
                }
                end = rest.floor_char_boundary(end - 1);
            };
            let Some(id) = found else {
                ids.truncate(before);
                ids.push(self.unknown);
                return;
            };
            ids.push(id);
            rest = &rest[end..];
        }
    }
}

/// The word that is being read, and the pieces so far.
struct Coded<'a> {
    words: &'a WordPiece,
    word: String,
    letters: usize,
    ids: Vec<u32>,
}

impl Coded<'_> {
    fn take(&mut self, letter: char, role: Role) {
        match role {
            Role::Nothing => {}
            Role::Space => self.end_word(),
            Role::Mark => {
                self.end_word();
                self.grow(letter);
                self.end_word();
            }
            Role::Letter => self.grow(letter),
        }
    }

    fn grow(&mut self, letter: char) {
        self.letters += 1;
        if self.letters <= LONGEST_WORD {
            self.word.push(letter);
        }
    }

    fn end_word(&mut self) {
        if self.letters > LONGEST_WORD {
            self.ids.push(self.words.unknown);
        } else {
            self.words.split(&self.word, &mut self.ids);
        }
        self.word.clear();
        self.letters = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::WordPiece;

    const WORDS: &str = "[PAD]\n[UNK]\nhow\ndeadly\nis\n##ness\n?\nun\n##aff\n##able\ncafe\n##\n#\n中";

    fn encoded(text: &str) -> Vec<u32> {
        WordPiece::new(WORDS).expect("it has [UNK]").encode(text, 100)
    }

    #[test]
    fn the_longest_piece_is_taken_first() {
        assert_eq!(encoded("How deadlyness?"), [2, 3, 5, 6]);
        assert_eq!(encoded("unaffable"), [7, 8, 9]);
    }

    #[test]
    fn a_word_with_an_unknown_part_is_unknown_as_a_whole() {
        assert_eq!(encoded("unaffablex is"), [1, 4]);
    }

    #[test]
    fn accents_and_case_are_dropped_and_ideographs_stand_alone() {
        assert_eq!(encoded("CAFÉ cafe\u{301} is中is"), [10, 10, 4, 13, 4]);
    }

    #[test]
    fn controls_are_dropped_and_spaces_part() {
        assert_eq!(encoded("h\u{0}o\u{200d}w\u{3000}is\tis"), [2, 4, 4]);
    }

    #[test]
    fn a_special_name_in_a_text_is_no_marker() {
        assert_eq!(encoded("[PAD]"), [1, 1, 1]);
    }

    #[test]
    fn an_overlong_word_is_one_unknown_and_the_count_is_bounded() {
        assert_eq!(encoded(&format!("{} is", "a".repeat(10_000))), [1, 4]);
        assert_eq!(WordPiece::new(WORDS).expect("it has [UNK]").encode(&"is ".repeat(1000), 3), [4, 4, 4]);
    }

    #[test]
    fn hashes_in_a_text_are_no_continuation() {
        assert_eq!(encoded("##ness"), [12, 12, 1]);
    }

    #[test]
    fn a_vocabulary_without_unknown_is_refused() {
        assert!(WordPiece::new("how\nis").is_err());
    }
}
