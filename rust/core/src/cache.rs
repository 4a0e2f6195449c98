//! Shards and single flight: what the bindings wrap.
//!
//! A panic while a shard is locked poisons its lock. From then on that shard is bypassed: its keys miss, puts
//! to it are declined, and each such request is counted as an incident. The other shards go on.

use crate::config::CacheConfig;
use crate::error::Error;
use crate::estimate::finite_cost;
use crate::estimate::frequency::is_count;
use crate::key::{Key, KeyHasher, KeyRef};
use crate::shard::{Cost, EntryView, Found, Learnt, NEVER, NewEntry, Outcome, Shard, Totals};
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering};

/// An exact cache over values of any type.
pub struct Cache<V> {
    shards: Box<[Mutex<Shard<Key, V>>]>,
    hasher: KeyHasher,
    incidents: AtomicU64,
    config: CacheConfig,
}

/// What is stored beside the value.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Size of the value in bytes.
    pub value_bytes: u64,
    /// What a miss costs.
    pub cost: Cost,
    /// What a hit costs.
    pub hit_cost: f64,
    /// A score from outside, for [`Policy::Given`](crate::evict::Policy::Given).
    pub given: Option<f64>,
    /// Expiry in ms, [`NEVER`] for none.
    pub expires_ms: u64,
}

/// Totals and sizes of a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Entries held, expired ones that nobody asked for included.
    pub entries: u64,
    /// Charged bytes: keys, values and their share of the structures.
    pub used_bytes: u64,
    /// Bytes of the counts of keys that are not resident.
    pub history_bytes: u64,
    /// Bytes the structures take, keys and values aside.
    pub structure_bytes: u64,
    /// Requests answered by bypassing a shard that had failed.
    pub incidents: u64,
    /// Shards out of service.
    pub failed_shards: u64,
    /// Half-life of counts in the first shard, in requests; infinite where nothing decays.
    pub half_life_requests: f64,
    /// Sums over the shards.
    pub totals: Totals,
}

/// A copy of an entry, taken under the lock and encoded outside it.
#[derive(Clone, Debug)]
pub struct Exported<V> {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: V,
    /// What the shard knew of it.
    pub view: EntryView,
    /// What the shard had learnt of it.
    pub learnt: Learnt,
}

impl<V> Cache<V> {
    /// An empty cache.
    ///
    /// # Errors
    /// [`Error::Config`] when a setting is out of range.
    pub fn new(config: CacheConfig) -> Result<Self, Error> {
        let config = config.validate()?;
        let shard = config.shard();
        let shards = (0..config.shard_count()).map(|_| Mutex::new(Shard::new(shard))).collect();
        Ok(Self { shards, hasher: KeyHasher::new(config.seed), incidents: AtomicU64::new(0), config })
    }

    /// The settings it was made with.
    #[must_use]
    pub fn config(&self) -> &CacheConfig {
        &self.config
    }

    /// The keyed hash that names `key` here.
    #[inline]
    #[must_use]
    pub fn hash(&self, key: KeyRef<'_>) -> u64 {
        self.hasher.hash(key)
    }

    /// Counts a request for `key` and, on a hit, lets `read` take what it needs under the lock.
    #[inline]
    pub fn request<T>(
        &self,
        hash: u64,
        key: KeyRef<'_>,
        now_ms: u64,
        read: impl FnOnce(Found<'_, Key, V>) -> T,
    ) -> Option<T> {
        self.locked(hash)?.request(hash, |held| held.is(key), now_ms).map(read)
    }

    /// As `request` for the entry of `key`, which answers a request that found nothing under `asked`: the request
    /// counts for the entry that served it.
    pub fn request_instead<T>(
        &self,
        asked: KeyRef<'_>,
        hash: u64,
        key: KeyRef<'_>,
        now_ms: u64,
        read: impl FnOnce(Found<'_, Key, V>) -> T,
    ) -> Option<T> {
        let served = self.request(hash, key, now_ms, read)?;
        if let Some(mut shard) = self.locked(self.hash(asked)) {
            shard.answered_elsewhere();
        }
        Some(served)
    }

    /// As `request`, without counting.
    pub fn peek<T>(
        &self,
        hash: u64,
        key: KeyRef<'_>,
        now_ms: u64,
        read: impl FnOnce(Found<'_, Key, V>) -> T,
    ) -> Option<T> {
        self.locked(hash)?.peek(hash, |held| held.is(key), now_ms).map(read)
    }

    /// Requests counted for `key`, in units of one request now.
    pub fn count(&self, key: KeyRef<'_>) -> f64 {
        let hash = self.hash(key);
        self.locked(hash).map_or(0.0, |shard| shard.count(hash, |held| held.is(key)))
    }

    /// Stores `value` where that pays. What leaves is handed to `removed`, for the caller to drop when this has
    /// returned.
    ///
    /// # Errors
    /// [`Error::Cost`] when a cost is negative or not finite, or a score not finite; nothing has changed then.
    pub fn put(
        &self,
        key: KeyRef<'_>,
        value: V,
        terms: Terms,
        now_ms: u64,
        removed: &mut impl Extend<(Key, V)>,
    ) -> Result<Outcome, Error> {
        self.put_hashed(self.hash(key), key, value, terms, now_ms, removed)
    }

    /// Has the memory fetched that a put under `hash` will need, for a caller who has something else to do before.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if let Ok(shard) = self.shard(hash).lock() {
            shard.prefetch(hash);
        }
    }

    /// As `put`, by the hash of `key`.
    ///
    /// # Errors
    /// As `put`.
    pub fn put_hashed(
        &self,
        hash: u64,
        key: KeyRef<'_>,
        value: V,
        terms: Terms,
        now_ms: u64,
        removed: &mut impl Extend<(Key, V)>,
    ) -> Result<Outcome, Error> {
        validate(&terms)?;
        let Some(mut shard) = self.locked(hash) else { return Ok(Outcome::Bypassed) };
        // The memory comes while the key is copied.
        shard.prefetch(hash);
        let Some(owned) = Key::new(key) else { return Ok(Outcome::Bypassed) };
        let entry = NewEntry {
            hash,
            bytes: terms.value_bytes.saturating_add(owned.charged_bytes()),
            key: owned,
            value,
            cost: terms.cost,
            hit_cost: terms.hit_cost,
            given: terms.given,
            expires_ms: terms.expires_ms,
            scope: key.scope,
        };
        Ok(shard.put(entry, |held| held.is(key), now_ms, removed))
    }

    /// The keys that would leave for a new entry of `key` with a value of `value_bytes` whose miss costs
    /// `miss_cost` (None: the running mean) and whose score may be `given`; `None`: it would be declined. O(n),
    /// changes nothing.
    pub fn would_evict(
        &self,
        key: KeyRef<'_>,
        value_bytes: u64,
        miss_cost: Option<f64>,
        given: Option<f64>,
    ) -> Option<Vec<Key>> {
        let hash = self.hash(key);
        let bytes = value_bytes.saturating_add(Key::new(key)?.charged_bytes());
        self.locked(hash)?.would_evict(hash, |held| held.is(key), bytes, miss_cost, given, key.scope)
    }

    /// Gives a resident a new worth, and the score that goes with it. Returns whether it was there.
    ///
    /// # Errors
    /// [`Error::Cost`] when a cost is negative or not finite, or the score not finite.
    pub fn revalue(
        &self,
        key: KeyRef<'_>,
        miss_cost: f64,
        hit_cost: f64,
        given: Option<f64>,
    ) -> Result<bool, Error> {
        validate(&Terms {
            value_bytes: 0,
            cost: Cost::Bound(miss_cost),
            hit_cost,
            given,
            expires_ms: NEVER,
        })?;
        let hash = self.hash(key);
        let shard = self.locked(hash);
        Ok(shard
            .is_some_and(|mut shard| shard.revalue(hash, |held| held.is(key), miss_cost, hit_cost, given)))
    }

    /// Says which share of the requests for the entry that a hash names another would answer if it left: eviction counts
    /// the rest.
    pub fn cover(&self, hash: u64, share: f64) {
        if let Some(mut shard) = self.locked(hash) {
            shard.cover(hash, share);
        }
    }

    /// What a byte of the entry that a hash names saves, whatever others would answer; `None` where it is not there, and
    /// while there is room for all.
    pub fn density(&self, hash: u64) -> Option<f64> {
        self.locked(hash)?.density(hash)
    }

    /// Removes the entry of `key`.
    pub fn delete(&self, key: KeyRef<'_>) -> Option<(Key, V)> {
        let hash = self.hash(key);
        self.locked(hash)?.delete(hash, |held| held.is(key))
    }

    /// Removes the entry of `key` where its value is still `the_one`.
    pub fn delete_if(&self, key: KeyRef<'_>, the_one: impl Fn(&V) -> bool) -> Option<(Key, V)> {
        let hash = self.hash(key);
        let mut shard = self.locked(hash)?;
        let still = shard.peek(hash, |held| held.is(key), 0).is_some_and(|found| the_one(found.value()));
        if still { shard.delete(hash, |held| held.is(key)) } else { None }
    }

    /// Removes the entry that a hash names.
    pub fn delete_hash(&self, hash: u64) -> Option<(Key, V)> {
        self.locked(hash)?.delete_hash(hash)
    }

    /// Removes all entries, or those of one scope; without a scope the history goes as well.
    pub fn clear(&self, scope: Option<&str>) -> Vec<(Key, V)> {
        let mut removed = Vec::new();
        for mut shard in self.healthy() {
            if let Some(scope) = scope {
                shard.delete_all(|key| key.in_scope(scope), &mut removed);
            } else {
                shard.delete_all(|_| true, &mut removed);
                shard.forget_history();
            }
        }
        removed
    }

    /// The keys of one scope and fingerprint that have not expired, in no order. O(n).
    pub fn keys(&self, scope: &str, fingerprint: &str, now_ms: u64) -> Vec<Key> {
        let asked = |key: &Key| key.in_scope(scope) && key.parts().1 == fingerprint.as_bytes();
        let mut found = Vec::new();
        for shard in self.healthy() {
            let live = shard.residents().filter(|(key, _, view)| view.expires_ms > now_ms && asked(key));
            found.extend(live.map(|(key, ..)| key.clone()));
        }
        found
    }

    /// Copies every entry that has not expired, one shard at a time; `clone` runs under the lock and must
    /// only copy a reference.
    pub fn export(&self, now_ms: u64, clone: impl Fn(&V) -> V) -> Vec<Exported<V>> {
        let mut entries = Vec::new();
        for shard in self.healthy() {
            let live = shard.residents().filter(|(_, _, view)| view.expires_ms > now_ms);
            entries.extend(live.map(|(key, value, view)| Exported {
                key: key.clone(),
                value: clone(value),
                learnt: shard.learnt(&view),
                view,
            }));
        }
        entries
    }

    /// The exact counts of keys that are not resident: hash, requests.
    pub fn history(&self) -> Vec<(u64, f64)> {
        self.healthy().flat_map(|shard| shard.history().collect::<Vec<_>>()).collect()
    }

    /// Takes over counts of keys that are not resident; what is no count is left out.
    pub fn restore_history(&self, history: &[(u64, f64)]) {
        for &(hash, count) in history.iter().filter(|(_, count)| is_count(*count)) {
            if let Some(mut shard) = self.locked(hash) {
                shard.remember(hash, count);
            }
        }
    }

    /// Totals and sizes now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let mut sum = Statistics {
            incidents: self.incidents.load(Ordering::Relaxed),
            failed_shards: self.shards.len() as u64,
            half_life_requests: f64::NAN,
            ..Statistics::default()
        };
        for shard in self.healthy() {
            sum.failed_shards -= 1;
            sum.entries += shard.len() as u64;
            sum.used_bytes += shard.used();
            sum.history_bytes += shard.history_bytes() as u64;
            sum.structure_bytes += shard.structure_bytes() as u64;
            if sum.half_life_requests.is_nan() {
                sum.half_life_requests = shard.half_life();
            }
            sum.totals.add(&shard.totals());
        }
        sum
    }

    /// Entries held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.healthy().map(|shard| shard.len()).sum()
    }

    /// Whether no entry is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Panics unless every invariant of every shard in service holds.
    pub fn check(&self) {
        self.healthy().for_each(|shard| shard.check());
    }

    /// Panics inside the lock of the shard of `key`, to prove what happens then.
    #[doc(hidden)]
    #[allow(clippy::panic, reason = "that is its purpose")]
    pub fn panic_in_shard(&self, key: KeyRef<'_>) {
        let _guard = self.locked(self.hash(key));
        panic!("asked to panic while holding a shard");
    }

    #[inline]
    fn locked(&self, hash: u64) -> Option<MutexGuard<'_, Shard<Key, V>>> {
        if let Ok(shard) = self.shard(hash).lock() {
            return Some(shard);
        }
        self.incidents.fetch_add(1, Ordering::Relaxed);
        None
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Mutex<Shard<Key, V>> {
        // The table of a shard goes by the upper half, the counts by the lowest bits; these are free.
        &self.shards[(hash >> 20) as usize & (self.shards.len() - 1)]
    }

    fn healthy(&self) -> impl Iterator<Item = MutexGuard<'_, Shard<Key, V>>> {
        self.shards.iter().filter_map(|shard| shard.lock().ok())
    }
}

fn validate(terms: &Terms) -> Result<(), Error> {
    let miss = match terms.cost {
        Cost::Observed(cost) | Cost::Bound(cost) => cost,
        Cost::Learnt(Learnt { count, .. }) if !is_count(count) => {
            return Err(Error::Cost { what: format!("{count} is no number of requests") });
        }
        Cost::Learnt(learnt) => learnt.mean_cost,
        Cost::Unknown => 0.0,
    };
    if let Some(score) = terms.given.filter(|score| !score.is_finite()) {
        return Err(Error::Cost { what: format!("a score must be finite, got {score}") });
    }
    for (name, cost) in [("cost", miss), ("hit cost", terms.hit_cost)] {
        if finite_cost(cost).is_err() {
            return Err(Error::Cost { what: format!("a {name} must be finite and at least 0, got {cost}") });
        }
    }
    Ok(())
}

impl Totals {
    fn add(&mut self, other: &Self) {
        let Self { hits, misses, stored, bypassed, too_large, evicted, expired, saved_nano } = other;
        self.hits += hits;
        self.misses += misses;
        self.stored += stored;
        self.bypassed += bypassed;
        self.too_large += too_large;
        self.evicted += evicted;
        self.expired += expired;
        self.saved_nano += saved_nano;
    }
}
