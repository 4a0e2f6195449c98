//! Characters as BERT's uncased models read them: decomposed, without accents, in lower case.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// What a character does to the word it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is dropped: control, format, unassigned and private characters.
    Nothing,
    /// It ends a word.
    Space,
    /// It is a word by itself.
    Mark,
    /// It belongs to the word.
    Letter,
}

pub(super) fn ascii_role(byte: u8) -> Role {
    match byte {
        b'\t' | b'\n' | b'\r' | b' ' => Role::Space,
        0..0x20 | 0x7f => Role::Nothing,
        _ if byte.is_ascii_punctuation() => Role::Mark,
        _ => Role::Letter,
    }
}

/// Calls `take` with each character that `letter`, not ASCII, becomes, and with its role.
pub(super) fn each_reading(letter: char, mut take: impl FnMut(char, Role)) {
    if letter == char::REPLACEMENT_CHARACTER || letter.general_category_group() == GeneralCategoryGroup::Other
    {
        return;
    }
    if letter.is_whitespace() {
        return take(letter, Role::Space);
    }
    let alone = is_ideograph(letter);
    for part in std::iter::once(letter).nfd() {
        if part.general_category() == GeneralCategory::NonspacingMark {
            continue;
        }
        if alone {
            take(part, Role::Mark);
            continue;
        }
        for lower in part.to_lowercase() {
            take(lower, role(lower));
        }
    }
}

fn role(letter: char) -> Role {
    if letter.is_ascii() {
        return ascii_role(u8::try_from(letter).expect("it is ASCII"));
    }
    if letter.is_whitespace() {
        Role::Space
    } else if letter.general_category_group() == GeneralCategoryGroup::Punctuation {
        Role::Mark
    } else {
        Role::Letter
    }
}

/// The blocks that BERT takes for Chinese; kana and hangul are none of them.
fn is_ideograph(letter: char) -> bool {
    matches!(u32::from(letter),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x2_0000..=0x2_A6DF | 0x2_A700..=0x2_B73F
        | 0x2_B740..=0x2_B81F | 0x2_B920..=0x2_CEAF | 0xF900..=0xFAFF | 0x2_F800..=0x2_FA1F)
}
