//! The entries that may answer for each other: those of one scope, fingerprint and context, and one embedder.
//!
//! Few entries are compared one by one; from [`INDEXED_FROM`] on a vector index finds the nearest. Entries lie in
//! slots, by which the index names them.

use lecmux_vector::metric::{best, half};
use lecmux_vector::{Index, Store};

use super::leaning::Leaning;
use super::model::Record;
use super::neighbours::{NEIGHBOURS, Neighbour};
use crate::error::Error;
use crate::key::Key;
use crate::sync::AtomicU32;

/// Entries from which on there is an index. A search of fewer reads some 25 KiB.
const INDEXED_FROM: u32 = 32;
/// Entries less alike than this are not told apart: none of them is served, and few of them would be right.
const FLOOR: f32 = 0.5;
/// Coordinates are filled up to a multiple of this: the kernels take nothing else.
const LANES: usize = 64;

/// A direction: unit norm, filled up with zeros.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unit(Box<[f32]>);

impl Unit {
    /// The direction of `vector`.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that is not finite, and for a vector of zeros.
    pub(super) fn of(vector: &[f32]) -> Result<Self, Error> {
        let norm = vector.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
        if !(norm > 0.0 && norm.is_finite()) {
            let what = "an embedding must have a direction: finite numbers, not all of them 0".to_owned();
            return Err(Error::Config { what });
        }
        let mut unit = vec![0.0; vector.len().next_multiple_of(LANES)].into_boxed_slice();
        #[expect(clippy::cast_possible_truncation, reason = "a coordinate of a unit vector")]
        unit.iter_mut().zip(vector).for_each(|(to, &from)| *to = (f64::from(from) / norm) as f32);
        Ok(Self(unit))
    }

    /// Cosine similarity.
    #[must_use]
    pub(super) fn dot(&self, other: &Self) -> f32 {
        best().dot_f32(&self.0, &other.0)
    }

    /// A direction that was kept in f16; `None` where that is none.
    pub(super) fn of_rounded(bits: impl Iterator<Item = u16>) -> Option<Self> {
        let row: Vec<f32> = bits.map(half::to_f32).collect();
        Self::of(&row).ok()
    }

    pub(super) fn dim(&self) -> u32 {
        slot(self.0.len())
    }

    pub(super) fn rounded(&self) -> Box<[u16]> {
        self.0.iter().map(|&value| half::from_f32(value)).collect()
    }
}

/// An entry that can answer for others.
#[derive(Clone, Debug)]
pub(super) struct Indexed {
    /// Its id in the exact store.
    pub(super) hash: u64,
    pub(super) key: Key,
    /// What likeness goes by, where that is not the text of the key.
    pub(super) salient: Option<Box<str>>,
    /// Names its answer.
    pub(super) answer: u64,
    /// The surprise of the label it came with.
    pub(super) arrival: f64,
    pub(super) record: Record,
    /// The vector, while there is no index.
    row: Option<Box<[u16]>>,
}

impl Indexed {
    pub(super) fn new(hash: u64, key: Key, salient: Option<Box<str>>, answer: u64, arrival: f64) -> Self {
        Self { hash, key, salient, answer, arrival, record: Record::default(), row: None }
    }

    /// A copy that leaves the vector where it is.
    pub(super) fn without_row(&self) -> Self {
        let Self { hash, key, salient, answer, arrival, record, row: _ } = self;
        Self { record: *record, ..Self::new(*hash, key.clone(), salient.clone(), *answer, *arrival) }
    }

    /// What likeness goes by.
    pub(super) fn text(&self) -> &str {
        self.salient.as_deref().unwrap_or_else(|| std::str::from_utf8(self.key.parts().2).unwrap_or_default())
    }

    fn neighbour(&self, similarity: f32) -> Neighbour {
        Neighbour {
            similarity: f64::from(similarity),
            arrival: self.arrival,
            record: self.record,
            answer: Some(self.answer),
        }
    }
}

/// A neighbour and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    pub(super) slot: u32,
    pub(super) neighbour: Neighbour,
}

/// See the module. The first entry lies here: most partitions of many tenants hold one.
pub(super) struct Partition {
    first: Option<Indexed>,
    rest: Option<Box<Rest>>,
    /// Coordinates of a vector; 0: this has left the table, and whoever still holds it looks again.
    dim: u32,
    /// Requests that have looked here.
    pub(super) asked: AtomicU32,
}

/// The entries from slot 1 on, and the index over all of them.
#[derive(Default)]
struct Rest {
    entries: Vec<Option<Indexed>>,
    free: Vec<u32>,
    index: Option<Box<Index>>,
    /// By slot, as far as any has leaned.
    leaning: Vec<Leaning>,
}

impl Partition {
    pub(super) fn new(dim: u32) -> Self {
        // The request whose answer is the first to come was the first to look.
        Self { first: None, rest: None, dim, asked: AtomicU32::new(1) }
    }

    /// It has left the table.
    pub(super) fn is_gone(&self) -> bool {
        self.dim == 0
    }

    /// Leaves the table; nothing is held any more.
    pub(super) fn leave(&mut self) {
        self.dim = 0;
        self.rest = None; // nobody searches an index of no coordinates
    }

    pub(super) fn len(&self) -> u32 {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.entries.len() - rest.free.len());
        slot(rest + usize::from(self.first.is_some()))
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Indexed> {
        let Some(place) = slot.checked_sub(1) else { return self.first.as_ref() };
        self.rest.as_ref()?.entries.get(place as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Indexed> {
        self.slot_mut(slot)?.as_mut()
    }

    fn slot_mut(&mut self, slot: u32) -> Option<&mut Option<Indexed>> {
        let Some(place) = slot.checked_sub(1) else { return Some(&mut self.first) };
        self.rest.as_mut()?.entries.get_mut(place as usize)
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = (u32, &Indexed)> {
        let rest = self.rest.iter().flat_map(|rest| &rest.entries);
        let all = std::iter::once(&self.first).chain(rest);
        (0..).zip(all).filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)))
    }

    /// Who leans on whom, by slot; entries that come one by one have nobody.
    pub(super) fn leaning(&self) -> &[Leaning] {
        self.rest.as_ref().map_or(&[], |rest| &rest.leaning)
    }

    pub(super) fn leaning_mut(&mut self) -> Option<&mut Vec<Leaning>> {
        Some(&mut self.rest.as_mut()?.leaning)
    }

    fn index(&self) -> Option<&Index> {
        self.rest.as_ref()?.index.as_deref()
    }

    fn index_mut(&mut self) -> Option<&mut Index> {
        self.rest.as_mut()?.index.as_deref_mut()
    }

    /// The slot that the next entry takes.
    fn vacant(&self) -> u32 {
        if self.first.is_none() {
            return 0;
        }
        let Some(rest) = &self.rest else { return 1 };
        rest.free.last().copied().unwrap_or_else(|| slot(rest.entries.len() + 1))
    }

    /// Takes in an entry; returns its slot.
    pub(super) fn insert(&mut self, mut entry: Indexed, unit: &Unit) -> Result<u32, Error> {
        let (place, dim) = (self.vacant(), self.dim as usize);
        if let Some(index) = self.index_mut() {
            add(index, place, &unit.0[..dim])?;
        } else {
            entry.row = Some(unit.rounded());
        }
        if place == 0 {
            self.first = Some(entry);
        } else {
            self.rest.get_or_insert_default().insert(place, entry);
        }
        if self.index().is_none() && self.len() >= INDEXED_FROM {
            self.build()?;
        }
        Ok(place)
    }

    /// Moves the vectors into an index.
    fn build(&mut self) -> Result<(), Error> {
        let (dim, rest) = (self.dim as usize, self.rest.get_or_insert_default());
        let mut index = Index::new(dim, Store::F16).map_err(refused)?;
        for (place, entry) in (0..).zip(std::iter::once(&mut self.first).chain(&mut rest.entries)) {
            if let Some(row) = entry.as_mut().and_then(|entry| entry.row.take()) {
                let vector: Vec<f32> = row[..dim].iter().map(|&bits| half::to_f32(bits)).collect();
                add(&mut index, place, &vector)?;
            }
        }
        rest.index = Some(Box::new(index));
        Ok(())
    }

    /// Takes the entry `hash` out of its slot.
    pub(super) fn remove(&mut self, slot: u32, hash: u64) -> Option<Indexed> {
        let entry = self.slot_mut(slot)?.take_if(|entry| entry.hash == hash)?;
        if let Some(index) = self.index_mut() {
            index.remove(&[i64::from(slot)]);
        }
        if let Some(rest) = self.rest.as_mut().filter(|_| slot > 0) {
            rest.free.push(slot);
        }
        Some(entry)
    }

    /// The nearest entries, best first; of equal ones the lower slot.
    pub(super) fn nearest(&self, unit: &Unit) -> Result<Vec<Near>, Error> {
        let mut found: Vec<(f32, u32)> = if let Some(index) = self.index() {
            let mut found =
                index.search_above(&unit.0[..self.dim as usize], NEIGHBOURS, FLOOR).map_err(refused)?;
            let named = |hit: lecmux_vector::Match| Some((hit.similarity, u32::try_from(hit.id).ok()?));
            found.pop().unwrap_or_default().into_iter().filter_map(named).collect()
        } else {
            let kernels = best();
            let scored = |(slot, entry): (u32, &Indexed)| {
                Some((kernels.dot_f16(&unit.0, entry.row.as_deref()?), slot))
            };
            self.slots().filter_map(scored).collect()
        };
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(NEIGHBOURS);
        let near = |(similarity, slot): (f32, u32)| {
            Some(Near { slot, neighbour: self.get(slot)?.neighbour(similarity) })
        };
        Ok(found.into_iter().filter_map(near).collect())
    }

    /// Cosine similarity of two entries.
    pub(super) fn mutual(&self, first: u32, second: u32) -> Option<f64> {
        if let Some(index) = self.index() {
            return index.similarity(i64::from(first), i64::from(second)).map(f64::from);
        }
        let (first, second) = (self.get(first)?.row.as_deref()?, self.get(second)?.row.as_deref()?);
        let first: Vec<f32> = first.iter().map(|&bits| half::to_f32(bits)).collect();
        Some(f64::from(best().dot_f16(&first, second)))
    }

    /// The vector of an entry.
    pub(super) fn unit(&self, slot: u32) -> Option<Unit> {
        match (self.index(), self.get(slot)?.row.as_deref()) {
            (_, Some(row)) => Some(Unit(row.iter().map(|&bits| half::to_f32(bits)).collect())),
            (Some(index), None) => Unit::of(&index.vector(i64::from(slot))?).ok(),
            (None, None) => None,
        }
    }

    /// Bytes held, itself and the texts that are kept apart included, the keys left out: the store holds them.
    pub(super) fn memory_bytes(&self) -> usize {
        let apart = |entry: &Indexed| {
            entry.salient.as_ref().map_or(0, |text| text.len())
                + entry.row.as_ref().map_or(0, |row| 2 * row.len())
        };
        size_of::<Self>()
            + self.rest.as_ref().map_or(0, |rest| rest.memory_bytes())
            + self.slots().map(|(_, entry)| apart(entry)).sum::<usize>()
    }

    /// Panics unless every invariant holds.
    pub(super) fn check(&self) {
        let held = self.slots().count();
        assert_eq!(held, self.len() as usize, "slots are held or free");
        for (slot, entry) in self.slots() {
            let indexed = self.index().is_some_and(|index| index.contains(i64::from(slot)));
            assert_ne!(indexed, entry.row.is_some(), "an entry has one vector");
        }
        self.check_leaning();
        if let Some(index) = self.index() {
            assert_eq!(index.len(), held, "a vector an entry");
            index.check();
        }
    }
}

impl Rest {
    /// Takes in an entry: the slot is the free one last given back, or the next.
    fn insert(&mut self, slot: u32, entry: Indexed) {
        let place = slot as usize - 1;
        if self.free.pop().is_some() {
            self.entries[place] = Some(entry);
            return;
        }
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(1 + self.entries.len() / 8);
        }
        self.entries.push(Some(entry));
    }

    fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.entries.capacity() * size_of::<Option<Indexed>>()
            + self.free.capacity() * size_of::<u32>()
            + self.leaning.capacity() * size_of::<Leaning>()
            + self.index.as_ref().map_or(0, |index| index.memory_bytes())
    }
}

fn slot(place: usize) -> u32 {
    u32::try_from(place).expect("a partition holds fewer than 2^32 entries")
}

fn add(index: &mut Index, slot: u32, vector: &[f32]) -> Result<(), Error> {
    index.add(&[i64::from(slot)], vector).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn refused(error: lecmux_vector::Error) -> Error {
    Error::Config { what: error.to_string() }
}
