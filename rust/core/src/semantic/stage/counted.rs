//! What the stage holds and has done, and whether it is sound.

use std::sync::Arc;

use super::{Counts, Named, Stage, StageStatistics};
use crate::sync::{AtomicU64, Ordering};

impl Stage {
    /// Ids of the entries held, in no order. O(n); for tests and snapshots.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.homes.lock().map_or_else(|_| Vec::new(), |homes| homes.keys().copied().collect())
    }

    /// Counters and sizes now. O(partitions).
    #[must_use]
    pub fn statistics(&self) -> StageStatistics {
        let Counts { requests, hits, audits, wrong_audits, labels, quarantined, contradictions, alone: _ } =
            &self.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let all = self.shared();
        let held = all.iter().filter_map(|shared| shared.partition.read().ok());
        let partitions: usize = held.map(|partition| partition.memory_bytes() + Named::BYTES).sum();
        let tables = self.partitions.read().map_or(0, |table| table.allocation_size())
            + self.homes.lock().map_or(0, |homes| homes.allocation_size());
        let reports = self.reports.lock().map_or(0, |reports| reports.len());
        let unit = 4 * self.dim.load(Ordering::Relaxed).next_multiple_of(64);
        StageStatistics {
            requests: read(requests),
            hits: read(hits),
            audits: read(audits),
            wrong_audits: read(wrong_audits),
            labels: read(labels),
            quarantined: read(quarantined),
            contradictions: read(contradictions),
            entries: self.homes.lock().map_or(0, |homes| homes.len() as u64),
            waiting: self.gate.waiting(),
            partitions: all.len() as u64,
            index_bytes: (partitions + tables + self.gate.memory_bytes()) as u64,
            evidence_bytes: self.evidence.memory_bytes() as u64 + reports as u64 * 2 * unit,
        }
    }

    /// Checks every invariant. O(n); nobody else may work here meanwhile.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check(&self) {
        let homes = self.homes.lock().expect("the table of homes is sound");
        let mut held = 0;
        for shared in self.shared() {
            let partition = shared.partition.read().expect("a partition is sound");
            partition.check();
            assert!(partition.len() > 0 && !partition.is_gone(), "a partition goes with its last entry");
            held += partition.len() as usize;
            for (slot, entry) in partition.slots() {
                let home = homes.get(&entry.hash);
                let at_home = home.is_some_and(|(home, place)| Arc::ptr_eq(home, &shared) && *place == slot);
                assert!(at_home, "an entry is found by its id");
            }
        }
        assert_eq!(held, homes.len(), "an entry an id");
        self.gate.check();
        self.evidence.check();
    }
}
