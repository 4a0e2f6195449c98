//! What each tenant's labels have taught: one judge a scope, made when there is something to judge.
//!
//! A judge is some 12 KiB, so the number of judges is bounded. Beyond it the one longest idle is forgotten, and its
//! tenant starts from the shipped prior again.

use hashbrown::HashMap;

use super::judge::Judge;
use super::saved::Saved;
use crate::error::Error;
use crate::sync::{AtomicU64, Mutex, Ordering, RwLock};

/// The judges of the tenants.
pub(super) struct Evidence {
    most: usize,
    max_error: f64,
    seed: u64,
    tenants: Mutex<Tenants>,
    /// Requests of each tenant with a judge that were answered by other means, and which the judge has not counted yet.
    answered: RwLock<HashMap<Box<str>, AtomicU64>>,
}

#[derive(Default)]
struct Tenants {
    judges: HashMap<Box<str>, Tenant>,
    clock: u64,
}

struct Tenant {
    judge: Box<Judge>,
    last: u64,
}

/// Bytes of a judge.
pub(super) const JUDGE_BYTES: usize =
    size_of::<Judge>() + super::features::FEATURES * super::features::FEATURES * size_of::<f64>() + 128;

impl Evidence {
    /// Judges that take at most `bytes`, but always one.
    pub(super) fn new(max_error: f64, seed: u64, bytes: usize) -> Result<Self, Error> {
        Judge::new(max_error, seed)?;
        let most = (bytes / JUDGE_BYTES).max(1);
        Ok(Self { most, max_error, seed, tenants: Mutex::default(), answered: RwLock::default() })
    }

    /// Runs `work` on the judge of `scope`, who has seen `asked` requests where it is new.
    pub(super) fn with<T>(&self, scope: &str, asked: u64, work: impl FnOnce(&mut Judge) -> T) -> Option<T> {
        let mut tenants = self.tenants.lock().ok()?;
        tenants.clock += 1;
        let clock = tenants.clock;
        if !tenants.judges.contains_key(scope) {
            let mut judge = Box::new(Judge::new(self.max_error, self.seed).ok()?);
            (0..asked).for_each(|_| judge.request());
            self.admit(&mut tenants, scope, judge, clock);
        }
        let tenant = tenants.judges.get_mut(scope)?;
        tenant.last = clock;
        self.count_answered(scope, &mut tenant.judge);
        Some(work(&mut tenant.judge))
    }

    fn admit(&self, tenants: &mut Tenants, scope: &str, judge: Box<Judge>, last: u64) {
        if tenants.judges.len() >= self.most {
            let idle =
                tenants.judges.iter().min_by_key(|(_, tenant)| tenant.last).map(|(name, _)| name.clone());
            if let Some(name) = idle {
                tenants.judges.remove(&name);
                self.forget_answered(&name);
            }
        }
        tenants.judges.insert(scope.into(), Tenant { judge, last });
        if let Ok(mut answered) = self.answered.write() {
            answered.insert(scope.into(), AtomicU64::new(0));
        }
    }

    /// Counts a request of a tenant that has a judge, answered by other means: the next who comes to the judge tells it.
    pub(super) fn answered(&self, scope: &str) {
        if let Ok(answered) = self.answered.read()
            && let Some(count) = answered.get(scope)
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count_answered(&self, scope: &str, judge: &mut Judge) {
        let answered = self.answered.read().ok();
        let count = answered.and_then(|answered| Some(answered.get(scope)?.swap(0, Ordering::Relaxed)));
        if let Some(count @ 1..) = count {
            judge.answered(count);
        }
    }

    fn forget_answered(&self, scope: &str) {
        if let Ok(mut answered) = self.answered.write() {
            answered.remove(scope);
        }
    }

    /// Counts a request of a tenant that has a judge.
    pub(super) fn request(&self, scope: &str) {
        if let Ok(mut tenants) = self.tenants.lock()
            && let Some(tenant) = tenants.judges.get_mut(scope)
        {
            self.count_answered(scope, &mut tenant.judge);
            tenant.judge.request();
        }
    }

    /// A copy of the judge of `scope`, or a new one.
    pub(super) fn copy(&self, scope: &str) -> Option<Judge> {
        let tenants = self.tenants.lock().ok()?;
        tenants.judges.get(scope).map_or_else(
            || Judge::new(self.max_error, self.seed).ok(),
            |tenant| Some((*tenant.judge).clone()),
        )
    }

    /// Forgets what is known of one scope, or of all.
    pub(super) fn clear(&self, scope: Option<&str>) {
        if let Ok(mut tenants) = self.tenants.lock() {
            if let Some(scope) = scope {
                tenants.judges.remove(scope);
                self.forget_answered(scope);
            } else {
                tenants.judges.clear();
                if let Ok(mut answered) = self.answered.write() {
                    answered.clear();
                }
            }
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let counts = self.answered.read().map_or(0, |answered| answered.allocation_size());
        self.tenants.lock().map_or(0, |tenants| {
            tenants.judges.len() * JUDGE_BYTES
                + tenants.judges.allocation_size()
                + counts
                + 2 * tenants.judges.keys().map(|name| name.len()).sum::<usize>()
        })
    }

    pub(super) fn check(&self) {
        if let Ok(tenants) = self.tenants.lock() {
            assert!(tenants.judges.len() <= self.most, "more judges than there is room for");
            let answered = self.answered.read().expect("counts are sound");
            assert_eq!(answered.len(), tenants.judges.len(), "a count a judge");
            drop(answered);
            tenants.judges.values().for_each(|tenant| tenant.judge.check());
        }
    }
}

impl Evidence {
    /// What the judges have learnt, by scope, the longest idle first.
    pub(super) fn saved(&self) -> Vec<(Box<str>, Vec<f64>)> {
        let Ok(tenants) = self.tenants.lock() else { return Vec::new() };
        let mut known: Vec<_> = tenants.judges.iter().collect();
        known.sort_by_key(|(_, tenant)| tenant.last);
        let numbers = |tenant: &Tenant| {
            let mut numbers = Vec::new();
            tenant.judge.save(&mut numbers);
            numbers
        };
        known.into_iter().map(|(scope, tenant)| (scope.clone(), numbers(tenant))).collect()
    }

    /// Takes over what `saved` gave of one scope; what is no state of a judge is left aside.
    pub(super) fn load(&self, scope: &str, numbers: &[f64]) {
        let (Ok(mut tenants), Ok(judge)) = (self.tenants.lock(), Judge::new(self.max_error, self.seed))
        else {
            return;
        };
        let (mut judge, mut from) = (Box::new(judge), numbers.iter());
        if judge.load(&mut from).is_some() && from.next().is_none() {
            tenants.clock += 1;
            let clock = tenants.clock;
            self.admit(&mut tenants, scope, judge, clock);
        }
    }
}
