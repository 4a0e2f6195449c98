//! state ↔ versioned bytes.
//!
//! An envelope: magic, version, body length, body, and a 128-bit BLAKE3 checksum over all before it. Damage
//! anywhere, a cut file, or a file of another kind is refused; nothing is read from it.

use crate::cache::{Cache, Exported, Terms};
use crate::error::Error;
use crate::estimate::finite_cost;
use crate::estimate::frequency::is_count;
use crate::key::{Key, KeyRef};
use crate::shard::{Cost, Learnt};

const MAGIC: &[u8; 6] = b"LECMUX";
/// Version of the format. A reader refuses versions it does not know.
pub const VERSION: u16 = 1;
const HEADER: usize = MAGIC.len() + 2 + 8;
const CHECKSUM: usize = 16;

/// Wraps `body` in an envelope.
#[must_use]
pub fn seal(body: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEADER + body.len() + CHECKSUM);
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&VERSION.to_le_bytes());
    sealed.extend_from_slice(&(body.len() as u64).to_le_bytes());
    sealed.extend_from_slice(body);
    let digest = blake3::hash(&sealed);
    sealed.extend_from_slice(&digest.as_bytes()[..CHECKSUM]);
    sealed
}

/// The body of an envelope.
///
/// # Errors
/// [`Error::Snapshot`] when the bytes are of another kind or version, cut, or changed.
pub fn open(sealed: &[u8]) -> Result<&[u8], Error> {
    let refuse = |what: &str| Err(Error::Snapshot { what: what.into() });
    let Some(rest) = sealed.strip_prefix(MAGIC) else {
        return refuse("not a lecmux snapshot: the file starts with other bytes");
    };
    let Some((version, rest)) = rest.split_first_chunk::<2>() else {
        return refuse("the snapshot is cut short");
    };
    let version = u16::from_le_bytes(*version);
    if version != VERSION {
        return Err(Error::Snapshot {
            what: format!("the snapshot has format {version}, this lecmux reads format {VERSION}"),
        });
    }
    let Some((length, _)) = rest.split_first_chunk::<8>() else { return refuse("the snapshot is cut short") };
    let total = u64::from_le_bytes(*length).checked_add((HEADER + CHECKSUM) as u64);
    if total != Some(sealed.len() as u64) {
        return refuse("the snapshot is cut short or has bytes added");
    }
    let (covered, checksum) = sealed.split_at(sealed.len() - CHECKSUM);
    if blake3::hash(covered).as_bytes()[..CHECKSUM] != *checksum {
        return refuse("the snapshot is damaged: its checksum does not match");
    }
    Ok(&covered[HEADER..])
}

/// One entry on its way to or from bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// The key.
    pub key: KeyRef<'a>,
    /// What kind of value the bytes are, for whoever put it.
    pub kind: u8,
    /// The value.
    pub value: &'a [u8],
    /// What was learnt of it.
    pub learnt: Learnt,
    /// What a hit costs.
    pub hit_cost: f64,
    /// Expiry in ms.
    pub expires_ms: u64,
}

/// A cache on its way to or from bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents<'a> {
    /// The settings and whatever else the owner keeps, as text.
    pub about: &'a str,
    /// The entries.
    pub entries: Vec<Entry<'a>>,
    /// Counts of keys that are not resident: hash, requests.
    pub history: Vec<(u64, f64)>,
    /// What the semantic stage keeps, in its own format; empty without one.
    pub semantic: &'a [u8],
}

/// Writes `contents` into an envelope.
#[must_use]
pub fn encode(contents: &Contents<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    put_bytes(&mut body, contents.about.as_bytes());
    put_u64(&mut body, contents.entries.len() as u64);
    for entry in &contents.entries {
        for part in [entry.key.scope, entry.key.fingerprint, entry.key.text] {
            put_bytes(&mut body, part.as_bytes());
        }
        body.push(entry.kind);
        put_bytes(&mut body, entry.value);
        put_u64(&mut body, entry.learnt.count.to_bits());
        put_u64(&mut body, entry.learnt.mean_cost.to_bits());
        put_u64(&mut body, u64::from(entry.learnt.observed));
        put_u64(&mut body, entry.hit_cost.to_bits());
        put_u64(&mut body, entry.expires_ms);
    }
    put_u64(&mut body, contents.history.len() as u64);
    for (hash, count) in &contents.history {
        put_u64(&mut body, *hash);
        put_u64(&mut body, count.to_bits());
    }
    if !contents.semantic.is_empty() {
        put_bytes(&mut body, contents.semantic);
    }
    seal(&body)
}

/// Reads what [`encode`] wrote. The contents borrow from `sealed`.
///
/// # Errors
/// [`Error::Snapshot`], see [`open`].
pub fn decode(sealed: &[u8]) -> Result<Contents<'_>, Error> {
    let mut reader = Reader(open(sealed)?);
    let about = reader.text()?;
    let entries = reader.u64()?;
    // Nothing is reserved by a number that was read: a changed one must not ask for memory.
    let entries = (0..entries).map(|_| reader.entry()).collect::<Result<_, _>>()?;
    let names = reader.u64()?;
    let history = (0..names).map(|_| Ok((reader.u64()?, reader.count()?))).collect::<Result<_, Error>>()?;
    let semantic = if reader.0.is_empty() { &[] } else { reader.bytes()? };
    if !reader.0.is_empty() {
        return Err(damaged("bytes after its end"));
    }
    Ok(Contents { about, entries, history, semantic })
}

impl<V> Cache<V> {
    /// Puts what was decoded back, least valuable first: whether a policy declines what comes late or pushes
    /// out what came early, a smaller budget keeps the best.
    ///
    /// `value` makes a value of an entry, or declines it. Returns how many entries the cache holds more.
    ///
    /// # Errors
    /// [`Error::Cost`] when a cost in the contents is out of range.
    pub fn restore(
        &self,
        contents: &Contents<'_>,
        now_ms: u64,
        value: impl FnMut(&Entry<'_>) -> Option<V>,
    ) -> Result<u64, Error> {
        self.restore_scored(contents, now_ms, value, |_| (None, 0), &mut Vec::new())
    }

    /// As `restore`, where `terms` may give an entry a score and bytes to be charged beyond its value's; no lock is held
    /// while it is asked. What leaves is pushed to `removed`.
    ///
    /// # Errors
    /// [`Error::Cost`] when a cost in the contents or a score is out of range.
    pub fn restore_scored(
        &self,
        contents: &Contents<'_>,
        now_ms: u64,
        mut value: impl FnMut(&Entry<'_>) -> Option<V>,
        mut terms: impl FnMut(&Entry<'_>) -> (Option<f64>, u64),
        removed: &mut Vec<(Key, V)>,
    ) -> Result<u64, Error> {
        self.restore_history(&contents.history);
        let worth =
            |entry: &Entry<'_>| entry.learnt.count * entry.learnt.mean_cost / entry.value.len().max(1) as f64;
        let live = contents.entries.iter().filter(|entry| entry.expires_ms > now_ms);
        let mut entries: Vec<_> = live.map(|entry| (entry, terms(entry))).collect();
        let rank =
            |(entry, (given, _)): &(&Entry<'_>, (Option<f64>, u64))| given.unwrap_or_else(|| worth(entry));
        entries.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let before = self.len();
        for (entry, (given, extra)) in entries {
            let Some(value) = value(entry) else { continue };
            let terms = Terms {
                value_bytes: (entry.value.len() as u64).saturating_add(extra),
                cost: Cost::Learnt(entry.learnt),
                hit_cost: entry.hit_cost,
                given,
                expires_ms: entry.expires_ms,
            };
            self.put(entry.key, value, terms, now_ms, removed)?;
        }
        Ok(self.len().saturating_sub(before) as u64)
    }
}

/// An exported entry with the bytes of its value.
///
/// # Errors
/// [`Error::Snapshot`] when the key is not text, which cannot happen to a key that was made of text.
pub fn entry<'a, V>(exported: &'a Exported<V>, kind: u8, value: &'a [u8]) -> Result<Entry<'a>, Error> {
    let (scope, fingerprint, text) = exported.key.parts();
    let text_of = |bytes| std::str::from_utf8(bytes).map_err(|_| damaged("a key is not text"));
    Ok(Entry {
        key: KeyRef { scope: text_of(scope)?, fingerprint: text_of(fingerprint)?, text: text_of(text)? },
        kind,
        value,
        learnt: exported.learnt,
        hit_cost: exported.view.hit_cost,
        expires_ms: exported.view.expires_ms,
    })
}

fn damaged(what: &str) -> Error {
    Error::Snapshot { what: format!("the snapshot is damaged: {what}") }
}

fn put_u64(to: &mut Vec<u8>, value: u64) {
    to.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn u64(&mut self) -> Result<u64, Error> {
        let (word, rest) = self.0.split_first_chunk().ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*word))
    }

    fn real(&mut self) -> Result<f64, Error> {
        self.u64().map(f64::from_bits)
    }

    fn cost(&mut self) -> Result<f64, Error> {
        finite_cost(self.real()?).map_err(|_| damaged("a cost out of range"))
    }

    fn count(&mut self) -> Result<f64, Error> {
        let count = self.real()?;
        if is_count(count) { Ok(count) } else { Err(damaged("a count out of range")) }
    }

    fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let length = usize::try_from(self.u64()?).map_err(|_| damaged("a length out of range"))?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(|_| damaged("a text is not UTF-8"))
    }

    fn entry(&mut self) -> Result<Entry<'a>, Error> {
        let key = KeyRef { scope: self.text()?, fingerprint: self.text()?, text: self.text()? };
        let (&kind, rest) = self.0.split_first().ok_or_else(|| damaged("it ends early"))?;
        self.0 = rest;
        let value = self.bytes()?;
        let (count, mean_cost) = (self.count()?, self.cost()?);
        let observed =
            u32::try_from(self.u64()?).map_err(|_| damaged("a number of observations out of range"))?;
        let (hit_cost, expires_ms) = (self.cost()?, self.u64()?);
        Ok(Entry { key, kind, value, learnt: Learnt { count, mean_cost, observed }, hit_cost, expires_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let entry = Entry {
            key: KeyRef { scope: "acme", fingerprint: "m1", text: "What is 2 + 2?" },
            kind: 1,
            value: b"4",
            learnt: Learnt { count: 3.5, mean_cost: 0.25, observed: 2 },
            hit_cost: 0.0,
            expires_ms: u64::MAX,
        };
        encode(&Contents { about: "{}", entries: vec![entry], history: vec![(7, 1.5)], semantic: b"vectors" })
    }

    #[test]
    fn reads_back_what_was_written() {
        let bytes = sample();
        let contents = decode(&bytes).expect("sound");
        assert_eq!(contents.about, "{}");
        assert_eq!(contents.entries[0].key.text, "What is 2 + 2?");
        assert_eq!(contents.history, vec![(7, 1.5)]);
        assert_eq!(encode(&contents), bytes);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let bytes = sample();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(decode(&changed).is_err(), "bit {at}");
        }
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn lengths_inside_a_sound_envelope_are_not_trusted() {
        let mut body = Vec::new();
        put_u64(&mut body, u64::MAX);
        assert!(decode(&seal(&body)).is_err());
        body.clear();
        put_bytes(&mut body, b"{}");
        put_u64(&mut body, u64::MAX);
        assert!(decode(&seal(&body)).is_err());
    }
}
