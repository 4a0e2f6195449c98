//! The bookkeeping of an entry, and what it is worth.

use crate::estimate::{ArmView, CostRange, Estimator};
use crate::evict::{Slot, Worth};
use crate::exact::Index;
use crate::number::whole;
use crate::shard::NEVER;
use crate::tenants::Tenant;

/// What an entry has beside its bucket; hits do not come here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    pub(super) hash: u64,
    pub(super) mean_cost: f64,
    /// The expiry in ms, and below it [`SHARE_BITS`] for the share of its requests that another entry would answer.
    pub(super) due: u64,
    /// Observations behind `mean_cost`; 0: it is a bound given from outside.
    pub(super) observed: u32,
    pub(super) bytes: u32,
    pub(super) tenant: Tenant,
    pub(super) hit_cost: f32,
}

/// 2^48 ms are 8,900 years.
const SHARE_BITS: u32 = 16;
const SHARES: u64 = (1 << SHARE_BITS) - 1;

impl Record {
    #[inline]
    pub(super) fn expires_ms(&self) -> u64 {
        let ms = self.due >> SHARE_BITS;
        if ms == NEVER >> SHARE_BITS { NEVER } else { ms }
    }

    pub(super) fn expire_at(&mut self, ms: u64) {
        self.due = ms.min(NEVER >> SHARE_BITS) << SHARE_BITS | self.due & SHARES;
    }

    /// Share of its requests that another entry would answer if it left, below 1.
    #[inline]
    pub(super) fn covered(&self) -> f64 {
        (self.due & SHARES) as f64 / (SHARES + 1) as f64
    }

    pub(super) fn cover(&mut self, share: f64) {
        let parts = whole(share.clamp(0.0, 1.0) * (SHARES + 1) as f64).min(SHARES);
        self.due = self.due & !SHARES | parts;
    }
}

/// What is to be stored: a record and its count so far, in grown units.
#[derive(Clone, Copy)]
pub(super) struct Newcomer {
    pub(super) record: Record,
    pub(super) count: f32,
}

/// Turns a record into a worth; what all entries share is kept here, ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Appraisal {
    pub(super) estimator: Estimator,
    pub(super) range: CostRange,
    pub(super) deviation: f64,
    pub(super) largest: f64,
}

impl Appraisal {
    #[inline]
    pub(super) fn miss_cost(&self, record: &Record) -> f64 {
        if record.observed == 0 {
            return record.mean_cost;
        }
        let arm = ArmView { n: record.observed, mean: record.mean_cost, variance: None };
        self.estimator.worth_at(arm, self.deviation, self.largest, self.range)
    }

    #[inline]
    pub(super) fn worth(&self, record: &Record, count: f32) -> Worth {
        Worth {
            hash: record.hash,
            count: f64::from(count),
            value: (self.miss_cost(record) - f64::from(record.hit_cost)).max(0.0) * (1.0 - record.covered()),
            bytes: u64::from(record.bytes),
            given: None,
        }
    }

    pub(super) fn resident<K, V>(&self, index: &Index<K, V>, records: &[Record], slot: Slot) -> Worth {
        let record = &records[slot as usize];
        let count = index.of_slot(record.hash, slot).map_or(0.0, |bucket| bucket.count);
        self.worth(record, count)
    }
}
