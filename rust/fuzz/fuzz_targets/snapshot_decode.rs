//! Any bytes: refused, or read, restored and written again. What does not look like an envelope is put into one,
//! so that the body is reached.
#![no_main]

use lecmux_core::cache::Cache;
use lecmux_core::config::CacheConfig;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_core::snapshot;
use libfuzzer_sys::fuzz_target;

fn cache() -> Cache<Vec<u8>> {
    Cache::new(CacheConfig {
        capacity_bytes: 4096,
        policy: Policy::Lec { bypass: true },
        decay: DecayRule::HalfLife(3.0),
        rescore: false,
        estimator: Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 },
        range: CostRange { floor: 0.0, ceiling: None },
        tenant_share: 0.5,
        shards: Some(2),
        seed: 1,
    })
    .expect("sound settings")
}

/// Reads and restores; returns what the cache then exports.
fn restored(sealed: &[u8]) -> Option<Vec<u8>> {
    let contents = snapshot::decode(sealed).ok()?;
    let cache = cache();
    let now = 10;
    cache.restore(&contents, now, |entry| Some(entry.value.to_vec())).expect("decoded amounts are sound");
    cache.check();
    let exported = cache.export(now, Clone::clone);
    let entries =
        exported.iter().map(|entry| snapshot::entry(entry, 0, &entry.value).expect("keys are text"));
    let contents =
        snapshot::Contents { about: contents.about, entries: entries.collect(), history: cache.history(), semantic: &[] };
    Some(snapshot::encode(&contents))
}

fuzz_target!(|bytes: &[u8]| {
    let _ = snapshot::decode(bytes);
    if let Some(again) = restored(&snapshot::seal(bytes)) {
        assert!(restored(&again).is_some(), "what was written can be read");
    }
});
