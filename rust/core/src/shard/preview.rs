//! What a put would push out, told without doing it.

use super::Shard;
use super::record::Record;
use crate::evict::{Slot, Worth};
use crate::number::{narrow, whole};

impl<K: Clone, V> Shard<K, V> {
    /// The keys that would leave for a new entry of `bytes` whose miss costs `miss_cost` (None: the running
    /// mean) and whose score may be `given`; `None`: it would be declined. An entry that is replaced makes its
    /// own room, and expired entries count as if they were there. Works on a copy of the order, O(n): nothing
    /// changes.
    pub fn would_evict(
        &mut self,
        hash: u64,
        is: impl Fn(&K) -> bool,
        bytes: u64,
        miss_cost: Option<f64>,
        given: Option<f64>,
        scope: &str,
    ) -> Option<Vec<K>> {
        if self.index.find(hash, is).is_some() {
            return Some(Vec::new());
        }
        let charged = bytes.saturating_add(self.config.overhead).max(1);
        let quota = whole(self.config.tenant_share * self.config.budget as f64).min(self.config.budget);
        let bytes = u32::try_from(charged).ok().filter(|_| charged <= quota)?;
        let mean_cost = miss_cost.or_else(|| self.pooled.mean_cost()).unwrap_or(1.0);
        let known = if self.remembers { self.frequency.get(hash) } else { 0.0 };
        let count = if known > 0.0 { known } else { self.decay.weight() };
        let record = Record { hash, mean_cost, bytes, ..Record::default() };
        let worth = Worth { given, ..self.appraisal.worth(&record, narrow(count)) };
        let (copy, contested) = (self.order.copied(), self.contested);
        let order = std::mem::replace(&mut self.order, copy);
        let stored = self.choose_victims(&worth, scope, quota);
        (self.order, self.contested) = (order, contested);
        let leaving = std::mem::take(&mut self.leaving);
        stored.then(|| leaving.into_iter().filter_map(|slot| self.key_of(slot)).collect())
    }

    fn key_of(&self, slot: Slot) -> Option<K> {
        let hash = self.records[slot as usize].hash;
        self.index.of_slot(hash, slot).map(|bucket| bucket.key.clone())
    }
}
