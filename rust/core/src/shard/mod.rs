//! What one lock guards: the index, the slots, the counts, the eviction order, and the byte budget.
//!
//! A request is `request` (count it, find it) and, after a miss, `put` (observe its cost, decide, evict).
//! Removed entries are handed to the caller, who drops them outside the lock.

mod entry;
mod preview;
mod put;
mod record;

pub use entry::{
    Cost, ENTRY_OVERHEAD_BYTES, EntryView, Learnt, NEVER, NewEntry, Outcome, ShardConfig, Totals,
};

use crate::estimate::Pooled;
use crate::estimate::decay::{Decay, DecayRule};
use crate::estimate::frequency::{Frequency, Remembered};
use crate::evict::order::Order;
use crate::evict::{Eviction, Slot, Worth};
use crate::exact::{Bucket, Index};
use crate::number::{narrow, whole};
use crate::tenants::Tenants;
use record::{Appraisal, Record};

/// An entry found.
pub struct Found<'a, K, V> {
    shard: &'a Shard<K, V>,
    bucket: &'a Bucket<K, V>,
}

impl<'a, K, V> Found<'a, K, V> {
    /// The value.
    #[inline]
    #[must_use]
    pub fn value(&self) -> &'a V {
        &self.bucket.value
    }

    /// The key it is held under.
    #[must_use]
    pub fn key(&self) -> &'a K {
        &self.bucket.key
    }

    /// What the shard knows of the entry.
    #[must_use]
    pub fn view(&self) -> EntryView {
        self.shard.view(self.bucket)
    }
}

/// See the module.
#[expect(clippy::struct_excessive_bools, reason = "four facts, independent of each other")]
pub struct Shard<K, V> {
    index: Index<K, V>,
    records: Vec<Record>,
    free: Vec<Slot>,
    /// The victims of a put under way; empty between puts.
    leaving: Vec<Slot>,
    order: Box<dyn Eviction>,
    watches_hits: bool,
    remembers: bool,
    frequency: Frequency,
    decay: Decay,
    pooled: Pooled,
    appraisal: Appraisal,
    expiry: Order,
    /// Whether an entry with a time to live was ever stored: until then a hit need not look.
    timed: bool,
    tenants: Tenants,
    used: u64,
    /// Whether an entry ever had to leave or be declined for room: only then is decay worth tuning.
    contested: bool,
    totals: Totals,
    config: ShardConfig,
}

impl<K, V> Shard<K, V> {
    /// An empty shard; `config` was validated by `CacheConfig`.
    #[must_use]
    pub fn new(config: ShardConfig) -> Self {
        let order = config.policy.build(config.estimator.ties_to_newcomer());
        let remembers = order.remembers();
        let decay = if remembers { config.decay } else { DecayRule::None };
        Self {
            index: Index::new(),
            records: Vec::new(),
            free: Vec::new(),
            leaving: Vec::new(),
            watches_hits: order.watches_hits(),
            order,
            remembers,
            frequency: Frequency::within(if remembers { config.history_bytes / 2 } else { 0 }),
            decay: Decay::new(decay, config.history_bytes / 2),
            pooled: Pooled::default(),
            appraisal: Appraisal {
                estimator: config.estimator,
                range: config.range,
                deviation: 0.0,
                largest: 0.0,
            },
            expiry: Order::default(),
            timed: false,
            tenants: Tenants::default(),
            used: 0,
            contested: false,
            totals: Totals::default(),
            config,
        }
    }

    /// Counts a request and finds its entry, unless it is missing or expired at `now_ms`.
    #[inline]
    pub fn request(&mut self, hash: u64, is: impl Fn(&K) -> bool, now_ms: u64) -> Option<Found<'_, K, V>> {
        self.tick();
        let weight = self.decay.weight();
        let Some(place) = self.index.place(hash, is) else {
            self.totals.misses += 1;
            if self.remembers {
                self.frequency.add(hash, weight, weight);
            }
            return None;
        };
        let bucket = self.index.at_mut(place)?;
        bucket.count += narrow(weight);
        if self.timed && self.records[bucket.slot as usize].expires_ms() <= now_ms {
            self.totals.misses += 1;
            return None;
        }
        bucket.hits = bucket.hits.saturating_add(1);
        self.totals.hits += 1;
        if self.watches_hits || (self.contested && self.decay.watches(hash)) {
            let (slot, count) = (bucket.slot, bucket.count);
            self.tell_hit(slot, count);
        }
        let bucket = self.index.at(place)?;
        Some(Found { shard: self, bucket })
    }

    /// A request that was counted as a miss here is answered by another entry.
    pub fn answered_elsewhere(&mut self) {
        self.totals.misses = self.totals.misses.saturating_sub(1);
    }

    /// Finds an entry without counting a request.
    pub fn peek(&self, hash: u64, is: impl Fn(&K) -> bool, now_ms: u64) -> Option<Found<'_, K, V>> {
        let bucket = self.index.find(hash, is)?;
        let live = !self.timed || self.records[bucket.slot as usize].expires_ms() > now_ms;
        live.then_some(Found { shard: self, bucket })
    }

    /// Requests counted for a key, resident or not, in units of one request now.
    pub fn count(&self, hash: u64, is: impl Fn(&K) -> bool) -> f64 {
        let grown = match self.index.find(hash, is) {
            Some(bucket) => f64::from(bucket.count),
            None => self.frequency.get(hash),
        };
        grown / self.decay.weight()
    }

    /// Gives a resident a new worth, as learnt by somebody else, and the score that goes with it. Returns whether
    /// it was there.
    pub fn revalue(
        &mut self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        miss_cost: f64,
        hit_cost: f64,
        given: Option<f64>,
    ) -> bool {
        let Some(bucket) = self.index.find_mut(hash, is) else { return false };
        let (slot, hits) = (bucket.slot, std::mem::take(&mut bucket.hits));
        self.book(slot, hits);
        let record = &mut self.records[slot as usize];
        (record.mean_cost, record.observed, record.hit_cost) = (miss_cost, 0, narrow(hit_cost));
        let worth = Worth { given, ..self.worth_of(slot) };
        self.order.on_learn(slot, &worth);
        true
    }

    /// Says which share of the requests for a resident another entry would answer if it left. Where the policy goes by
    /// worth, it counts for so much less.
    pub fn cover(&mut self, hash: u64, share: f64) {
        let named = |slot: Slot| self.records[slot as usize].hash == hash;
        if let Some(slot) = self.index.slot_where(hash, named).map(|bucket| bucket.slot) {
            self.records[slot as usize].cover(share);
            let worth = self.worth_of(slot);
            self.order.on_cover(slot, &worth);
        }
    }

    /// What a byte of a resident saves, whatever others would answer; `None` also while there is room for all.
    #[must_use]
    pub fn density(&self, hash: u64) -> Option<f64> {
        let named = |slot: Slot| self.records[slot as usize].hash == hash;
        let bucket = self.index.slot_where(hash, named).filter(|_| self.contested)?;
        let mut record = self.records[bucket.slot as usize];
        record.cover(0.0);
        let worth = self.appraisal.worth(&record, bucket.count);
        Some(worth.count / self.decay.weight() * worth.value / worth.bytes as f64)
    }

    /// Removes an entry; its count is kept.
    pub fn delete(&mut self, hash: u64, is: impl Fn(&K) -> bool) -> Option<(K, V)> {
        let slot = self.index.find(hash, is)?.slot;
        self.order.on_remove(slot);
        self.evict(slot)
    }

    /// Removes the entry that a hash names.
    pub fn delete_hash(&mut self, hash: u64) -> Option<(K, V)> {
        // The table holds half of the hash: the record has the other half.
        let named = |slot: Slot| self.records[slot as usize].hash == hash;
        let slot = self.index.slot_where(hash, named)?.slot;
        self.order.on_remove(slot);
        self.evict(slot)
    }

    /// Removes every entry that `of` accepts.
    pub fn delete_all(&mut self, of: impl Fn(&K) -> bool, removed: &mut Vec<(K, V)>) {
        let slots: Vec<Slot> = self.index.iter().filter(|b| of(&b.key)).map(|b| b.slot).collect();
        for slot in slots {
            self.order.on_remove(slot);
            removed.extend(self.evict(slot));
        }
    }

    /// Forgets the counts of keys that are not resident.
    pub fn forget_history(&mut self) {
        self.frequency.clear();
    }

    /// Entries held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no entry is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the entries are charged.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Totals since the shard was made. O(n): savings of the residents are summed here, not on each hit.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let open = self.index.iter().filter(|bucket| bucket.hits > 0);
        let savings = open.map(|bucket| self.saving_nano(bucket.slot, bucket.hits));
        Totals { saved_nano: savings.fold(self.totals.saved_nano, u64::saturating_add), ..self.totals }
    }

    /// The half-life of counts in force, in requests.
    #[must_use]
    pub fn half_life(&self) -> f64 {
        self.decay.half_life()
    }

    /// Bytes of the counts of keys that are not resident, and of the shadows that tune their decay.
    #[must_use]
    pub fn history_bytes(&self) -> usize {
        self.frequency.heap_bytes() + self.decay.heap_bytes()
    }

    /// Bytes of the structures that hold the entries, keys and values aside.
    #[must_use]
    pub fn structure_bytes(&self) -> usize {
        self.index.heap_bytes()
            + self.records.capacity() * size_of::<Record>()
            + self.free.capacity() * size_of::<Slot>()
            + self.order.heap_bytes()
            + self.expiry.heap_bytes()
            + self.tenants.heap_bytes()
    }

    /// What was learnt of a resident.
    #[must_use]
    pub fn learnt(&self, view: &EntryView) -> Learnt {
        let record = &self.records[view.slot as usize];
        Learnt { count: view.count, mean_cost: record.mean_cost, observed: record.observed }
    }

    /// The exact counts of keys that are not resident, in units of one request now, and of residents that may
    /// have expired when they are read.
    pub fn history(&self) -> impl Iterator<Item = (u64, f64)> {
        let expires = |bucket: &&Bucket<K, V>| self.records[bucket.slot as usize].expires_ms() != NEVER;
        let residents = self.index.iter().filter(move |bucket| self.remembers && expires(bucket));
        let residents =
            residents.map(|bucket| (self.records[bucket.slot as usize].hash, f64::from(bucket.count)));
        let counts = self.frequency.iter().chain(residents);
        counts.map(|(hash, count)| (hash, count / self.decay.weight()))
    }

    /// Takes over the count of a key that is not resident.
    pub fn remember(&mut self, hash: u64, count: f64) {
        if self.remembers {
            let weight = self.decay.weight();
            self.frequency.give(hash, Remembered { count: count * weight, mean_cost: None }, weight);
        }
    }

    /// Keys, values and views of all residents.
    pub fn residents(&self) -> impl Iterator<Item = (&K, &V, EntryView)> {
        self.index.iter().map(|bucket| (&bucket.key, &bucket.value, self.view(bucket)))
    }

    /// Checks every invariant.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check(&self) {
        let mut resident: Vec<Slot> = self.index.iter().map(|bucket| bucket.slot).collect();
        resident.sort_unstable();
        assert!(resident.windows(2).all(|pair| pair[0] != pair[1]), "two keys in one slot");
        assert_eq!(resident.len() + self.free.len(), self.records.len(), "slots are resident or free");
        assert!(
            self.free.iter().all(|slot| resident.binary_search(slot).is_err()),
            "a free slot is resident"
        );
        let charged: u64 = resident.iter().map(|&slot| u64::from(self.records[slot as usize].bytes)).sum();
        assert_eq!(charged, self.used, "charged bytes");
        assert!(self.used <= self.config.budget, "over budget");
        for bucket in self.index.iter() {
            let record = &self.records[bucket.slot as usize];
            let found = self.index.of_slot(record.hash, bucket.slot).is_some();
            assert!(found, "a resident cannot be found by its hash");
            assert!(bucket.count >= 0.0 && bucket.count.is_finite(), "count out of range");
        }
        self.order.check(&resident);
        self.frequency.check();
        let timed = resident.iter().copied().filter(|&s| self.records[s as usize].expires_ms() != NEVER);
        self.expiry.check(&timed.collect::<Vec<_>>());
        let owned = resident.iter().map(|&slot| &self.records[slot as usize]);
        self.tenants.check(owned.map(|record| (record.tenant, u64::from(record.bytes))));
    }

    #[inline]
    fn tick(&mut self) {
        if self.remembers
            && let Some(factor) = self.decay.tick()
        {
            self.index.iter_mut().for_each(|bucket| bucket.count *= narrow(factor));
            self.frequency.rescale(factor);
            self.order.rescale(factor);
        }
    }

    /// The part of a hit that few hits need.
    fn tell_hit(&mut self, slot: Slot, count: f32) {
        let worth = self.appraisal.worth(&self.records[slot as usize], count);
        if self.watches_hits {
            self.order.on_hit(slot, &worth);
        }
        if self.contested {
            self.watch(&worth);
        }
    }

    /// Shows a request to the shadows that tune the decay.
    fn watch(&mut self, worth: &Worth) {
        let residents = self.index.len();
        self.decay.watch(worth.hash, worth.value / worth.bytes as f64, residents);
    }

    /// Books the saving of `hits` on a slot at what a miss costs by now.
    fn book(&mut self, slot: Slot, hits: u32) {
        if hits > 0 {
            self.totals.saved_nano = self.totals.saved_nano.saturating_add(self.saving_nano(slot, hits));
        }
    }

    fn saving_nano(&self, slot: Slot, hits: u32) -> u64 {
        let record = &self.records[slot as usize];
        let saving = (record.mean_cost - f64::from(record.hit_cost)).max(0.0);
        (whole((saving * 1e9).round())).saturating_mul(u64::from(hits))
    }

    /// Gives every resident its worth under the beliefs of now.
    fn rescore(&mut self) {
        let slots: Vec<Slot> = self.index.iter().map(|bucket| bucket.slot).collect();
        for slot in slots {
            let worth = self.worth_of(slot);
            self.order.on_learn(slot, &worth);
        }
    }

    /// The worth of a resident slot.
    fn worth_of(&self, slot: Slot) -> Worth {
        self.appraisal.resident(&self.index, &self.records, slot)
    }

    fn view(&self, bucket: &Bucket<K, V>) -> EntryView {
        let record = &self.records[bucket.slot as usize];
        EntryView {
            slot: bucket.slot,
            count: f64::from(bucket.count) / self.decay.weight(),
            miss_cost: self.appraisal.miss_cost(record),
            hit_cost: f64::from(record.hit_cost),
            bytes: u64::from(record.bytes),
            expires_ms: record.expires_ms(),
            covered: record.covered(),
        }
    }
}
