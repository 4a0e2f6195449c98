//! Who lies in which slot, both ways.

use hashbrown::HashTable;

use crate::room;
use crate::rotation::mixed;

/// Slots 0 to n - 1 without gaps, each with the id of its vector.
#[derive(Default)]
pub(crate) struct Ids {
    by_slot: Vec<i64>,
    /// The slots by the hash of their id; none while they are few.
    slots: HashTable<u32>,
}

/// So few ids are looked through: a table of them costs more room than they take.
const FEW: usize = 8;

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
        if self.slots.is_empty() {
            return self.by_slot.iter().position(|&held| held == id);
        }
        self.slots.find(hash(id), |&slot| self.by_slot[slot as usize] == id).map(|&slot| slot as usize)
    }

    /// Gives `id`, which has no slot, the next one.
    pub(crate) fn push(&mut self, id: i64) {
        let slot = u32::try_from(self.by_slot.len()).expect("the index checks its size");
        room::grow(&mut self.by_slot, 1);
        self.by_slot.push(id);
        let by_slot = &self.by_slot;
        let hash_of = |&slot: &u32| hash(by_slot[slot as usize]);
        if !self.slots.is_empty() {
            self.slots.insert_unique(hash(id), slot, hash_of);
        } else if by_slot.len() > FEW {
            self.slots.reserve(by_slot.len(), hash_of);
            (0..=slot).for_each(|slot| {
                self.slots.insert_unique(hash_of(&slot), slot, hash_of);
            });
        }
    }

    /// Takes out `id`; the last slot's vector takes its slot, which is returned.
    pub(crate) fn swap_remove(&mut self, id: i64) -> Option<usize> {
        let slot = self.slot(id)?;
        if !self.slots.is_empty() {
            self.unlink(slot);
        }
        self.by_slot.swap_remove(slot);
        room::shrink(&mut self.by_slot);
        if self.by_slot.len() <= FEW / 2 {
            self.slots = HashTable::new();
        } else if self.slots.len() < self.slots.capacity() / 4 {
            let by_slot = &self.by_slot;
            self.slots.shrink_to(by_slot.len(), |&slot| hash(by_slot[slot as usize]));
        }
        Some(slot)
    }

    /// Takes a slot out of the table, and gives the last slot's id that one.
    fn unlink(&mut self, slot: usize) {
        let by_slot = &self.by_slot;
        let known = "each slot is known";
        let at = |slot: usize| move |&held: &u32| held as usize == slot;
        self.slots.find_entry(hash(by_slot[slot]), at(slot)).expect(known).remove();
        let last = by_slot.len() - 1;
        if slot < last {
            let place = self.slots.find_mut(hash(by_slot[last]), at(last)).expect(known);
            *place = u32::try_from(slot).expect("it was a slot");
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        room::bytes(&self.by_slot) + self.slots.allocation_size()
    }

    pub(crate) fn check(&self) {
        let len = self.by_slot.len();
        assert!(self.slots.len() == len || self.slots.is_empty() && len <= FEW, "a slot an id");
        for (slot, &id) in self.by_slot.iter().enumerate() {
            assert_eq!(self.slot(id), Some(slot), "id {id} is found where it lies");
        }
    }
}
