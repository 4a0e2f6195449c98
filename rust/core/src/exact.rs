//! key → slot.
//!
//! Open addressing with linear probing over 32-byte buckets that hold all a hit needs: key, value, and the
//! counters it raises. Two of them fill a cache line, and a search starts at the first of a line. So a hit
//! costs one table line and then, at once, the key's bytes and the value; the rest of an entry is its record
//! in the shard. Half of the hash lies in the bucket: it tells apart most keys unread, and the table grows and
//! closes gaps without looking anywhere else.

use prefetch_index::prefetch_index;

use crate::evict::Slot;

/// A table entry; aligned to its size, so that none lies across two cache lines.
#[derive(Debug)]
#[repr(align(32))]
pub(crate) struct Bucket<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) slot: Slot,
    /// Decayed requests, in grown units (`estimate/decay.rs`).
    pub(crate) count: f32,
    /// Hits whose saving is not booked yet.
    pub(crate) hits: u32,
    tag: u32,
}

/// Buckets of a cache line.
const PAIR: usize = 2;

/// A cache line of the table.
#[derive(Debug)]
#[repr(align(64))]
struct Line<K, V>([Option<Bucket<K, V>>; PAIR]);

/// The exact index of one shard.
#[derive(Debug)]
pub(crate) struct Index<K, V> {
    lines: Vec<Line<K, V>>,
    len: usize,
}

const MIN_LINES: usize = 4;
/// Buckets in use at most, in tenths: about two probes a hit, and four a miss, at the most.
const MAX_LOAD_TENTHS: usize = 6;

/// Cache lines that a search for a key that is not there mostly ends within.
const PREFETCH_LINES: usize = 2;

/// The upper half of the hash; the lower half chooses the shard.
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl<K, V> Index<K, V> {
    pub(crate) fn new() -> Self {
        Self { lines: Vec::new(), len: 0 }
    }

    /// Where the entry is; good until the next insertion or removal.
    #[inline]
    pub(crate) fn place(&self, hash: u64, is: impl Fn(&K) -> bool) -> Option<usize> {
        self.probe(tag(hash), |bucket| is(&bucket.key))
    }

    #[inline]
    pub(crate) fn at(&self, place: usize) -> Option<&Bucket<K, V>> {
        self.lines[place / PAIR].0[place % PAIR].as_ref()
    }

    #[inline]
    pub(crate) fn at_mut(&mut self, place: usize) -> Option<&mut Bucket<K, V>> {
        self.lines[place / PAIR].0[place % PAIR].as_mut()
    }

    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&K) -> bool) -> Option<&Bucket<K, V>> {
        self.place(hash, is).and_then(|place| self.at(place))
    }

    #[inline]
    pub(crate) fn find_mut(&mut self, hash: u64, is: impl Fn(&K) -> bool) -> Option<&mut Bucket<K, V>> {
        self.place(hash, is).and_then(|place| self.at_mut(place))
    }

    /// The entry in `slot`, whose hash is `hash`.
    pub(crate) fn of_slot(&self, hash: u64, slot: Slot) -> Option<&Bucket<K, V>> {
        self.slot_where(hash, |held| held == slot)
    }

    /// The entry of `hash` whose slot `is` accepts.
    pub(crate) fn slot_where(&self, hash: u64, is: impl Fn(Slot) -> bool) -> Option<&Bucket<K, V>> {
        self.probe(tag(hash), |bucket| is(bucket.slot)).and_then(|place| self.at(place))
    }

    /// Inserts an entry whose key is not there.
    pub(crate) fn insert(&mut self, hash: u64, entry: (K, V), slot: Slot, count: f32) {
        if (self.len + 1) * 10 > self.size() * MAX_LOAD_TENTHS {
            self.grow();
        }
        let (key, value) = entry;
        self.len += 1;
        self.settle(Bucket { key, value, slot, count, hits: 0, tag: tag(hash) });
    }

    /// Takes the entry of `slot` out.
    pub(crate) fn remove(&mut self, hash: u64, slot: Slot) -> Option<Bucket<K, V>> {
        let mut gap = self.probe(tag(hash), |bucket| bucket.slot == slot)?;
        let left = self.lines[gap / PAIR].0[gap % PAIR].take()?;
        self.len -= 1;
        // Entries that were pushed past the gap move back into it, so no marker has to stay.
        let mut next = self.after(gap);
        while let Some(bucket) = self.at(next) {
            let home = self.home(bucket.tag);
            if self.distance(home, next) >= self.distance(gap, next) {
                let moved = self.lines[next / PAIR].0[next % PAIR].take();
                self.lines[gap / PAIR].0[gap % PAIR] = moved;
                gap = next;
            }
            next = self.after(next);
        }
        Some(left)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bucket<K, V>> {
        self.lines.iter().flat_map(|Line(pair)| pair).flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Bucket<K, V>> {
        self.lines.iter_mut().flat_map(|Line(pair)| pair).flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line<K, V>>()
    }

    /// Has the memory fetched in which the entry of `hash` is looked for.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let home = self.home_line(tag(hash));
        for line in 0..PREFETCH_LINES {
            prefetch_index(&self.lines, home + line);
        }
    }

    #[inline]
    fn probe(&self, tag: u32, is: impl Fn(&Bucket<K, V>) -> bool) -> Option<usize> {
        let mut at = self.home_line(tag);
        loop {
            let Line([first, second]) = self.lines.get(at)?;
            let bucket = first.as_ref()?;
            if bucket.tag == tag && is(bucket) {
                return Some(at * PAIR);
            }
            let bucket = second.as_ref()?;
            if bucket.tag == tag && is(bucket) {
                return Some(at * PAIR + 1);
            }
            at = if at + 1 == self.lines.len() { 0 } else { at + 1 };
        }
    }

    /// Buckets there are, in use or not.
    #[inline]
    fn size(&self) -> usize {
        self.lines.len() * PAIR
    }

    /// First line to look at: the tag scaled to the table, so that any size will do.
    #[inline]
    fn home_line(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.lines.len() as u64) >> 32) as usize
    }

    /// Its first bucket.
    #[inline]
    fn home(&self, tag: u32) -> usize {
        self.home_line(tag) * PAIR
    }

    #[inline]
    fn after(&self, place: usize) -> usize {
        if place + 1 == self.size() { 0 } else { place + 1 }
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.size() - from }
    }

    fn settle(&mut self, bucket: Bucket<K, V>) {
        let mut place = self.home(bucket.tag);
        while self.at(place).is_some() {
            place = self.after(place);
        }
        self.lines[place / PAIR].0[place % PAIR] = Some(bucket);
    }

    /// Grows by a quarter: tables of any size are fine, and little memory stays unused.
    fn grow(&mut self) {
        let size = self.lines.len() + (self.lines.len() / 4).max(MIN_LINES);
        let mut larger = Vec::with_capacity(size);
        larger.resize_with(size, || Line([const { None }; PAIR]));
        let old = std::mem::replace(&mut self.lines, larger);
        for bucket in old.into_iter().flat_map(|Line(pair)| pair).flatten() {
            self.settle(bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Few distinct tags, so that runs wrap round and overlap.
        #[test]
        fn behaves_like_a_map(ops in prop::collection::vec((0u32..60, any::<bool>()), 0..600)) {
            let hash = |key: u32| u64::from(key % 7).wrapping_mul(0x2492_4924_9249_2492);
            let mut index = Index::new();
            let mut naive = HashMap::new();
            for (key, insert) in ops {
                if insert && !naive.contains_key(&key) {
                    index.insert(hash(key), (key, key * 2), key, 1.0);
                    naive.insert(key, key * 2);
                } else if !insert {
                    let left = index.remove(hash(key), key).map(|bucket| bucket.value);
                    prop_assert_eq!(left, naive.remove(&key));
                }
                prop_assert_eq!(index.len(), naive.len());
                for key in 0..60 {
                    let found = index.find(hash(key), |held| *held == key).map(|bucket| bucket.value);
                    prop_assert_eq!(found, naive.get(&key).copied());
                }
            }
        }
    }

    #[test]
    fn a_bucket_is_half_a_cache_line() {
        assert_eq!(size_of::<Option<Bucket<crate::key::Key, Box<u8>>>>(), 32);
        assert_eq!(size_of::<Line<crate::key::Key, Box<u8>>>(), 64);
    }
}
