//! What a snapshot takes and brings back.

use super::{MOST_REPORTS, PartitionId, Report, Stage, whole};
use crate::error::Error;
use crate::key::Key;
use crate::semantic::partition::{Indexed, Unit};
use crate::semantic::snapshot::SavedEntry;
use crate::sync::Ordering;

impl Stage {
    /// Holds every vector to the dimension of the first.
    pub(in crate::semantic) fn settle_dim(&self, dim: u64) -> Result<(), Error> {
        let known = self.dim.compare_exchange(0, dim, Ordering::Relaxed, Ordering::Relaxed).err();
        let Some(known) = known.filter(|&known| known != dim) else {
            self.from_snapshot.store(0, Ordering::Relaxed);
            return Ok(());
        };
        let mut what = format!("embeddings have {known} numbers here, and this one has {dim}");
        if self.from_snapshot.swap(0, Ordering::Relaxed) > 0 {
            self.empty();
            self.dim.store(dim, Ordering::Relaxed);
            what += ": what the snapshot held of them is dropped";
        }
        Err(Error::Config { what })
    }

    /// The dimension is that of a snapshot, and no embedding has confirmed it yet.
    pub(in crate::semantic) fn doubt_dim(&self) {
        self.from_snapshot.store(1, Ordering::Relaxed);
    }

    /// Drops every entry and all evidence.
    fn empty(&self) {
        for hash in self.ids() {
            self.remove(hash);
        }
        self.evidence.clear(None);
        if let Ok(mut reports) = self.reports.lock() {
            reports.clear();
        }
    }

    pub(in crate::semantic) fn dim(&self) -> u64 {
        self.dim.load(Ordering::Relaxed)
    }

    /// Copies of all entries: id, partition, what is known, vector.
    pub(in crate::semantic) fn exported(&self) -> Vec<(u64, PartitionId, Indexed, Unit)> {
        let mut entries = Vec::new();
        for shared in self.shared() {
            let Ok(partition) = shared.partition.read() else { continue };
            entries.extend(partition.slots().filter_map(|(slot, entry)| {
                Some((entry.hash, whole(shared.id), entry.without_row(), partition.unit(slot)?))
            }));
        }
        entries
    }

    pub(in crate::semantic) fn reports(&self) -> Vec<Report> {
        self.reports.lock().map_or_else(|_| Vec::new(), |reports| reports.clone())
    }

    pub(in crate::semantic) fn take_reports(&self, reports: Vec<Report>) {
        if let Ok(mut held) = self.reports.lock() {
            held.extend(reports);
            held.truncate(MOST_REPORTS);
        }
    }

    pub(in crate::semantic) fn evidence(&self) -> Vec<(Box<str>, Vec<f64>)> {
        self.evidence.saved()
    }

    pub(in crate::semantic) fn take_evidence(&self, scope: &str, numbers: &[f64]) {
        self.evidence.load(scope, numbers);
    }

    /// Takes in an entry from a snapshot.
    pub(in crate::semantic) fn put_back(
        &self,
        saved: SavedEntry<'_>,
        hash: u64,
        key: Key,
    ) -> Result<(), Error> {
        let SavedEntry { partition, salient, answer, arrival, record, unit } = saved;
        let mut entry = Indexed::new(hash, key, salient.map(Into::into), answer, arrival);
        entry.record = record;
        if self.config.gated {
            self.gate.insert_stranger(partition, hash);
        }
        self.place(partition, &unit, entry)
    }
}
