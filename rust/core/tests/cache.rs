//! The cache as the bindings see it: refusals, snapshots, failed shards, memory.

use lecmux_core::cache::{Cache, Terms};
use lecmux_core::config::CacheConfig;
use lecmux_core::error::Error;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_core::key::KeyRef;
use lecmux_core::shard::{Cost, ENTRY_OVERHEAD_BYTES, Learnt, NEVER, Outcome};
use lecmux_core::snapshot::{self, Contents, Entry};

const LEC: Policy = Policy::Lec { bypass: true };

const GIVEN: Policy = Policy::Given { bypass: true };

fn config(capacity_bytes: u64, policy: Policy) -> CacheConfig {
    CacheConfig {
        capacity_bytes,
        policy,
        decay: DecayRule::None,
        rescore: false,
        estimator: Estimator::PlugIn,
        range: CostRange { floor: 0.0, ceiling: None },
        tenant_share: 1.0,
        shards: None,
        seed: 7,
    }
}

fn key(text: &str) -> KeyRef<'_> {
    KeyRef { scope: "", fingerprint: "", text }
}

fn terms(value_bytes: u64, cost: Cost) -> Terms {
    Terms { value_bytes, cost, hit_cost: 0.0, given: None, expires_ms: NEVER }
}

fn put(cache: &Cache<u32>, text: &str, terms: Terms) -> Result<Outcome, Error> {
    cache.put(key(text), 1, terms, 0, &mut Vec::new())
}

fn held(cache: &Cache<u32>, text: &str) -> bool {
    cache.peek(cache.hash(key(text)), key(text), 0, |_| ()).is_some()
}

#[test]
fn costs_that_are_none_are_refused_and_change_nothing() {
    let cache = Cache::new(config(1 << 16, LEC)).unwrap();
    let learnt = |count, mean_cost| Cost::Learnt(Learnt { count, mean_cost, observed: 1 });
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-300, 1e200] {
        for cost in [Cost::Observed(bad), Cost::Bound(bad), learnt(1.0, bad), learnt(bad, 1.0)] {
            assert!(matches!(put(&cache, "a", terms(1, cost)), Err(Error::Cost { .. })), "{cost:?}");
        }
        let terms = Terms { hit_cost: bad, ..terms(1, Cost::Observed(1.0)) };
        assert!(matches!(put(&cache, "a", terms), Err(Error::Cost { .. })));
        assert!(
            cache.revalue(key("a"), bad, 0.0, None).is_err()
                && cache.revalue(key("a"), 0.0, bad, None).is_err()
        );
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let terms = Terms { given: Some(bad), ..terms(1, Cost::Observed(1.0)) };
        assert!(matches!(put(&cache, "a", terms), Err(Error::Cost { .. })));
        assert!(cache.revalue(key("a"), 0.0, 0.0, Some(bad)).is_err());
    }
    assert_eq!((cache.len(), cache.count(key("a"))), (0, 0.0));
    cache.check();
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let good = config(1 << 20, LEC);
    let bad = [
        CacheConfig { capacity_bytes: 0, ..good },
        CacheConfig { tenant_share: 0.0, ..good },
        CacheConfig { tenant_share: f64::NAN, ..good },
        CacheConfig { tenant_share: 1.1, ..good },
        CacheConfig { shards: Some(0), ..good },
        CacheConfig { shards: Some(3), ..good },
        CacheConfig { shards: Some(2048), ..good },
        CacheConfig { decay: DecayRule::HalfLife(0.0), ..good },
        CacheConfig { decay: DecayRule::HalfLife(f64::INFINITY), ..good },
        CacheConfig { policy: Policy::S3Fifo { small_share: 1.0 }, ..good },
        CacheConfig { policy: GIVEN, decay: DecayRule::HalfLife(9.0), ..good },
        CacheConfig { policy: GIVEN, rescore: true, ..good },
        CacheConfig { estimator: Estimator::SqrtBonus { queries: 0 }, ..good },
    ];
    for config in bad {
        assert!(matches!(Cache::<u32>::new(config), Err(Error::Config { .. })), "{config:?}");
    }
}

/// The dearest hit there is still fits into the file and out of it.
#[test]
fn a_snapshot_of_extreme_costs_can_be_read() {
    let cache = Cache::new(config(1 << 16, LEC)).unwrap();
    let extreme = Terms { hit_cost: 1e139, ..terms(1, Cost::Observed(1e140)) };
    assert!(matches!(put(&cache, "a", extreme), Ok(Outcome::Stored { .. })));
    let exported = cache.export(0, |&value| value);
    let entries = exported.iter().map(|entry| snapshot::entry(entry, 0, b"1").unwrap()).collect();
    let sealed = snapshot::encode(&Contents { about: "", entries, history: cache.history(), semantic: &[] });
    let contents = snapshot::decode(&sealed).expect("what was written can be read");
    let other = Cache::new(config(1 << 16, LEC)).unwrap();
    assert_eq!(other.restore(&contents, 0, |_| Some(1)), Ok(1));
}

fn entry(text: &str, count: f64, mean_cost: f64) -> Entry<'_> {
    let learnt = Learnt { count, mean_cost, observed: 1 };
    Entry { key: key(text), kind: 0, value: &[0; 100], learnt, hit_cost: 0.0, expires_ms: NEVER }
}

/// A sound envelope around amounts that no cache has written.
#[test]
fn amounts_out_of_range_are_refused() {
    let sound =
        Contents { about: "", entries: vec![entry("a", 1.0, 1.0)], history: vec![(1, 1.0)], semantic: &[] };
    assert!(snapshot::decode(&snapshot::encode(&sound)).is_ok());
    for bad in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        for entries in [vec![entry("a", bad, 1.0)], vec![entry("a", 1.0, bad)]] {
            let contents = Contents { entries, ..sound.clone() };
            assert!(snapshot::decode(&snapshot::encode(&contents)).is_err(), "{contents:?}");
        }
        let contents = Contents { history: vec![(1, bad)], ..sound.clone() };
        assert!(snapshot::decode(&snapshot::encode(&contents)).is_err(), "{contents:?}");
        let cache: Cache<u32> = Cache::new(config(1 << 16, LEC)).unwrap();
        cache.restore_history(&[(1, bad), (2, 3.0)]);
        cache.check();
        assert_eq!(cache.history(), [(2, 3.0)], "{bad} is no count");
    }
}

#[test]
fn a_smaller_budget_keeps_the_best_of_a_snapshot() {
    let names: Vec<String> = (0..40).map(|at| format!("entry {at:02}")).collect();
    let entries = names.iter().enumerate().map(|(at, name)| entry(name, 1.0, ((at * 17) % 40) as f64 + 1.0));
    let contents = Contents { about: "", entries: entries.collect(), history: vec![], semantic: &[] };
    let policies = [
        LEC,
        GIVEN,
        Policy::Lfu { bypass: true },
        Policy::Gdsf { keep_counts: false, bypass: false },
        Policy::Lru,
        Policy::S3Fifo { small_share: 0.1 },
    ];
    for policy in policies {
        let cache: Cache<u32> = Cache::new(config(4_000, policy)).unwrap();
        let taken = cache.restore(&contents, 0, |_| Some(1)).unwrap();
        cache.check();
        assert!(taken == cache.len() as u64 && (8..20).contains(&taken), "{policy:?}: {taken}");
        if !matches!(policy, Policy::Lfu { .. }) {
            let best = |at: &usize| (at * 17) % 40 >= 40 - usize::try_from(taken).unwrap();
            assert!((0..40).filter(best).all(|at| held(&cache, &names[at])), "{policy:?}");
        }
    }
}

#[test]
fn entries_come_back_by_the_scores_they_are_given() {
    let names: Vec<String> = (0..40).map(|at| format!("entry {at:02}")).collect();
    let entries = names.iter().map(|name| entry(name, 1.0, 1.0)).collect();
    let contents = Contents { about: "", entries, history: vec![], semantic: &[] };
    for bypass in [true, false] {
        let cache = Cache::new(config(2_000, Policy::Given { bypass })).unwrap();
        let score = |entry: &Entry<'_>| (entry.key.text[6..].parse().ok().map(|at: f64| -at), 0);
        let mut removed = Vec::new();
        let kept = cache.restore_scored(&contents, 0, |_| Some(1), score, &mut removed).unwrap();
        assert!((2..30).contains(&kept), "{kept}");
        let best: Vec<&String> = names.iter().filter(|name| held(&cache, name)).collect();
        assert_eq!(best.len() as u64, kept);
        assert!(best.iter().copied().eq(names.iter().take(best.len())), "the highest scores stay");
        cache.check();
    }
}

#[test]
fn a_failed_shard_is_bypassed_and_counted() {
    let cache = Cache::new(CacheConfig { shards: Some(4), ..config(1 << 20, LEC) }).unwrap();
    let names: Vec<String> = (0..64).map(|at| at.to_string()).collect();
    for name in &names {
        put(&cache, name, terms(10, Cost::Observed(1.0))).unwrap();
    }
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cache.panic_in_shard(key("0"))));
    assert!(panicked.is_err());
    let alive = names.iter().filter(|name| held(&cache, name)).count();
    assert!((32..64).contains(&alive) && !held(&cache, "0"), "{alive} of 64 in three shards of four");
    assert_eq!(put(&cache, "0", terms(10, Cost::Observed(1.0))), Ok(Outcome::Bypassed));
    let statistics = cache.statistics();
    assert_eq!((statistics.failed_shards, statistics.entries), (1, alive as u64));
    assert!(statistics.incidents > 64 - alive as u64);
    assert_eq!(cache.clear(None).len(), alive, "the others can be cleared");
}

#[test]
fn clearing_a_scope_leaves_the_others() {
    let cache = Cache::new(config(1 << 20, LEC)).unwrap();
    for (scope, text) in [("a", "1"), ("a", "2"), ("b", "1"), ("", "1"), ("", "a1")] {
        let key = KeyRef { scope, fingerprint: "", text };
        cache.put(key, 1, terms(1, Cost::Unknown), 0, &mut Vec::new()).unwrap();
    }
    assert_eq!(cache.clear(Some("a")).len(), 2);
    assert_eq!((cache.len(), cache.clear(Some("a")).len()), (3, 0));
    assert_eq!(cache.clear(Some("")).len(), 2);
    assert_eq!(cache.clear(None).len(), 1);
    cache.check();
}

/// Counts of strangers do not outgrow their share of the budget, shadows included.
#[test]
fn history_stays_within_its_share() {
    let capacity = 1 << 20;
    let cache = Cache::new(CacheConfig { decay: DecayRule::SelfTuned, ..config(capacity, LEC) }).unwrap();
    for at in 0..100_000 {
        let text = at.to_string();
        if cache.request(cache.hash(key(&text)), key(&text), 0, |_| ()).is_none() && at % 3 == 0 {
            put(&cache, &text, terms(100, Cost::Observed(1.0))).unwrap();
        }
        if at % 1000 == 0 {
            let history = cache.statistics().history_bytes;
            assert!(history <= capacity / 16, "{history} bytes of {}", capacity / 16);
        }
    }
}

/// What an entry is charged covers what the structures take for it, at any size and under churn.
#[test]
fn entries_pay_for_the_structures() {
    for policy in [LEC, Policy::Lru, Policy::S3Fifo { small_share: 0.1 }] {
        let cache = Cache::new(config(8 << 20, policy)).unwrap();
        for at in 0..60_000 {
            put(&cache, &at.to_string(), terms(50, Cost::Observed(1.0 + f64::from(at)))).unwrap();
            if at % 500 == 499 {
                let statistics = cache.statistics();
                let each = statistics.structure_bytes / statistics.entries;
                assert!(each <= ENTRY_OVERHEAD_BYTES, "{policy:?}: {each} bytes at {}", statistics.entries);
            }
        }
    }
}

#[test]
fn keys_are_those_of_one_scope_and_fingerprint_that_live() {
    let cache: Cache<u32> = Cache::new(config(100_000, LEC)).unwrap();
    for (scope, fingerprint, text, expires_ms) in [
        ("a", "f", "one", NEVER),
        ("a", "f", "two", NEVER),
        ("a", "f", "gone", 10),
        ("a", "g", "other fingerprint", NEVER),
        ("b", "f", "other scope", NEVER),
    ] {
        let terms = Terms { expires_ms, ..terms(8, Cost::Observed(1.0)) };
        cache.put(KeyRef { scope, fingerprint, text }, 1, terms, 0, &mut Vec::new()).unwrap();
    }

    let found = cache.keys("a", "f", 20);

    let mut texts: Vec<&[u8]> = found.iter().map(|key| key.parts().2).collect();
    texts.sort_unstable();
    assert_eq!(texts, [b"one".as_slice(), b"two"]);
}
