//! What one lock guards: the index, the slots, the counts, the eviction order, and the byte budget.
//!
//! A request is `request` (count it, find it) and, after a miss, `put` (observe its cost, decide, evict).
//! Removed entries are handed to the caller, who drops them outside the lock.

use crate::estimate::decay::{Decay, DecayRule};
use crate::estimate::frequency::Frequency;
use crate::estimate::{ArmView, CostRange, Estimator, Pooled};
use crate::evict::order::Order;
use crate::evict::{Eviction, Policy, Slot, Worth};
use crate::exact::{Bucket, Index};
use crate::tenants::{Tenant, Tenants};

/// Bytes an entry is charged beyond its key and value: table bucket, slot, order node and allocator slack at
/// their worst load. `check` compares it with what the structures really hold.
pub const ENTRY_OVERHEAD_BYTES: u64 = 160;
/// Expiry of an entry that never expires, in ms.
pub const NEVER: u64 = u64::MAX;

/// Settings of a shard.
#[derive(Clone, Copy, Debug)]
pub struct ShardConfig {
    /// What entries may be charged in total (bytes, or units in a simulation).
    pub budget: u64,
    /// What an entry is charged beyond its own size: [`ENTRY_OVERHEAD_BYTES`], or 0 in a simulation.
    pub overhead: u64,
    /// Memory for counts of keys that are not resident.
    pub history_bytes: usize,
    /// Who leaves.
    pub policy: Policy,
    /// How counts decay (policies that remember counts only).
    pub decay: DecayRule,
    /// Recompute the worth of all residents on each decision: exact and O(n).
    pub rescore: bool,
    /// Lower bounds of costs.
    pub estimator: Estimator,
    /// What costs can be.
    pub range: CostRange,
    /// Largest share of the budget that one tenant may hold, in (0, 1].
    pub tenant_share: f64,
}

/// The cost side of a put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// What the answer cost, observed just now.
    Observed(f64),
    /// Not known: the running mean of observed costs stands in.
    Unknown,
    /// A lower bound of a miss that somebody else (a router) estimated.
    Bound(f64),
    /// What was learnt before, from a snapshot; observes nothing.
    Learnt(Learnt),
}

/// What a shard has learnt of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Learnt {
    /// Requests, in units of one request now.
    pub count: f64,
    /// Mean of the observed costs, or a bound given from outside.
    pub mean_cost: f64,
    /// Observations behind the mean; 0: it is a bound.
    pub observed: u32,
}

/// What is put.
#[derive(Debug)]
pub struct NewEntry<'a, K, V> {
    /// Keyed hash of the key.
    pub hash: u64,
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// Size of key and value, without overhead.
    pub bytes: u64,
    /// What a miss costs.
    pub cost: Cost,
    /// What a hit costs (the price of an answer known to be wrong).
    pub hit_cost: f64,
    /// Expiry in ms, [`NEVER`] for none.
    pub expires_ms: u64,
    /// Who owns the entry.
    pub scope: &'a str,
}

/// What became of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored; `evicted` entries left for it.
    Stored {
        /// Entries that left for it.
        evicted: u32,
    },
    /// The policy holds what is resident to be worth more.
    Bypassed,
    /// Larger than the budget, or than the tenant's share of it.
    TooLarge,
}

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

    /// What the shard knows of the entry.
    #[must_use]
    pub fn view(&self) -> EntryView {
        self.shard.view(self.bucket)
    }
}

/// What the shard knows of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntryView {
    /// The slot it lies in.
    pub slot: Slot,
    /// Requests in units of one request now.
    pub count: f64,
    /// Lower bound of the cost of a miss.
    pub miss_cost: f64,
    /// Cost of a hit.
    pub hit_cost: f64,
    /// Charged bytes.
    pub bytes: u64,
    /// Expiry in ms.
    pub expires_ms: u64,
}

/// What an entry has beside its bucket; hits do not come here.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    hash: u64,
    mean_cost: f64,
    expires_ms: u64,
    /// Observations behind `mean_cost`; 0: it is a bound given from outside.
    observed: u32,
    bytes: u32,
    tenant: Tenant,
    hit_cost: f32,
}

/// What is to be stored: a record and its count so far, in grown units.
#[derive(Clone, Copy)]
struct Newcomer {
    record: Record,
    count: f32,
}

/// Totals since the shard was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests that found an entry.
    pub hits: u64,
    /// Requests that did not.
    pub misses: u64,
    /// Puts that stored.
    pub stored: u64,
    /// Puts that the policy declined.
    pub bypassed: u64,
    /// Puts of entries larger than the budget.
    pub too_large: u64,
    /// Entries that left for others.
    pub evicted: u64,
    /// Entries that left because their time was up.
    pub expired: u64,
    /// Cost of misses less cost of hits over all hits, in 10^-9 of the cost unit.
    pub saved_nano: u64,
}

/// Turns a record into a worth; what all entries share is kept here, ready.
#[derive(Clone, Copy, Debug)]
struct Appraisal {
    estimator: Estimator,
    range: CostRange,
    deviation: f64,
    largest: f64,
}

impl Appraisal {
    #[inline]
    fn miss_cost(&self, record: &Record) -> f64 {
        if record.observed == 0 {
            return record.mean_cost;
        }
        let arm = ArmView { n: record.observed, mean: record.mean_cost, variance: None };
        self.estimator.lower_at(arm, self.deviation, self.largest, self.range)
    }

    #[inline]
    fn worth(&self, record: &Record, count: f32) -> Worth {
        Worth {
            hash: record.hash,
            count: f64::from(count),
            value: (self.miss_cost(record) - f64::from(record.hit_cost)).max(0.0),
            bytes: u64::from(record.bytes),
        }
    }

    fn resident<K, V>(&self, index: &Index<K, V>, records: &[Record], slot: Slot) -> Worth {
        let record = &records[slot as usize];
        let count = index.of_slot(record.hash, slot).map_or(0.0, |bucket| bucket.count);
        self.worth(record, count)
    }
}

/// See the module.
pub struct Shard<K, V> {
    index: Index<K, V>,
    records: Vec<Record>,
    free: Vec<Slot>,
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
        let order = config.policy.build();
        let remembers = order.remembers();
        let decay = if remembers { config.decay } else { DecayRule::None };
        Self {
            index: Index::new(),
            records: Vec::new(),
            free: Vec::new(),
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
        bucket.count += weight as f32;
        if self.timed && self.records[bucket.slot as usize].expires_ms <= now_ms {
            self.totals.misses += 1;
            return None;
        }
        bucket.hits += 1;
        self.totals.hits += 1;
        if self.watches_hits || (self.contested && self.decay.watches(hash)) {
            let (slot, count) = (bucket.slot, bucket.count);
            self.tell_hit(slot, count);
        }
        let bucket = self.index.at(place)?;
        Some(Found { shard: self, bucket })
    }

    /// Finds an entry without counting a request.
    pub fn peek(&self, hash: u64, is: impl Fn(&K) -> bool, now_ms: u64) -> Option<Found<'_, K, V>> {
        let bucket = self.index.find(hash, is)?;
        let live = self.records[bucket.slot as usize].expires_ms > now_ms;
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

    /// Observes the cost of an answer and stores it where that pays. A key that was never asked for counts as
    /// one request. Entries that leave, and the new one when it is declined, are pushed to `removed`.
    pub fn put(
        &mut self,
        entry: NewEntry<'_, K, V>,
        is: impl Fn(&K) -> bool,
        now_ms: u64,
        removed: &mut Vec<(K, V)>,
    ) -> Outcome {
        let mut newcomer = self.carry_over(entry.hash, is, removed);
        self.learn(&mut newcomer, entry.cost);
        let record = &mut newcomer.record;
        record.hash = entry.hash;
        record.hit_cost = entry.hit_cost as f32;
        record.expires_ms = entry.expires_ms;
        let charged = entry.bytes.saturating_add(self.config.overhead);
        let placed = match u32::try_from(charged) {
            Ok(bytes) if charged <= self.config.budget => {
                record.bytes = bytes;
                self.place(newcomer, entry, now_ms, removed)
            }
            _ => Err((Outcome::TooLarge, entry)),
        };
        if self.config.rescore {
            self.rescore();
        }
        placed.unwrap_or_else(|(outcome, entry)| {
            self.forgo(&newcomer, outcome);
            removed.push((entry.key, entry.value));
            outcome
        })
    }

    /// Gives a resident a new worth, as learnt by somebody else. Returns whether it was there.
    pub fn revalue(&mut self, hash: u64, is: impl Fn(&K) -> bool, miss_cost: f64, hit_cost: f64) -> bool {
        let Some(bucket) = self.index.find_mut(hash, is) else { return false };
        let (slot, hits) = (bucket.slot, std::mem::take(&mut bucket.hits));
        self.book(slot, hits);
        let record = &mut self.records[slot as usize];
        (record.mean_cost, record.observed, record.hit_cost) = (miss_cost, 0, hit_cost as f32);
        let worth = self.worth_of(slot);
        self.order.on_learn(slot, &worth);
        true
    }

    /// Removes an entry; its count is kept.
    pub fn delete(&mut self, hash: u64, is: impl Fn(&K) -> bool) -> Option<(K, V)> {
        let slot = self.index.find(hash, is)?.slot;
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
        let open: u64 = open.map(|bucket| self.saving_nano(bucket.slot, bucket.hits)).sum();
        Totals { saved_nano: self.totals.saved_nano + open, ..self.totals }
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

    /// The exact counts of keys that are not resident, in units of one request now.
    pub fn history(&self) -> impl Iterator<Item = (u64, f64)> {
        self.frequency.iter().map(|(hash, count)| (hash, count / self.decay.weight()))
    }

    /// Takes over the count of a key that is not resident.
    pub fn remember(&mut self, hash: u64, count: f64) {
        if self.remembers {
            let weight = self.decay.weight();
            self.frequency.give(hash, count * weight, weight);
        }
    }

    /// Keys, values and views of all residents.
    pub fn residents(&self) -> impl Iterator<Item = (&K, &V, EntryView)> {
        self.index.iter().map(|bucket| (&bucket.key, &bucket.value, self.view(bucket)))
    }

    /// Panics unless every invariant holds.
    pub fn check(&self) {
        let mut resident: Vec<Slot> = self.index.iter().map(|bucket| bucket.slot).collect();
        resident.sort_unstable();
        assert!(resident.windows(2).all(|pair| pair[0] != pair[1]), "two keys in one slot");
        assert_eq!(resident.len() + self.free.len(), self.records.len(), "slots are resident or free");
        assert!(self.free.iter().all(|slot| resident.binary_search(slot).is_err()), "a free slot is resident");
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
        let timed = resident.iter().copied().filter(|&s| self.records[s as usize].expires_ms != NEVER);
        self.expiry.check(&timed.collect::<Vec<_>>());
        let owned = resident.iter().map(|&slot| &self.records[slot as usize]);
        self.tenants.check(owned.map(|record| (record.tenant, u64::from(record.bytes))));
    }

    #[inline]
    fn tick(&mut self) {
        if self.remembers
            && let Some(factor) = self.decay.tick()
        {
            self.index.iter_mut().for_each(|bucket| bucket.count *= factor as f32);
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

    /// What to go on with: the entry that is replaced, else a new one with the count remembered.
    fn carry_over(&mut self, hash: u64, is: impl Fn(&K) -> bool, removed: &mut Vec<(K, V)>) -> Newcomer {
        if let Some(bucket) = self.index.find(hash, is) {
            let (slot, count) = (bucket.slot, bucket.count);
            let record = self.records[slot as usize];
            self.order.on_remove(slot);
            removed.extend(self.release(slot).map(|left| (left.key, left.value)));
            return Newcomer { record, count };
        }
        let asked = if self.remembers { self.frequency.take(hash) } else { 0.0 };
        if asked <= 0.0 {
            self.tick();
        }
        let count = if asked > 0.0 { asked } else { self.decay.weight() };
        Newcomer { record: Record::default(), count: count as f32 }
    }

    fn learn(&mut self, newcomer: &mut Newcomer, cost: Cost) {
        let record = &mut newcomer.record;
        match cost {
            Cost::Observed(cost) => {
                self.pooled.observe(&mut record.observed, &mut record.mean_cost, cost);
                self.appraisal.deviation = self.config.estimator.deviation(&self.pooled);
                self.appraisal.largest = self.pooled.largest();
            }
            Cost::Unknown if record.observed == 0 => {
                record.mean_cost = self.pooled.mean_cost().unwrap_or(1.0);
            }
            Cost::Unknown => {}
            Cost::Bound(bound) => (record.mean_cost, record.observed) = (bound, 0),
            Cost::Learnt(Learnt { count, mean_cost, observed }) => {
                newcomer.count = (count * self.decay.weight()) as f32;
                (record.mean_cost, record.observed) = (mean_cost, observed);
            }
        }
    }

    /// Makes room for `newcomer` and stores it, or hands the entry back with the reason.
    fn place<'a>(
        &mut self,
        newcomer: Newcomer,
        entry: NewEntry<'a, K, V>,
        now_ms: u64,
        removed: &mut Vec<(K, V)>,
    ) -> Result<Outcome, (Outcome, NewEntry<'a, K, V>)> {
        let worth = self.appraisal.worth(&newcomer.record, newcomer.count);
        if self.contested && self.decay.watches(worth.hash) {
            self.watch(&worth);
        }
        if self.used + worth.bytes > self.config.budget {
            self.expire(now_ms, removed);
        }
        let quota = (self.config.tenant_share * self.config.budget as f64) as u64;
        if worth.bytes > quota {
            return Err((Outcome::TooLarge, entry));
        }
        let Some(victims) = self.victims(&worth, entry.scope, quota) else {
            return Err((Outcome::Bypassed, entry));
        };
        let evicted = victims.len();
        for slot in victims {
            removed.extend(self.evict(slot));
        }
        self.store(newcomer, entry, &worth);
        self.totals.stored += 1;
        self.totals.evicted += evicted as u64;
        Ok(Outcome::Stored { evicted: u32::try_from(evicted).unwrap_or(u32::MAX) })
    }

    /// The slots that leave for `newcomer`, out of the order already; `None`: it is not worth them.
    fn victims(&mut self, newcomer: &Worth, scope: &str, quota: u64) -> Option<Vec<Slot>> {
        let tenant = self.tenants.find(scope);
        let owned = tenant.map_or(0, |tenant| self.tenants.bytes(tenant));
        let over_budget = (self.used + newcomer.bytes).saturating_sub(self.config.budget);
        let over_quota = (owned + newcomer.bytes).saturating_sub(quota);
        if over_budget == 0 && over_quota == 0 {
            return Some(Vec::new());
        }
        self.contested = true;
        let (mut leaving, mut staying) = (Vec::with_capacity(1), Vec::new());
        let (mut freed, mut freed_quota) = (0, 0);
        let fits = loop {
            if freed >= over_budget && freed_quota >= over_quota {
                break true;
            }
            let Some(slot) = self.next_victim(newcomer) else { break false };
            let record = &self.records[slot as usize];
            if Some(record.tenant) == tenant {
                freed_quota += u64::from(record.bytes);
            } else if freed >= over_budget {
                // Only the tenant's own entries make room under its share.
                staying.push(slot);
                continue;
            }
            freed += u64::from(record.bytes);
            leaving.push(slot);
        };
        if !fits {
            staying.append(&mut leaving);
        }
        for slot in staying {
            let worth = self.worth_of(slot);
            self.order.on_insert(slot, &worth);
        }
        fits.then_some(leaving)
    }

    fn next_victim(&mut self, newcomer: &Worth) -> Option<Slot> {
        let Self { order, index, records, appraisal, .. } = self;
        order.victim(newcomer, &|slot| appraisal.resident(index, records, slot))
    }

    fn store(&mut self, newcomer: Newcomer, entry: NewEntry<'_, K, V>, worth: &Worth) {
        let tenant = self.tenants.enter(entry.scope);
        let record = Record { tenant, ..newcomer.record };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.records.push(Record::default());
            Slot::try_from(self.records.len() - 1).expect("a shard holds fewer than 2^32 entries")
        });
        self.records[slot as usize] = record;
        self.used += worth.bytes;
        self.tenants.add(tenant, worth.bytes);
        if record.expires_ms != NEVER {
            self.timed = true;
            self.expiry.set(slot, record.expires_ms as f64);
        }
        self.index.insert(entry.hash, (entry.key, entry.value), slot, newcomer.count);
        self.order.on_insert(slot, worth);
    }

    /// Takes the entry of a slot that is out of the order already, and remembers its count.
    fn evict(&mut self, slot: Slot) -> Option<(K, V)> {
        let hash = self.records[slot as usize].hash;
        let left = self.release(slot)?;
        if self.remembers {
            self.frequency.give(hash, f64::from(left.count), self.decay.weight());
        }
        Some((left.key, left.value))
    }

    /// As `evict`, for a caller who keeps the count.
    fn release(&mut self, slot: Slot) -> Option<Bucket<K, V>> {
        let left = self.index.remove(self.records[slot as usize].hash, slot)?;
        self.book(slot, left.hits);
        let record = std::mem::take(&mut self.records[slot as usize]);
        self.used -= u64::from(record.bytes);
        self.tenants.remove(record.tenant, u64::from(record.bytes));
        if self.timed {
            self.expiry.remove(slot);
        }
        self.free.push(slot);
        Some(left)
    }

    /// Removes what expired by `now_ms`.
    fn expire(&mut self, now_ms: u64, removed: &mut Vec<(K, V)>) {
        while let Some((slot, expires_ms)) = self.expiry.lowest()
            && expires_ms <= now_ms as f64
        {
            self.order.on_remove(slot);
            removed.extend(self.evict(slot));
            self.totals.expired += 1;
        }
    }

    /// Books a put that did not store.
    fn forgo(&mut self, newcomer: &Newcomer, outcome: Outcome) {
        match outcome {
            Outcome::TooLarge => self.totals.too_large += 1,
            _ => self.totals.bypassed += 1,
        }
        if self.remembers {
            self.frequency.give(newcomer.record.hash, f64::from(newcomer.count), self.decay.weight());
        }
    }

    /// Books the saving of `hits` on a slot at what a miss costs by now.
    fn book(&mut self, slot: Slot, hits: u32) {
        if hits > 0 {
            self.totals.saved_nano += self.saving_nano(slot, hits);
        }
    }

    fn saving_nano(&self, slot: Slot, hits: u32) -> u64 {
        let record = &self.records[slot as usize];
        let saving = (record.mean_cost - f64::from(record.hit_cost)).max(0.0);
        (saving * 1e9) as u64 * u64::from(hits)
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
            expires_ms: record.expires_ms,
        }
    }
}
