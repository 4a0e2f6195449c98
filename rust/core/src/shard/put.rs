//! Storing: observe the cost, carry the count over, make room or decline.

use std::collections::VecDeque;

use prefetch_index::prefetch_index;

use super::record::{Newcomer, Record};
use super::{Cost, Learnt, NEVER, NewEntry, Outcome, Shard};
use crate::estimate::frequency::Remembered;
use crate::evict::{Slot, Worth};
use crate::exact::Bucket;
use crate::number::{narrow, whole};
use crate::room;

impl<K, V> Shard<K, V> {
    /// Observes the cost of an answer and stores it where that pays. A key that was never asked for counts as
    /// one request. Entries that leave, and the new one when it is declined, are pushed to `removed`.
    pub fn put(
        &mut self,
        entry: NewEntry<'_, K, V>,
        is: impl Fn(&K) -> bool,
        now_ms: u64,
        removed: &mut impl Extend<(K, V)>,
    ) -> Outcome {
        let asked = !matches!(entry.cost, Cost::Learnt(_));
        let mut newcomer = self.carry_over(entry.hash, is, asked, removed);
        self.learn(&mut newcomer, entry.cost);
        if self.config.rescore {
            self.rescore();
        }
        let record = &mut newcomer.record;
        record.hash = entry.hash;
        record.hit_cost = narrow(entry.hit_cost);
        record.expire_at(entry.expires_ms);
        record.cover(0.0);
        // At least 1: a worth is divided by it.
        let charged = entry.bytes.saturating_add(self.config.overhead).max(1);
        let placed = match u32::try_from(charged) {
            Ok(bytes) if charged <= self.config.budget => {
                record.bytes = bytes;
                self.place(newcomer, entry, now_ms, removed)
            }
            _ => Err((Outcome::TooLarge, entry)),
        };
        placed.unwrap_or_else(|(outcome, entry)| {
            self.forgo(&newcomer, outcome);
            removed.extend([(entry.key, entry.value)]);
            outcome
        })
    }

    /// Has the memory fetched that a put of `hash` will need. A put that evicts spends most of its time on waiting
    /// for memory, unless that is on its way before it is needed.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        self.index.prefetch(hash);
        self.frequency.prefetch(hash);
    }

    /// The same for what the next puts will evict: the records of the likeliest, and where the record of the
    /// likeliest of all points to.
    fn prefetch_victims(&self) {
        let [first, others @ ..] = self.order.upcoming();
        for slot in others.into_iter().flatten() {
            prefetch_index(&self.records, slot as usize);
        }
        if let Some(record) = first.and_then(|slot| self.records.get(slot as usize)) {
            self.prefetch(record.hash);
        }
    }

    /// What to go on with: the entry that is replaced, else a new one with the count remembered. `asked`: a key
    /// that nobody asked for was asked for just now, so time passes.
    fn carry_over(
        &mut self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        asked: bool,
        removed: &mut impl Extend<(K, V)>,
    ) -> Newcomer {
        if let Some(bucket) = self.index.find(hash, is) {
            let (slot, count) = (bucket.slot, bucket.count);
            let record = self.records[slot as usize];
            self.order.on_remove(slot);
            removed.extend(self.release(slot).map(|left| (left.key, left.value)));
            return Newcomer { record, count };
        }
        let known = if self.remembers { self.frequency.take(hash) } else { Remembered::default() };
        if known.count <= 0.0 && asked {
            self.tick();
        }
        let count = if known.count > 0.0 { known.count } else { self.decay.weight() };
        // However often the cost was observed before, it goes on as one observation.
        let observed = u32::from(known.mean_cost.is_some());
        let mean_cost = known.mean_cost.unwrap_or_default();
        Newcomer { record: Record { mean_cost, observed, ..Record::default() }, count: narrow(count) }
    }

    fn learn(&mut self, newcomer: &mut Newcomer, cost: Cost) {
        let record = &mut newcomer.record;
        match cost {
            Cost::Observed(cost) => {
                self.pooled.observe(&mut record.observed, &mut record.mean_cost, cost);
            }
            Cost::Unknown if record.observed == 0 => {
                record.mean_cost = self.pooled.mean_cost().unwrap_or(1.0);
            }
            Cost::Unknown => {}
            Cost::Bound(bound) => (record.mean_cost, record.observed) = (bound, 0),
            Cost::Learnt(Learnt { count, mean_cost, observed }) => {
                newcomer.count = narrow(count * self.decay.weight());
                (record.mean_cost, record.observed) = (mean_cost, observed);
                self.pooled.recall(observed, mean_cost);
            }
        }
        self.appraisal.deviation = self.config.estimator.deviation(&self.pooled);
        self.appraisal.largest = self.pooled.largest();
    }

    /// Makes room for `newcomer` and stores it, or hands the entry back with the reason.
    fn place<'a>(
        &mut self,
        newcomer: Newcomer,
        entry: NewEntry<'a, K, V>,
        now_ms: u64,
        removed: &mut impl Extend<(K, V)>,
    ) -> Result<Outcome, (Outcome, NewEntry<'a, K, V>)> {
        let worth = Worth { given: entry.given, ..self.appraisal.worth(&newcomer.record, newcomer.count) };
        if self.contested && self.decay.watches(worth.hash) {
            self.watch(&worth);
        }
        let quota = whole(self.config.tenant_share * self.config.budget as f64);
        if worth.bytes > quota {
            return Err((Outcome::TooLarge, entry));
        }
        if self.shortage(worth.bytes, entry.scope, quota) != (0, 0) {
            self.expire(now_ms, removed);
        }
        if !self.choose_victims(&worth, entry.scope, quota) {
            return Err((Outcome::Bypassed, entry));
        }
        let mut leaving = std::mem::take(&mut self.leaving);
        let evicted = leaving.len();
        for slot in leaving.drain(..) {
            self.order.on_evict(slot);
            removed.extend(self.evict(slot));
        }
        self.leaving = leaving;
        self.store(newcomer, entry, &worth);
        self.totals.stored += 1;
        self.totals.evicted += evicted as u64;
        if evicted > 0 {
            self.prefetch_victims();
        }
        Ok(Outcome::Stored { evicted: u32::try_from(evicted).unwrap_or(u32::MAX) })
    }

    /// What is missing for `bytes` more of `scope`: within the budget, and within the tenant's share.
    fn shortage(&self, bytes: u64, scope: &str, quota: u64) -> (u64, u64) {
        let over_budget = (self.used + bytes).saturating_sub(self.config.budget);
        if quota >= self.config.budget {
            return (over_budget, 0);
        }
        let owned = self.tenants.find(scope).map_or(0, |tenant| self.tenants.bytes(tenant));
        (over_budget, (owned + bytes).saturating_sub(quota))
    }

    /// Collects in `leaving` the slots that leave for `newcomer`, out of the order already; false: it is not
    /// worth them, and nothing has changed.
    pub(super) fn choose_victims(&mut self, newcomer: &Worth, scope: &str, quota: u64) -> bool {
        let (mut over_budget, mut over_quota) = self.shortage(newcomer.bytes, scope, quota);
        if (over_budget, over_quota) == (0, 0) {
            return true;
        }
        self.contested = true;
        let tenant = self.tenants.find(scope);
        let mut staying = VecDeque::new();
        while over_budget > 0 || over_quota > 0 {
            // A tenant over its share makes room among its own first; others' entries wait their turn.
            let waiting = if over_quota == 0 { staying.pop_front() } else { None };
            let Some(slot) = waiting.or_else(|| self.next_victim(newcomer)) else {
                staying.extend(self.leaving.drain(..));
                self.put_back(staying);
                return false;
            };
            let record = &self.records[slot as usize];
            let own = Some(record.tenant) == tenant;
            if over_quota > 0 && !own {
                staying.push_back(slot);
                continue;
            }
            let bytes = u64::from(record.bytes);
            over_budget = over_budget.saturating_sub(bytes);
            over_quota = over_quota.saturating_sub(if own { bytes } else { 0 });
            self.leaving.push(slot);
        }
        self.put_back(staying);
        true
    }

    /// Returns victims that stay to the order, the last one first.
    fn put_back(&mut self, staying: VecDeque<Slot>) {
        staying.into_iter().rev().for_each(|slot| self.order.on_return(slot));
    }

    fn next_victim(&mut self, newcomer: &Worth) -> Option<Slot> {
        let Self { order, index, records, appraisal, .. } = self;
        order.victim(newcomer, &|slot| appraisal.resident(index, records, slot))
    }

    fn store(&mut self, newcomer: Newcomer, entry: NewEntry<'_, K, V>, worth: &Worth) {
        let tenant = self.tenants.enter(entry.scope);
        let record = Record { tenant, ..newcomer.record };
        let slot = self.free.pop().unwrap_or_else(|| {
            room::for_one(&mut self.records);
            self.records.push(Record::default());
            Slot::try_from(self.records.len() - 1).expect("a shard holds fewer than 2^32 entries")
        });
        self.records[slot as usize] = record;
        self.used += worth.bytes;
        self.tenants.add(tenant, worth.bytes);
        if record.expires_ms() != NEVER {
            self.timed = true;
            self.expiry.set(slot, record.expires_ms() as f64);
        }
        self.index.insert(entry.hash, (entry.key, entry.value), slot, newcomer.count);
        self.order.on_insert(slot, worth);
    }

    /// Takes the entry of a slot that is out of the order already, and remembers its count.
    pub(super) fn evict(&mut self, slot: Slot) -> Option<(K, V)> {
        let record = self.records[slot as usize];
        let left = self.release(slot)?;
        self.keep_in_mind(&Newcomer { record, count: left.count });
        Some((left.key, left.value))
    }

    /// Remembers what is known of a key that is not resident.
    fn keep_in_mind(&mut self, Newcomer { record, count }: &Newcomer) {
        if self.remembers {
            let mean_cost = (record.observed > 0).then_some(record.mean_cost);
            let known = Remembered { count: f64::from(*count), mean_cost };
            self.frequency.give(record.hash, known, self.decay.weight());
        }
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
    fn expire(&mut self, now_ms: u64, removed: &mut impl Extend<(K, V)>) {
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
        self.keep_in_mind(newcomer);
    }
}
