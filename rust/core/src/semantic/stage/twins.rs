//! Near twins: the entry that would have answered in place of the one that did.

use super::{Proposal, Shared, Stage};
use crate::semantic::facets::Facets;
use crate::semantic::features::features;
use crate::semantic::judge::Verdict;
use crate::semantic::neighbours::{Neighbour, candidate, near};
use crate::sync::Ordering;

/// The entry that served a proposal, and the one that would have, had that not been there.
pub(crate) struct Twins {
    /// Ids and slots: of the one that served, and of its twin.
    pub(crate) ids: [u64; 2],
    slots: [u32; 2],
    shared: Shared,
    /// Probability that the twin's answer would have been wrong.
    pub(crate) wrong: f64,
}

impl Twins {
    /// Lets one of two twins lean on the other; `which` names it by its place. Returns whether it does now.
    pub(crate) fn lean(&self, which: usize) -> bool {
        let Ok(mut partition) = self.shared.partition.write() else { return false };
        let [slot, other] = [which, 1 - which].map(|place| {
            let slot = self.slots[place];
            partition.get(slot).is_some_and(|entry| entry.hash == self.ids[place]).then_some(slot)
        });
        slot.zip(other).is_some_and(|(slot, other)| partition.lean(slot, other))
    }

    /// Whether it still leans on the other.
    pub(crate) fn leans(&self, which: usize) -> bool {
        let [slot, other] = [self.slots[which], self.slots[1 - which]];
        self.shared.partition.read().is_ok_and(|partition| {
            partition.get(slot).is_some_and(|entry| entry.hash == self.ids[which])
                && partition.leans(slot, other)
        })
    }
}

impl Stage {
    /// Judges what would have been the candidate of a proposal that is served, had its own not been there; `None`:
    /// a model would have been asked.
    pub(crate) fn twins(&self, proposal: &Proposal) -> Option<Twins> {
        let found = proposal.candidate.as_ref().filter(|found| found.judgement.verdict == Verdict::Serve)?;
        let others: Vec<_> = found.near.iter().filter(|near| near.slot != found.slot).collect();
        let neighbours: Vec<Neighbour> = others.iter().map(|near| near.neighbour).collect();
        let place = candidate(&neighbours)?;
        let slot = others[place].slot;
        let partition = found.shared.partition.read().ok()?;
        let twin = partition.get(slot)?;
        let words = Facets::of(&proposal.text).compare(&Facets::of(twin.text()));
        let next = others.get(usize::from(place == 0));
        let mutual = next.and_then(|next| partition.mutual(slot, next.slot));
        let (id, record, entries) = (twin.hash, twin.record, partition.len() as usize - 1);
        drop(partition);
        let features = features(&near(&neighbours, place, entries, mutual), &words);
        let (judgement, served) =
            self.evidence.with(&proposal.scope, 0, |judge| judge.refuse(&features, &record))?;
        served.then(|| Twins {
            ids: [found.hash, id],
            slots: [found.slot, slot],
            shared: found.shared.clone(),
            wrong: judgement.wrong,
        })
    }

    /// The ids of the entries that lean on a twin, each with that of its twin, in no order. O(n); for tests.
    #[must_use]
    pub fn leaners(&self) -> Vec<(u64, u64)> {
        let all = self.shared();
        let held = all.iter().filter_map(|shared| shared.partition.read().ok());
        held.flat_map(|partition| partition.leaners().collect::<Vec<_>>()).collect()
    }

    /// The ids of entries that leaned on one that has left since this was asked last.
    pub(crate) fn alone(&self) -> Vec<u64> {
        if self.counts.alone.load(Ordering::Acquire) == 0 {
            return Vec::new(); // no lock for what is seldom
        }
        let Ok(mut alone) = self.alone.lock() else { return Vec::new() };
        self.counts.alone.store(0, Ordering::Release);
        std::mem::take(&mut *alone)
    }

    /// Notes those that leaned on an entry that leaves.
    pub(super) fn leave_alone(&self, ids: Vec<u64>) {
        if !ids.is_empty()
            && let Ok(mut alone) = self.alone.lock()
        {
            alone.extend(ids);
            self.counts.alone.store(1, Ordering::Release);
        }
    }
}
