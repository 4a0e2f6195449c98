//! Entries come, learn and leave, and their partitions with them.

use std::sync::Arc;

use super::{Named, PartitionId, Place, Proposal, Shared, Stage, halves};
use crate::error::Error;
use crate::key::Key;
use crate::semantic::judge::Verdict;
use crate::semantic::model::Record;
use crate::semantic::partition::{Indexed, Unit};
use crate::sync::Ordering;

impl Stage {
    /// Takes in what the model's answer says of the candidate: `right` where the two answers say the same.
    pub fn learn(&self, proposal: &mut Proposal, right: bool) {
        let Some(found) = &proposal.candidate else { return };
        self.counts.labels.fetch_add(1, Ordering::Relaxed);
        if matches!(found.judgement.verdict, Verdict::Audit(_)) && !right {
            self.counts.wrong_audits.fetch_add(1, Ordering::Relaxed);
        }
        let Ok(mut partition) = found.shared.partition.write() else { return };
        let mut elsewhere = Record::default();
        let entry = partition.get_mut(found.slot).filter(|entry| entry.hash == found.hash);
        let record = entry.map_or(&mut elsewhere, |entry| &mut entry.record);
        let learnt = self
            .evidence
            .with(&proposal.scope, 0, |judge| judge.learn(&found.features, record, &found.judgement, right));
        drop(partition);
        proposal.arrival = learnt.unwrap_or_default();
        proposal.answer = right.then_some(found.answer);
    }

    /// Takes in the entry `key`, which was stored under the id `hash`. `answer` names its value: equal values have
    /// equal names; where the label said that it is the candidate's answer, it takes that one's name.
    ///
    /// # Errors
    /// [`Error::Config`] as for [`Self::newcomer`].
    pub fn insert(&self, proposal: &Proposal, hash: u64, key: Key, answer: u64) -> Result<(), Error> {
        let salient = (proposal.text.as_bytes() != key.parts().2).then(|| proposal.text.clone());
        let entry = Indexed::new(hash, key, salient, proposal.answer.unwrap_or(answer), proposal.arrival);
        self.pass(proposal, &entry)?;
        if proposal.waits { Ok(()) } else { self.place(proposal.partition, &proposal.unit, entry) }
    }

    pub(super) fn place(&self, id: PartitionId, unit: &Unit, entry: Indexed) -> Result<(), Error> {
        let hash = entry.hash;
        loop {
            let Some(shared) = self.partition_or_new(id) else { return Ok(()) };
            let Ok(mut partition) = shared.partition.write() else { return Ok(()) };
            if partition.is_gone() {
                continue;
            }
            let slot = partition.insert(entry, unit)?;
            drop(partition);
            let replaced = self.homes.lock().ok().and_then(|mut homes| homes.insert(hash, (shared, slot)));
            if let Some((shared, slot)) = replaced {
                self.take(&shared, slot, hash);
            }
            return Ok(());
        }
    }

    /// Forgets the entry of the id `hash`: it has left the store. Returns whether it was here.
    pub fn remove(&self, hash: u64) -> bool {
        self.gate.remove(hash);
        self.remove_known(hash)
    }

    pub(super) fn remove_known(&self, hash: u64) -> bool {
        let home = self.homes.lock().ok().and_then(|mut homes| homes.remove(&hash));
        home.is_some_and(|(shared, slot)| self.take(&shared, slot, hash))
    }

    /// Takes an entry out of its partition, and the partition out of the table with its last entry.
    fn take(&self, shared: &Shared, slot: u32, hash: u64) -> bool {
        let Ok(mut partition) = shared.partition.write() else { return false };
        let here = partition.get(slot).is_some_and(|entry| entry.hash == hash);
        let alone = if here { partition.stand_alone(slot) } else { Vec::new() };
        let taken = partition.remove(slot, hash).is_some();
        let gone = partition.len() == 0;
        if gone {
            partition.leave();
        }
        drop(partition);
        self.leave_alone(alone);
        if gone && let Ok(mut partitions) = self.partitions.write() {
            if let Ok(held) = partitions.find_entry(shared.id[0], |held| Arc::ptr_eq(held, shared)) {
                held.remove();
            }
            if partitions.len() < partitions.capacity() / 4 {
                partitions.shrink_to_fit(|held| held.id[0]);
            }
        }
        taken
    }

    /// A name that no two places have in common, in this process and the next.
    pub(super) fn name(place: &Place<'_>) -> PartitionId {
        let mut hasher = blake3::Hasher::new_derive_key("lecmux semantic partition");
        for part in [place.scope, place.fingerprint, place.context] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest = hasher.finalize();
        u128::from_le_bytes(*digest.as_bytes().first_chunk().expect("a digest has 32 bytes"))
    }

    pub(super) fn partition(&self, id: PartitionId) -> Option<Shared> {
        let id = halves(id);
        self.partitions.read().ok()?.find(id[0], |held| held.id == id).cloned()
    }

    pub(super) fn shared(&self) -> Vec<Shared> {
        self.partitions.read().map_or_else(|_| Vec::new(), |table| table.iter().cloned().collect())
    }

    fn partition_or_new(&self, id: PartitionId) -> Option<Shared> {
        let dim = u32::try_from(self.dim.load(Ordering::Relaxed)).ok()?;
        let mut partitions = self.partitions.write().ok()?;
        let (made, name) = (|| Arc::new(Named::new(id, dim)), halves(id));
        let held = partitions.entry(name[0], |held| held.id == name, |held| held.id[0]).or_insert_with(made);
        let shared = held.into_mut();
        if shared.partition.read().is_ok_and(|partition| partition.is_gone()) {
            *shared = made();
        }
        Some(shared.clone())
    }
}
