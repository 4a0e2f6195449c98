//! key → slot.
//!
//! The table holds what a hit needs (key, value, slot number), so a hit costs one table line and then, all at
//! once, the key's bytes, the value and the slot's counters; the rest of an entry lies in the shard.

use hashbrown::HashTable;

use crate::evict::Slot;

/// A table entry.
#[derive(Debug)]
pub(crate) struct Bucket<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) slot: Slot,
    /// Upper half of the hash: keys that share a bucket are told apart without reading them.
    tag: u32,
}

/// The exact index of one shard.
#[derive(Debug)]
pub(crate) struct Index<K, V> {
    table: HashTable<Bucket<K, V>>,
}

const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl<K, V> Index<K, V> {
    pub(crate) fn new() -> Self {
        Self { table: HashTable::new() }
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> Option<&Bucket<K, V>> {
        self.table.find(hash, |bucket| bucket.tag == tag(hash) && is(&bucket.key))
    }

    /// Inserts an entry whose key is not there; `hash_of` gives the hash of the entry in a slot.
    pub(crate) fn insert(&mut self, hash: u64, key: K, value: V, slot: Slot, hash_of: impl Fn(Slot) -> u64) {
        let bucket = Bucket { key, value, slot, tag: tag(hash) };
        self.table.insert_unique(hash, bucket, |bucket| hash_of(bucket.slot));
    }

    /// Takes the entry of `slot` out.
    pub(crate) fn remove(&mut self, hash: u64, slot: Slot) -> Option<(K, V)> {
        let found = self.table.find_entry(hash, |bucket| bucket.slot == slot).ok()?;
        let Bucket { key, value, .. } = found.remove().0;
        Some((key, value))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bucket<K, V>> {
        self.table.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.allocation_size()
    }
}
