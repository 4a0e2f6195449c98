//! The naive model: maps, sums, and a sort for each decision.

use std::collections::BTreeMap;

use lecmux_core::evict::{Policy, Slot};
use lecmux_core::shard::{Cost, Learnt, NEVER, Outcome, Totals};

/// Scope, fingerprint, text; one letter each.
pub(crate) type Name = (&'static str, &'static str, &'static str);

/// An entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) value: u32,
    pub(crate) bytes: u64,
    pub(crate) expires_ms: u64,
    pub(crate) mean_cost: f64,
    pub(crate) observed: u32,
    pub(crate) hit_cost: f64,
    given: Option<f64>,
    hits: u64,
    /// Time of the last touch (LRU) or priority (GDSF).
    mark: f64,
}

/// What is put.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    pub(crate) name: Name,
    pub(crate) value: u32,
    pub(crate) bytes: u64,
    pub(crate) cost: Cost,
    pub(crate) hit_cost: f64,
    pub(crate) given: Option<f64>,
    pub(crate) expires_ms: u64,
}

/// What the model knows of the rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    pub(crate) budget: u64,
    pub(crate) quota: u64,
    pub(crate) remembers: bool,
    /// What is left of a count after one further request; `None`: that is for the shard to choose.
    pub(crate) retained: Option<f64>,
    /// Whether the victims are foretold.
    pub(crate) foretold: bool,
}

pub(crate) struct Model {
    pub(crate) rules: Rules,
    pub(crate) held: BTreeMap<Name, Held>,
    pub(crate) counts: BTreeMap<Name, f64>,
    /// Mean costs of entries that left, in half the precision.
    remembered: BTreeMap<Name, f32>,
    pub(crate) totals: Totals,
    costs: u64,
    mean_cost: f64,
    touches: f64,
    age: f64,
}

impl Model {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            held: BTreeMap::new(),
            counts: BTreeMap::new(),
            remembered: BTreeMap::new(),
            totals: Totals::default(),
            costs: 0,
            mean_cost: 0.0,
            touches: 0.0,
            age: 0.0,
        }
    }

    pub(crate) fn count(&self, name: Name) -> f64 {
        self.counts.get(&name).copied().unwrap_or(0.0)
    }

    pub(crate) fn used(&self) -> u64 {
        self.held.values().map(|held| held.bytes).sum()
    }

    /// The totals with what residents saved so far.
    pub(crate) fn totals(&self) -> Totals {
        let open: u64 = self.held.values().map(saved_nano).sum();
        Totals { saved_nano: self.totals.saved_nano + open, ..self.totals }
    }

    pub(crate) fn live(&self, name: Name, now_ms: u64) -> Option<&Held> {
        self.held.get(&name).filter(|held| held.expires_ms > now_ms)
    }

    pub(crate) fn request(&mut self, name: Name, now_ms: u64) -> Option<u32> {
        self.tick();
        if self.rules.remembers || self.held.contains_key(&name) {
            *self.counts.entry(name).or_default() += 1.0;
        }
        let Some(value) = self.live(name, now_ms).map(|held| held.value) else {
            self.totals.misses += 1;
            return None;
        };
        self.totals.hits += 1;
        self.held.entry(name).and_modify(|held| held.hits += 1);
        self.touch(name);
        Some(value)
    }

    /// Puts; `did` is what the cache made of it, `slots` where the residents lay before.
    pub(crate) fn put(
        &mut self,
        offer: Offer,
        now_ms: u64,
        slots: &BTreeMap<Name, Slot>,
        did: (Outcome, &[(Name, u32)]),
    ) {
        let (outcome, mut removed) = did;
        let mut gone = |expected: (Name, u32)| {
            let (&first, rest) = removed.split_first().expect("something else left");
            assert_eq!(first, expected);
            removed = rest;
        };
        let newcomer = self.carry_over(&offer, &mut gone);
        if offer.bytes > self.rules.budget.min(self.rules.quota) {
            assert_eq!(outcome, Outcome::TooLarge);
            gone((offer.name, offer.value));
            self.totals.too_large += 1;
            return self.remember(offer.name, &newcomer);
        }
        if self.shortage(&offer) != (0, 0) {
            for name in self.expired(now_ms, slots) {
                gone((name, self.leave(name).value));
                self.totals.expired += 1;
            }
        }
        let foretold = self.rules.foretold.then(|| self.victims(&offer, &newcomer, slots));
        let Outcome::Stored { evicted } = outcome else {
            assert_eq!((outcome, foretold.flatten()), (Outcome::Bypassed, None));
            gone((offer.name, offer.value));
            self.totals.bypassed += 1;
            return self.remember(offer.name, &newcomer);
        };
        assert_eq!(removed.len(), evicted as usize);
        let victims: Vec<Name> = removed.iter().map(|&(name, _)| name).collect();
        if let Some(foretold) = foretold {
            assert_eq!(Some(&victims), foretold.as_ref(), "for {offer:?}");
        }
        self.evict(&offer, removed);
        self.held.insert(offer.name, newcomer);
        self.touch(offer.name);
        self.totals.stored += 1;
        self.totals.evicted += u64::from(evicted);
    }

    pub(crate) fn revalue(&mut self, name: Name, miss_cost: f64, hit_cost: f64, given: Option<f64>) -> bool {
        let Some(held) = self.held.get_mut(&name) else { return false };
        self.totals.saved_nano += saved_nano(held);
        *held = Held { mean_cost: miss_cost, observed: 0, hit_cost, given, hits: 0, ..*held };
        if matches!(self.rules.policy, Policy::Gdsf { .. }) {
            self.touch(name);
        }
        true
    }

    pub(crate) fn delete(&mut self, name: Name) -> Option<u32> {
        self.held.contains_key(&name).then(|| self.leave(name).value)
    }

    /// Empties a scope, or everything with the counts; returns what left.
    pub(crate) fn clear(&mut self, scope: Option<&str>) -> BTreeMap<Name, u32> {
        let names: Vec<Name> = self.held.keys().copied().collect();
        let names = names.into_iter().filter(|name| scope.is_none_or(|scope| name.0 == scope));
        let left = names.map(|name| (name, self.leave(name).value)).collect();
        if scope.is_none() {
            self.counts.clear();
            self.remembered.clear();
        }
        left
    }

    /// Forgets what a snapshot does not keep; `order` is that in which the entries came back.
    pub(crate) fn reload(&mut self, order: &[Name], now_ms: u64) {
        self.held.retain(|_, held| held.expires_ms > now_ms);
        let Self { held, counts, rules, .. } = self;
        if !rules.remembers {
            counts.retain(|name, _| held.contains_key(name));
        }
        // Neither costs of entries that left nor the order of touches nor the age are kept.
        self.remembered.clear();
        rules.foretold &=
            matches!(rules.policy, Policy::Lec { .. } | Policy::Lfu { .. } | Policy::Given { .. });
        let stored = order.len() as u64;
        (self.totals, self.costs, self.mean_cost) = (Totals { stored, ..Totals::default() }, 0, 0.0);
        for name in order {
            let held = self.held.get_mut(name).expect("what came back was there");
            held.hits = 0;
            held.given = None;
            if held.observed > 0 {
                self.costs += u64::from(held.observed);
                let share = f64::from(held.observed) / self.costs as f64;
                self.mean_cost += (held.mean_cost - self.mean_cost) * share;
            }
        }
    }

    fn tick(&mut self) {
        let retained = self.rules.retained.unwrap_or(1.0);
        self.counts.values_mut().for_each(|count| *count *= retained);
    }

    /// The entry to be, with count and costs of the one it replaces.
    fn carry_over(&mut self, offer: &Offer, gone: &mut impl FnMut((Name, u32))) -> Held {
        let mut held = Held {
            value: offer.value,
            bytes: offer.bytes,
            expires_ms: offer.expires_ms,
            mean_cost: 0.0,
            observed: 0,
            hit_cost: offer.hit_cost,
            given: offer.given,
            hits: 0,
            mark: 0.0,
        };
        if self.held.contains_key(&offer.name) {
            let count = self.count(offer.name);
            let old = self.leave(offer.name);
            self.remembered.remove(&offer.name);
            self.counts.insert(offer.name, count);
            gone((offer.name, old.value));
            (held.mean_cost, held.observed) = (old.mean_cost, old.observed);
        } else if self.count(offer.name) <= 0.0 {
            self.tick();
            self.counts.insert(offer.name, 1.0);
        }
        if let Some(mean_cost) = self.remembered.remove(&offer.name) {
            (held.mean_cost, held.observed) = (f64::from(mean_cost), 1);
        }
        self.learn(&mut held, offer.cost);
        held
    }

    fn learn(&mut self, held: &mut Held, cost: Cost) {
        match cost {
            Cost::Observed(cost) => {
                held.observed += 1;
                held.mean_cost += (cost - held.mean_cost) / f64::from(held.observed);
                if held.observed == 1 {
                    held.mean_cost = cost;
                }
                self.costs += 1;
                self.mean_cost += (cost - self.mean_cost) / self.costs as f64;
            }
            Cost::Unknown if held.observed == 0 => {
                held.mean_cost = if self.costs > 0 { self.mean_cost } else { 1.0 };
            }
            Cost::Unknown => {}
            Cost::Bound(bound) => (held.mean_cost, held.observed) = (bound, 0),
            Cost::Learnt(Learnt { .. }) => unreachable!("only a snapshot puts this"),
        }
    }

    fn shortage(&self, offer: &Offer) -> (u64, u64) {
        let own = self.held.iter().filter(|(name, _)| name.0 == offer.name.0);
        let owned: u64 = own.map(|(_, held)| held.bytes).sum();
        let over = |used: u64, most: u64| (used + offer.bytes).saturating_sub(most);
        (over(self.used(), self.rules.budget), over(owned, self.rules.quota.min(self.rules.budget)))
    }

    fn expired(&self, now_ms: u64, slots: &BTreeMap<Name, Slot>) -> Vec<Name> {
        let expired = self.held.iter().filter(|(_, held)| held.expires_ms <= now_ms);
        let mut expired: Vec<_> =
            expired.map(|(&name, held)| (held.expires_ms, slots[&name], name)).collect();
        expired.sort_unstable();
        expired.into_iter().map(|(.., name)| name).collect()
    }

    /// Who must leave, least valuable first: the tenant's own until its share suffices, then anybody.
    fn victims(&self, offer: &Offer, newcomer: &Held, slots: &BTreeMap<Name, Slot>) -> Option<Vec<Name>> {
        let (mut over_budget, mut over_quota) = self.shortage(offer);
        if self.rules.quota >= self.rules.budget {
            over_quota = 0;
        }
        let mut order: Vec<(f64, Slot, Name)> =
            self.held.iter().map(|(&name, held)| (self.rank(name, held), slots[&name], name)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let rank = self.rank_of_newcomer(offer.name, newcomer);
        order.retain(|(resident, ..)| rank.is_none_or(|rank| rank > *resident));
        let mut victims = Vec::new();
        while over_budget > 0 || over_quota > 0 {
            let fits = |name: &Name| over_quota == 0 || name.0 == offer.name.0;
            let at = order.iter().position(|(.., name)| fits(name))?;
            let (.., name) = order.remove(at);
            let bytes = self.held[&name].bytes;
            over_budget = over_budget.saturating_sub(bytes);
            over_quota = over_quota.saturating_sub(if name.0 == offer.name.0 { bytes } else { 0 });
            victims.push(name);
        }
        Some(victims)
    }

    fn worth(&self, name: Name, held: &Held) -> f64 {
        self.count(name) * (held.mean_cost - held.hit_cost).max(0.0) / held.bytes as f64
    }

    fn rank(&self, name: Name, held: &Held) -> f64 {
        match self.rules.policy {
            Policy::Lec { .. } => self.worth(name, held),
            Policy::Lfu { .. } => self.count(name),
            Policy::Given { .. } => coarse(held.given.unwrap_or_else(|| self.worth(name, held))),
            Policy::Gdsf { .. } | Policy::Lru | Policy::S3Fifo { .. } => held.mark,
        }
    }

    /// What residents must rank below to make way; `None`: they always do.
    fn rank_of_newcomer(&self, name: Name, held: &Held) -> Option<f64> {
        match self.rules.policy {
            Policy::Lec { bypass: true } | Policy::Lfu { bypass: true } | Policy::Given { bypass: true } => {
                Some(self.rank(name, held))
            }
            Policy::Gdsf { bypass: true, .. } => Some(self.age + self.worth(name, held)),
            _ => None,
        }
    }

    fn touch(&mut self, name: Name) {
        self.touches += 1.0;
        let priority = self.age + self.worth(name, &self.held[&name]);
        let mark = if self.rules.policy == Policy::Lru { self.touches } else { priority };
        self.held.entry(name).and_modify(|held| held.mark = mark);
    }

    /// Lets the victims go, none of them in vain.
    fn evict(&mut self, offer: &Offer, victims: &[(Name, u32)]) {
        for &(name, value) in victims {
            assert_ne!(self.shortage(offer), (0, 0), "{name:?} left for nothing");
            let held = self.leave(name);
            assert_eq!(held.value, value);
            self.age = self.age.max(held.mark);
        }
        assert_eq!(self.shortage(offer), (0, 0));
    }

    fn leave(&mut self, name: Name) -> Held {
        let held = self.held.remove(&name).expect("nobody leaves who was not there");
        self.totals.saved_nano += saved_nano(&held);
        self.remember(name, &held);
        held
    }

    /// Keeps what is known of an entry that is not held.
    fn remember(&mut self, name: Name, held: &Held) {
        if !self.rules.remembers {
            self.counts.remove(&name);
        } else if held.observed > 0 {
            self.remembered.insert(name, held.mean_cost as f32);
        } else {
            self.remembered.remove(&name);
        }
    }
}

/// The first 50 bits, by which given scores are told apart.
fn coarse(score: f64) -> f64 {
    let bits = score.to_bits();
    f64::from_bits(if score < 0.0 { bits | 3 } else { bits & !3 })
}

fn saved_nano(held: &Held) -> u64 {
    let saving = (held.mean_cost - held.hit_cost).max(0.0);
    (saving * 1e9).round() as u64 * held.hits
}

/// Whether an entry that expires then can expire at all.
pub(crate) fn expiry(now_ms: u64, ttl_ms: Option<u64>) -> u64 {
    ttl_ms.map_or(NEVER, |ttl| now_ms + ttl)
}
