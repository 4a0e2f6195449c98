//! The semantic stage ↔ bytes: vectors, what is known of each entry, reports, and the evidence.
//!
//! It is a part of the cache's snapshot, which covers it by a checksum. Entries are named by their ids in the store that
//! was saved; texts and values are not written twice. A part that was made by another embedder is of no use.

use hashbrown::HashMap;

use super::model::Record;
use super::partition::Unit;
use super::stage::{Report, Stage};
use crate::error::Error;
use crate::key::{Key, KeyHasher, KeyRef};

const VERSION: u64 = 1;

/// An entry as it was saved.
pub(super) struct SavedEntry<'a> {
    pub(super) partition: u128,
    pub(super) salient: Option<&'a str>,
    pub(super) answer: u64,
    pub(super) arrival: f64,
    pub(super) record: Record,
    pub(super) unit: Unit,
}

/// What became of the semantic part of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// So many entries can answer for others again.
    Entries(u64),
    /// It was made by another embedder, of this name and dimension, or cannot be read.
    Unfit,
}

impl Stage {
    /// What a snapshot keeps; `embedder` names what makes the vectors.
    #[must_use]
    pub fn to_bytes(&self, embedder: &str) -> Vec<u8> {
        let mut to = Vec::new();
        number(&mut to, VERSION);
        bytes(&mut to, embedder.as_bytes());
        number(&mut to, self.config().seed);
        number(&mut to, self.dim());
        let entries = self.exported();
        number(&mut to, entries.len() as u64);
        for (hash, partition, entry, unit) in &entries {
            number(&mut to, *hash);
            to.extend(partition.to_le_bytes());
            to.push(u8::from(entry.salient.is_some()));
            bytes(&mut to, entry.salient.as_deref().unwrap_or_default().as_bytes());
            number(&mut to, entry.answer);
            for real in [entry.arrival, entry.record.surprise, entry.record.information] {
                number(&mut to, real.to_bits());
            }
            to.extend(unit.rounded().iter().flat_map(|bits| bits.to_le_bytes()));
        }
        let reports = self.reports();
        number(&mut to, reports.len() as u64);
        for report in &reports {
            to.extend(report.partition.to_le_bytes());
            for unit in [&report.asked, &report.served] {
                to.extend(unit.rounded().iter().flat_map(|bits| bits.to_le_bytes()));
            }
        }
        let evidence = self.evidence();
        number(&mut to, evidence.len() as u64);
        for (scope, numbers) in &evidence {
            bytes(&mut to, scope.as_bytes());
            number(&mut to, numbers.len() as u64);
            for real in numbers {
                number(&mut to, real.to_bits());
            }
        }
        to
    }

    /// Takes over what `to_bytes` wrote. `held` are the entries of the snapshot that the store holds again: the key that
    /// was saved, the id and the key now.
    ///
    /// # Errors
    /// [`Error::Config`] when the vector index refuses a vector.
    pub fn restore<'a>(
        &self,
        saved: &[u8],
        embedder: &str,
        held: impl Iterator<Item = (KeyRef<'a>, (u64, Key))>,
    ) -> Result<Restored, Error> {
        let Some(read) = read(saved, embedder) else { return Ok(Restored::Unfit) };
        let hasher = KeyHasher::new(read.seed);
        let named: HashMap<u64, (u64, Key)> = held.map(|(key, now)| (hasher.hash(key), now)).collect();
        if read.dim == 0 {
            return Ok(Restored::Entries(0));
        }
        let empty = self.ids().is_empty();
        if self.settle_dim(read.dim).is_err() {
            return Ok(Restored::Unfit);
        }
        if empty {
            self.doubt_dim();
        }
        let mut restored = 0;
        for (saved_hash, entry) in read.entries {
            if let Some((hash, key)) = named.get(&saved_hash) {
                self.put_back(entry, *hash, key.clone())?;
                restored += 1;
            }
        }
        self.take_reports(read.reports);
        read.evidence.iter().for_each(|(scope, numbers)| self.take_evidence(scope, numbers));
        Ok(Restored::Entries(restored))
    }
}

impl Stage {
    /// What an entry of a snapshot will be charged for its vector: for that of the first, which is the same for all.
    #[must_use]
    pub fn charge_of_saved(&self, saved: &[u8], embedder: &str) -> u64 {
        let mut from = Reader(saved);
        let head = |from: &mut Reader<'_>| {
            let fits = from.number()? == VERSION && from.text()? == embedder;
            from.number()?;
            from.number().filter(|_| fits)
        };
        head(&mut from).filter(|&dim| dim > 0).map_or(0, Self::charge_at)
    }
}

struct Read<'a> {
    /// Of the store that was saved: it decides the ids.
    seed: u64,
    dim: u64,
    entries: Vec<(u64, SavedEntry<'a>)>,
    reports: Vec<Report>,
    evidence: Vec<(&'a str, Vec<f64>)>,
}

/// All of it, or `None` for what this embedder did not make.
fn read<'a>(saved: &'a [u8], embedder: &str) -> Option<Read<'a>> {
    let mut from = Reader(saved);
    if from.number()? != VERSION || from.text()? != embedder {
        return None;
    }
    let (seed, dim) = (from.number()?, from.number()?);
    let width = usize::try_from(dim).ok().filter(|&dim| dim <= lecmux_vector::MAX_DIMENSION)?;
    let entries = (0..from.number()?).map(|_| from.entry(width)).collect::<Option<_>>()?;
    let reports = (0..from.number()?).map(|_| from.report(width)).collect::<Option<_>>()?;
    let evidence = (0..from.number()?).map(|_| from.evidence()).collect::<Option<_>>()?;
    from.0.is_empty().then_some(Read { seed, dim, entries, reports, evidence })
}

fn number(to: &mut Vec<u8>, value: u64) {
    to.extend(value.to_le_bytes());
}

fn bytes(to: &mut Vec<u8>, value: &[u8]) {
    number(to, value.len() as u64);
    to.extend(value);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn real(&mut self) -> Option<f64> {
        self.number().map(f64::from_bits).filter(|real| real.is_finite())
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn partition(&mut self) -> Option<u128> {
        Some(u128::from_le_bytes(self.take(16)?.try_into().ok()?))
    }

    fn unit(&mut self, dim: usize) -> Option<Unit> {
        let row = self.take(2 * dim.next_multiple_of(64))?;
        Unit::of_rounded(row.as_chunks().0.iter().map(|&bits| u16::from_le_bytes(bits)))
    }

    fn entry(&mut self, dim: usize) -> Option<(u64, SavedEntry<'a>)> {
        let (hash, partition) = (self.number()?, self.partition()?);
        let apart = self.take(1)?[0] == 1;
        let salient = Some(self.text()?).filter(|_| apart);
        let (answer, arrival) = (self.number()?, self.real()?);
        let record = Record { surprise: self.real()?, information: self.real()? };
        let unit = self.unit(dim)?;
        Some((hash, SavedEntry { partition, salient, answer, arrival, record, unit }))
    }

    fn report(&mut self, dim: usize) -> Option<Report> {
        Some(Report { partition: self.partition()?, asked: self.unit(dim)?, served: self.unit(dim)? })
    }

    fn evidence(&mut self) -> Option<(&'a str, Vec<f64>)> {
        let scope = self.text()?;
        let numbers =
            (0..self.number()?).map(|_| self.number().map(f64::from_bits)).collect::<Option<_>>()?;
        Some((scope, numbers))
    }
}
