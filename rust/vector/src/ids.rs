//! Who lies in which slot, both ways.

use hashbrown::HashTable;

use crate::room;
use crate::rotation::mixed;

/// Slots 0 to n - 1 without gaps, each with the id of its vector.
#[derive(Default)]
pub(crate) struct Ids {
    by_slot: Vec<i64>,
    slots: HashTable<u32>,
}

fn hash(id: i64) -> u64 {
    mixed(id.cast_unsigned())
}

impl Ids {
    pub(crate) fn len(&self) -> usize {
        self.by_slot.len()
    }

    pub(crate) fn as_slice(&self) -> &[i64] {
        &self.by_slot
    }

    /// The slot of `id`.
    pub(crate) fn slot(&self, id: i64) -> Option<usize> {
        self.slots.find(hash(id), |&slot| self.by_slot[slot as usize] == id).map(|&slot| slot as usize)
    }

    /// Gives `id`, which has no slot, the next one.
    pub(crate) fn push(&mut self, id: i64) {
        let slot = u32::try_from(self.by_slot.len()).expect("the index checks its size");
        room::grow(&mut self.by_slot, 1);
        self.by_slot.push(id);
        let by_slot = &self.by_slot;
        self.slots.insert_unique(hash(id), slot, |&slot| hash(by_slot[slot as usize]));
    }

    /// Takes out `id`; the last slot's vector takes its slot, which is returned.
    pub(crate) fn swap_remove(&mut self, id: i64) -> Option<usize> {
        let by_slot = &self.by_slot;
        let entry = self.slots.find_entry(hash(id), |&slot| by_slot[slot as usize] == id).ok()?;
        let slot = entry.remove().0 as usize;
        let last = self.by_slot.len() - 1;
        if slot < last {
            let moved = hash(self.by_slot[last]);
            let place =
                self.slots.find_mut(moved, |&slot| slot as usize == last).expect("each slot is known");
            *place = u32::try_from(slot).expect("it was a slot");
        }
        self.by_slot.swap_remove(slot);
        room::shrink(&mut self.by_slot);
        if self.slots.len() < self.slots.capacity() / 4 {
            let by_slot = &self.by_slot;
            self.slots.shrink_to(by_slot.len(), |&slot| hash(by_slot[slot as usize]));
        }
        Some(slot)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        room::bytes(&self.by_slot) + self.slots.allocation_size()
    }

    pub(crate) fn check(&self) {
        assert_eq!(self.slots.len(), self.by_slot.len(), "a slot an id");
        for (slot, &id) in self.by_slot.iter().enumerate() {
            assert_eq!(self.slot(id), Some(slot), "id {id} is found where it lies");
        }
    }
}
