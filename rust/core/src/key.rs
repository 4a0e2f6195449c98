//! query + scope → keyed 64-bit hash + the key itself.
//!
//! Lookups go by a keyed hash and full equality of the key, so two keys never answer for each other; the
//! hash only decides where to look. A digest is made only when an entry leaves memory (`snapshot.rs`).

use prefetch_index::prefetch_index;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_inline};
use triomphe::ThinArc;

/// What an entry is looked up by. `scope` (tenant) and `fingerprint` (model, parameters, tools, …) are part
/// of the key by construction: entries that differ in either are never equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRef<'a> {
    /// The tenant; `""` is the shared scope.
    pub scope: &'a str,
    /// Everything but the text that may change the answer.
    pub fingerprint: &'a str,
    /// The text asked.
    pub text: &'a str,
}

/// Lengths of the parts before the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Lead {
    scope: u32,
    fingerprint: u32,
}

/// An owned key: one allocation behind a thin pointer, so that two table entries share a cache line, and a
/// counted one, so that a snapshot shares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(ThinArc<Lead, u8>);

/// Bytes of a key's allocation beside its text: reference count, lead, length.
pub const KEY_OVERHEAD_BYTES: u64 = 24;

impl Key {
    /// Copies `key` into one allocation; `None` when scope or fingerprint exceeds 4 GiB.
    #[must_use]
    pub fn new(key: KeyRef<'_>) -> Option<Self> {
        let KeyRef { scope, fingerprint, text } = key;
        if scope.is_empty() && fingerprint.is_empty() {
            return Some(Self(ThinArc::from_header_and_slice(Lead::default(), text.as_bytes())));
        }
        let lead = Lead {
            scope: u32::try_from(scope.len()).ok()?,
            fingerprint: u32::try_from(fingerprint.len()).ok()?,
        };
        let bytes = [scope, fingerprint, text].concat();
        Some(Self(ThinArc::from_header_and_slice(lead, bytes.as_bytes())))
    }

    /// Whether this is the key of `other`.
    ///
    /// Where to look follows from the lengths asked for, not from those held: the processor fetches the bytes
    /// while the lead is still on its way from memory.
    #[inline]
    #[must_use]
    pub fn is(&self, other: KeyRef<'_>) -> bool {
        let KeyRef { scope, fingerprint, text } = other;
        let Lead { scope: held_scope, fingerprint: held_fingerprint } = self.0.header.header;
        let (scope_end, lead) = (scope.len(), scope.len() + fingerprint.len());
        let Some(held) = self.0.slice.get(..lead + text.len()) else { return false };
        held.len() == self.0.slice.len()
            && held_scope as usize == scope_end
            && held_fingerprint as usize == fingerprint.len()
            && same(&held[lead..], text)
            && same(&held[..scope_end], scope)
            && same(&held[scope_end..lead], fingerprint)
    }

    /// The scope, fingerprint and text, as bytes of UTF-8.
    #[inline]
    #[must_use]
    pub fn parts(&self) -> (&[u8], &[u8], &[u8]) {
        let Lead { scope, fingerprint } = self.0.header.header;
        let (scope, rest) = self.0.slice.split_at(scope as usize);
        let (fingerprint, text) = rest.split_at(fingerprint as usize);
        (scope, fingerprint, text)
    }

    /// The key as what it is looked up by; `None` where a part is not UTF-8, which no key made of text is.
    #[must_use]
    pub fn as_ref(&self) -> Option<KeyRef<'_>> {
        let (scope, fingerprint, text) = self.parts();
        let text_of = |bytes| std::str::from_utf8(bytes).ok();
        Some(KeyRef { scope: text_of(scope)?, fingerprint: text_of(fingerprint)?, text: text_of(text)? })
    }

    /// Whether the entry belongs to `scope`.
    #[must_use]
    pub fn in_scope(&self, scope: &str) -> bool {
        self.parts().0 == scope.as_bytes()
    }

    /// Has the memory fetched that dropping this key touches first.
    #[inline]
    pub fn prefetch(&self) {
        prefetch_index(std::slice::from_ref(&self.0.header.header), 0);
    }

    /// Bytes this key occupies, its allocation's own included.
    #[must_use]
    pub fn charged_bytes(&self) -> u64 {
        self.0.slice.len() as u64 + KEY_OVERHEAD_BYTES
    }
}

/// Equality that never calls `memcmp` for nothing: the address of an empty slice is no memory, and a vector load
/// there, though masked out, costs some processors longer than the rest of a lookup.
#[inline]
fn same(held: &[u8], asked: &str) -> bool {
    held.len() == asked.len() && (held.is_empty() || held == asked.as_bytes())
}

/// Hashes keys under secrets made from a seed (rapidhash v3).
#[derive(Clone, Copy, Debug)]
pub struct KeyHasher {
    secrets: RapidSecrets,
}

impl KeyHasher {
    /// The same seed gives the same hashes on every machine.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { secrets: RapidSecrets::seed(seed) }
    }

    /// The keyed 64-bit hash of `key`.
    #[inline]
    #[must_use]
    pub fn hash(&self, key: KeyRef<'_>) -> u64 {
        let text = self.bytes(key.text.as_bytes());
        if key.scope.is_empty() && key.fingerprint.is_empty() {
            return text;
        }
        let mut joined = [0; 24];
        joined[..8].copy_from_slice(&text.to_le_bytes());
        joined[8..16].copy_from_slice(&self.bytes(key.scope.as_bytes()).to_le_bytes());
        joined[16..].copy_from_slice(&self.bytes(key.fingerprint.as_bytes()).to_le_bytes());
        self.bytes(&joined)
    }

    #[inline]
    fn bytes(&self, bytes: &[u8]) -> u64 {
        // Avalanche on, compact off, and the protected mix: keys may come from strangers.
        rapidhash_v3_inline::<true, false, true>(bytes, &self.secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'a>(scope: &'a str, fingerprint: &'a str, text: &'a str) -> KeyRef<'a> {
        KeyRef { scope, fingerprint, text }
    }

    #[test]
    fn equal_only_when_every_part_is() {
        let keys = [
            key("", "", "ab"),
            key("a", "", "b"),
            key("", "a", "b"),
            key("a", "b", ""),
            key("", "", "\u{1}ab"),
            key("ab", "", ""),
            key("", "a", "ab"),
            key("a", "", "ab"),
            key("a", "b", "ab"),
        ];
        let hasher = KeyHasher::new(7);
        for (i, &left) in keys.iter().enumerate() {
            let owned = Key::new(left).expect("short");
            for (j, &right) in keys.iter().enumerate() {
                assert_eq!(owned.is(right), i == j, "{left:?} {right:?}");
                assert_eq!(hasher.hash(left) == hasher.hash(right), i == j);
            }
            let (scope, fingerprint, text) = owned.parts();
            assert_eq!(
                (scope, fingerprint, text),
                (left.scope.as_bytes(), left.fingerprint.as_bytes(), left.text.as_bytes())
            );
        }
    }

    #[test]
    fn the_seed_keys_the_hash() {
        let asked = key("", "", "What is the capital of France?");
        assert_ne!(KeyHasher::new(1).hash(asked), KeyHasher::new(2).hash(asked));
        assert_eq!(KeyHasher::new(1).hash(asked), KeyHasher::new(1).hash(asked));
    }
}
