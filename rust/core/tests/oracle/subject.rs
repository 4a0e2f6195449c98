//! A cache beside its model.

use std::collections::BTreeMap;

use lecmux_core::cache::{Cache, Terms};
use lecmux_core::config::CacheConfig;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::{Policy, Slot};
use lecmux_core::key::{KEY_OVERHEAD_BYTES, Key, KeyRef};
use lecmux_core::shard::{Cost, ENTRY_OVERHEAD_BYTES, EntryView};
use lecmux_core::snapshot::{self, Contents};
use proptest::prelude::*;

use super::model::{Held, Model, Name, Offer, Rules, expiry};

/// Room for about six entries, and for the exact counts of all names.
const CAPACITY: u64 = 64 << 10;
const SCOPES: [&str; 3] = ["", "a", "ab"];
const FINGERPRINTS: [&str; 2] = ["", "b"];
const TEXTS: [&str; 4] = ["x", "bx", "y", ""];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) policy: Policy,
    pub(crate) decay: DecayRule,
    pub(crate) rescore: bool,
    pub(crate) estimator: Estimator,
    pub(crate) tenant_share: f64,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Request(Name),
    Put { name: Name, bytes: u64, cost: Cost, hit_cost: f64, given: Option<f64>, ttl_ms: Option<u64> },
    Delete(Name),
    Clear(Option<&'static str>),
    Revalue(Name, f64, f64, Option<f64>),
    Later(u64),
    Reload,
}

/// Quarters, so that sums and means of a few are exact.
fn cost() -> impl Strategy<Value = f64> {
    (0u32..40).prop_map(|quarters| f64::from(quarters) / 4.0)
}

/// Around 0, and so small that they mix with worths.
fn score() -> impl Strategy<Value = f64> {
    (-20i32..40).prop_map(|parts| f64::from(parts) / 65536.0)
}

fn name() -> impl Strategy<Value = Name> {
    let of = |names: &'static [&'static str]| prop::sample::select(names);
    (of(&SCOPES), of(&FINGERPRINTS), of(&TEXTS))
}

fn put() -> impl Strategy<Value = Op> {
    let cost = prop_oneof![
        4 => cost().prop_map(Cost::Observed),
        1 => Just(Cost::Unknown),
        1 => cost().prop_map(Cost::Bound),
    ];
    let hit_cost = prop_oneof![3 => Just(0.0), 1 => (0u32..8).prop_map(|quarters| f64::from(quarters) / 4.0)];
    let bytes = prop_oneof![2 => Just(8_000), 5 => 4u64..20_000, 1 => 50_000u64..80_000];
    let given = prop::option::weighted(0.7, score());
    let ttl = prop::option::weighted(0.3, 1u64..40);
    let terms = (name(), bytes, cost, hit_cost, given, ttl);
    terms.prop_map(|(name, bytes, cost, hit_cost, given, ttl_ms)| Op::Put {
        name,
        bytes,
        cost,
        hit_cost,
        given,
        ttl_ms,
    })
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        16 => name().prop_map(Op::Request),
        12 => put(),
        2 => name().prop_map(Op::Delete),
        1 => prop::option::weighted(0.8, prop::sample::select(&SCOPES[..])).prop_map(Op::Clear),
        2 => (name(), cost(), cost(), prop::option::of(score()))
            .prop_map(|(name, miss, hit, given)| Op::Revalue(name, miss, hit, given)),
        3 => (1u64..20).prop_map(Op::Later),
        1 => Just(Op::Reload),
    ]
}

pub(crate) struct Subject {
    cache: Cache<u32>,
    model: Model,
    now_ms: u64,
    puts: u32,
    decays: DecayRule,
}

impl Subject {
    pub(crate) fn new(setting: Setting) -> Self {
        let Setting { policy, decay, rescore, estimator, tenant_share } = setting;
        let config = CacheConfig {
            capacity_bytes: CAPACITY,
            policy,
            decay,
            rescore,
            estimator,
            range: CostRange { floor: 0.0, ceiling: None },
            tenant_share,
            shards: None,
            seed: 1,
        };
        let budget = config.shard().budget;
        let remembers = policy.build(false).remembers();
        let of_costs = matches!(policy, Policy::Lec { .. } | Policy::Gdsf { .. } | Policy::Given { .. });
        let rules = Rules {
            policy,
            budget,
            quota: (tenant_share * budget as f64) as u64,
            remembers,
            retained: match decay {
                _ if !remembers => Some(1.0),
                DecayRule::None => Some(1.0),
                DecayRule::HalfLife(requests) => Some((-1.0 / requests).exp2()),
                DecayRule::SelfTuned => None,
            },
            foretold: decay == DecayRule::None
                && !matches!(policy, Policy::S3Fifo { .. })
                && (estimator == Estimator::PlugIn || !of_costs),
        };
        let cache = Cache::new(config).expect("sound settings");
        Self { cache, model: Model::new(rules), now_ms: 0, puts: 0, decays: decay }
    }

    /// Does the same to both, and compares.
    pub(crate) fn run(&mut self, op: &Op) {
        match *op {
            Op::Request(name) => {
                let key = key(name);
                let got = self.cache.request(self.cache.hash(key), key, self.now_ms, |found| *found.value());
                assert_eq!(got, self.model.request(name, self.now_ms));
            }
            Op::Put { name, bytes, cost, hit_cost, given, ttl_ms } => {
                let expires_ms = expiry(self.now_ms, ttl_ms);
                self.put(name, Terms { value_bytes: bytes, cost, hit_cost, given, expires_ms });
            }
            Op::Delete(name) => {
                let left = self.cache.delete(key(name)).map(|(_, value)| value);
                assert_eq!(left, self.model.delete(name));
            }
            Op::Clear(scope) => {
                let left = self.cache.clear(scope);
                let left: BTreeMap<Name, u32> =
                    left.iter().map(|(key, value)| (name_of(key), *value)).collect();
                assert_eq!(left, self.model.clear(scope));
            }
            Op::Revalue(name, miss, hit, given) => {
                let there = self.cache.revalue(key(name), miss, hit, given).expect("sound costs");
                assert_eq!(there, self.model.revalue(name, miss, hit, given));
            }
            Op::Later(ms) => self.now_ms += ms,
            Op::Reload => self.reload(),
        }
        self.compare();
    }

    fn put(&mut self, name: Name, terms: Terms) {
        self.puts += 1;
        let Terms { value_bytes, cost, hit_cost, given, expires_ms } = terms;
        let slots: BTreeMap<Name, Slot> =
            names().filter_map(|name| Some((name, self.view(name, 0)?.1.slot))).collect();
        let mut removed = Vec::new();
        let outcome = self.cache.put(key(name), self.puts, terms, self.now_ms, &mut removed);
        let removed: Vec<(Name, u32)> = removed.iter().map(|(key, value)| (name_of(key), *value)).collect();
        let key_bytes = (name.0.len() + name.1.len() + name.2.len()) as u64 + KEY_OVERHEAD_BYTES;
        let bytes = value_bytes + key_bytes + ENTRY_OVERHEAD_BYTES;
        let offer = Offer { name, value: self.puts, bytes, cost, hit_cost, given, expires_ms };
        self.model.put(offer, self.now_ms, &slots, (outcome.expect("sound costs"), &removed));
    }

    /// Into bytes and back into a fresh cache.
    fn reload(&mut self) {
        let exported = self.cache.export(self.now_ms, |&value| value);
        let overhead = |key: &Key| key.charged_bytes() + ENTRY_OVERHEAD_BYTES;
        let values: Vec<Vec<u8>> = exported
            .iter()
            .map(|entry| {
                let mut bytes = entry.value.to_le_bytes().to_vec();
                bytes.resize((entry.view.bytes - overhead(&entry.key)) as usize, 0);
                bytes
            })
            .collect();
        let entries =
            exported.iter().zip(&values).map(|(entry, value)| snapshot::entry(entry, 3, value).unwrap());
        let (entries, history) = (entries.collect(), self.cache.history());
        let contents = Contents { about: "about", entries, history, semantic: b"vectors" };
        let sealed = snapshot::encode(&contents);
        let read = snapshot::decode(&sealed).expect("what was written can be read");
        assert_eq!(read, contents);
        self.cache = Cache::new(*self.cache.config()).expect("sound settings");
        let mut order = Vec::new();
        let taken = self.cache.restore(&read, self.now_ms, |entry| {
            let KeyRef { scope, fingerprint, text } = entry.key;
            order.push(known((scope, fingerprint, text)));
            Some(u32::from_le_bytes(entry.value[..4].try_into().expect("four bytes at least")))
        });
        assert_eq!(taken, Ok(order.len() as u64));
        self.model.reload(&order, self.now_ms);
    }

    fn view(&self, name: Name, now_ms: u64) -> Option<(u32, EntryView)> {
        let key = key(name);
        self.cache.peek(self.cache.hash(key), key, now_ms, |found| (*found.value(), found.view()))
    }

    fn compare(&self) {
        self.cache.check();
        let statistics = self.cache.statistics();
        assert_eq!(statistics.entries, self.model.held.len() as u64);
        assert_eq!(statistics.used_bytes, self.model.used());
        assert!(statistics.used_bytes <= self.model.rules.budget);
        assert_eq!(statistics.totals, self.model.totals());
        for name in names() {
            self.compare_entry(name);
            let (count, want) = (self.cache.count(key(name)), self.model.count(name));
            match self.decays {
                DecayRule::None => assert_eq!(count.to_bits(), want.to_bits(), "{name:?}: {count} {want}"),
                // f32 beside an entry, and what underflows is gone.
                DecayRule::HalfLife(_) => {
                    assert!((count - want).abs() <= 1e-5 * want + 1e-12, "{name:?}: {count} {want}");
                }
                DecayRule::SelfTuned => assert!(count >= 0.0 && count <= want * 1.000_01, "{name:?}"),
            }
        }
    }

    fn compare_entry(&self, name: Name) {
        let live = self.view(name, self.now_ms).map(|(value, _)| value);
        assert_eq!(live, self.model.live(name, self.now_ms).map(|held| held.value), "{name:?}");
        let (any, want) = (self.view(name, 0), self.model.held.get(&name));
        assert_eq!(any.is_some(), want.is_some(), "{name:?}");
        if let (Some((got, view)), Some(&Held { value, bytes, expires_ms, hit_cost, .. })) = (any, want) {
            assert_eq!(
                (got, view.bytes, view.expires_ms, view.hit_cost),
                (value, bytes, expires_ms, hit_cost)
            );
        }
    }
}

fn key((scope, fingerprint, text): Name) -> KeyRef<'static> {
    KeyRef { scope, fingerprint, text }
}

fn names() -> impl Iterator<Item = Name> {
    let pairs = SCOPES.iter().flat_map(|&scope| FINGERPRINTS.iter().map(move |&print| (scope, print)));
    pairs.flat_map(|(scope, print)| TEXTS.iter().map(move |&text| (scope, print, text)))
}

fn name_of(key: &Key) -> Name {
    let (scope, fingerprint, text) = key.parts();
    let text_of = |bytes| std::str::from_utf8(bytes).expect("keys are text");
    known((text_of(scope), text_of(fingerprint), text_of(text)))
}

fn known(name: (&str, &str, &str)) -> Name {
    names().find(|known| *known == name).expect("a name of ours")
}
