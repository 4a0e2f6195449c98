//! A quick look before a slow one: whether any entry of a partition is near by the vectors of a fast embedder.
//!
//! Where none is, the slow embedder does not run, and the entry to come waits: it has a quick vector and no other,
//! until a request comes near it. Then it is embedded together with that request. What is here only says whether to
//! look; it never serves.

use std::sync::Arc;

use hashbrown::HashMap;

use super::partition::{Indexed, Partition, Unit};
use crate::error::Error;
use crate::key::Key;
use crate::sync::{Mutex, RwLock};

type PartitionId = u128;
type Room = Arc<RwLock<Partition>>;
/// A room beside its partition: the lock, two counts and the allocator's word.
const SHARED_BYTES: usize = size_of::<RwLock<Partition>>() - size_of::<Partition>() + 3 * size_of::<usize>();

/// See the module.
#[derive(Default)]
pub(super) struct Gate {
    rooms: RwLock<HashMap<PartitionId, Room>>,
    /// Where an entry lies, and whether it waits for its slow vector.
    homes: Mutex<HashMap<u64, Home>>,
    /// Entries without a quick vector, such as those of a snapshot, by partition: there the gate stays open.
    strangers: Mutex<HashMap<PartitionId, u32>>,
}

struct Home {
    partition: PartitionId,
    /// `None`: a stranger.
    slot: Option<u32>,
    waits: bool,
}

/// An entry that has no slow vector yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its id in the exact store.
    pub hash: u64,
    /// What likeness goes by.
    pub text: Box<str>,
}

/// An entry that waited.
pub(super) struct Admitted {
    pub(super) partition: PartitionId,
    pub(super) key: Key,
    pub(super) text: Box<str>,
    pub(super) answer: u64,
    pub(super) arrival: f64,
}

impl Gate {
    /// The entries near `unit`, as similar as `threshold` at least, that wait; `None` where nothing is as near.
    pub(super) fn near(
        &self,
        partition: PartitionId,
        unit: &Unit,
        threshold: f64,
    ) -> Result<Option<Vec<Waiting>>, Error> {
        let any_stranger = self.strangers.lock().is_ok_and(|strangers| strangers.contains_key(&partition));
        let unseen = any_stranger.then(Vec::new);
        let Some(room) = self.room(partition) else { return Ok(unseen) };
        let Ok(room) = room.read() else { return Ok(Some(Vec::new())) };
        let mut near = room.nearest(unit)?;
        near.retain(|near| near.neighbour.similarity >= threshold);
        if near.is_empty() {
            return Ok(unseen);
        }
        let entries: Vec<&Indexed> = near.iter().filter_map(|near| room.get(near.slot)).collect();
        let Ok(homes) = self.homes.lock() else { return Ok(Some(Vec::new())) };
        let waits = |entry: &&&Indexed| homes.get(&entry.hash).is_some_and(|home| home.waits);
        let named = |entry: &Indexed| Waiting { hash: entry.hash, text: entry.text().into() };
        Ok(Some(entries.iter().filter(waits).map(|entry| named(entry)).collect()))
    }

    /// Takes in an entry, in place of one of the same id.
    pub(super) fn insert(
        &self,
        partition: PartitionId,
        entry: Indexed,
        unit: &Unit,
        waits: bool,
    ) -> Result<(), Error> {
        let hash = entry.hash;
        self.remove(hash);
        // The table stays locked: a room that was just emptied must not leave with the entry in it.
        let Ok(mut rooms) = self.rooms.write() else { return Ok(()) };
        let made = || Arc::new(RwLock::new(Partition::new(unit.dim())));
        let room = rooms.entry(partition).or_insert_with(made).clone();
        let Ok(slot) = room.write().map(|mut room| room.insert(entry, unit)) else { return Ok(()) };
        let home = Home { partition, slot: Some(slot?), waits };
        if let Ok(mut homes) = self.homes.lock() {
            homes.insert(hash, home);
        }
        Ok(())
    }

    /// Takes note of an entry that has no quick vector.
    pub(super) fn insert_stranger(&self, partition: PartitionId, hash: u64) {
        self.remove(hash);
        if let (Ok(mut homes), Ok(mut strangers)) = (self.homes.lock(), self.strangers.lock()) {
            homes.insert(hash, Home { partition, slot: None, waits: false });
            *strangers.entry(partition).or_default() += 1;
        }
    }

    /// Takes an entry out, and its room with the last one.
    pub(super) fn remove(&self, hash: u64) {
        let home = self.homes.lock().ok().and_then(|mut homes| homes.remove(&hash));
        let Some(home) = home else { return };
        let Some(slot) = home.slot else { return self.remove_stranger(home.partition) };
        let Ok(mut rooms) = self.rooms.write() else { return };
        let Some(room) = rooms.get(&home.partition).cloned() else { return };
        let empty = room.write().is_ok_and(|mut room| {
            room.remove(slot, hash);
            room.len() == 0
        });
        if empty {
            rooms.remove(&home.partition);
        }
    }

    fn remove_stranger(&self, partition: PartitionId) {
        let Ok(mut strangers) = self.strangers.lock() else { return };
        if let Some(count) = strangers.get_mut(&partition) {
            *count -= 1;
            if *count == 0 {
                strangers.remove(&partition);
            }
        }
    }

    /// The entry `hash`, where it waits: from now on it does not.
    pub(super) fn admit(&self, hash: u64) -> Option<Admitted> {
        let (partition, slot) = {
            let mut homes = self.homes.lock().ok()?;
            let home = homes.get_mut(&hash).filter(|home| home.waits)?;
            home.waits = false;
            (home.partition, home.slot?)
        };
        let room = self.room(partition)?;
        let room = room.read().ok()?;
        let entry = room.get(slot).filter(|entry| entry.hash == hash)?;
        let (key, text) = (entry.key.clone(), entry.text().into());
        Some(Admitted { partition, key, text, answer: entry.answer, arrival: entry.arrival })
    }

    /// Entries that wait.
    pub(super) fn waiting(&self) -> u64 {
        self.homes.lock().map_or(0, |homes| homes.values().filter(|home| home.waits).count() as u64)
    }

    /// Bytes held, the keys left out: the store holds them.
    pub(super) fn memory_bytes(&self) -> usize {
        let Ok(rooms) = self.rooms.read() else { return 0 };
        let held = rooms.values().filter_map(|room| Some(room.read().ok()?.memory_bytes()));
        held.map(|bytes| bytes + SHARED_BYTES).sum::<usize>()
            + rooms.allocation_size()
            + self.homes.lock().map_or(0, |homes| homes.allocation_size())
            + self.strangers.lock().map_or(0, |strangers| strangers.allocation_size())
    }

    /// Panics unless every invariant holds.
    pub(super) fn check(&self) {
        let rooms = self.rooms.read().expect("the table of rooms is sound");
        let homes = self.homes.lock().expect("the table of homes is sound");
        let mut held = 0;
        for (id, room) in &*rooms {
            let room = room.read().expect("a room is sound");
            room.check();
            assert!(room.len() > 0, "a room goes with its last entry");
            for (slot, entry) in room.slots() {
                let home = homes.get(&entry.hash).expect("an entry has a home");
                assert!(home.partition == *id && home.slot == Some(slot), "an entry is found by its id");
                held += 1;
            }
        }
        let strangers = self.strangers.lock().expect("the table of strangers is sound");
        held += strangers.values().map(|&count| count as usize).sum::<usize>();
        assert_eq!(held, homes.len(), "an entry an id");
    }

    fn room(&self, partition: PartitionId) -> Option<Room> {
        self.rooms.read().ok()?.get(&partition).cloned()
    }
}
