//! What an entry is worth beside its near twins: store and stage together, as a cache drives them.

use std::collections::HashMap;

use lecmux_core::cache::{Cache, Terms};
use lecmux_core::config::CacheConfig;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_core::key::{Key, KeyRef};
use lecmux_core::semantic::cover::{cover, uncover};
use lecmux_core::semantic::judge::Verdict;
use lecmux_core::semantic::stage::{Place, Stage, StageConfig};
use lecmux_core::shard::{Cost, NEVER, Outcome};

const DIM: usize = 48;
const PLACE: Place<'static> = Place { scope: "", fingerprint: "", context: "" };
const TOPICS: u32 = 12;
const VALUE_BYTES: u64 = 1000;

/// A cache with a semantic stage over topics: all wordings of one have one answer.
struct Desk {
    cache: Cache<u32>,
    stage: Stage,
    hits: u32,
}

fn vector(topic: u32, wording: u32) -> Vec<f32> {
    let noise = |seed: u64, place: usize| {
        let word = (seed * 0x9e37_79b9 + place as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((word ^ (word >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    let one = |place| noise(u64::from(topic) + 1, place) + 0.2 * noise(u64::from(wording) + 1_000_003, place);
    (0..DIM).map(one).collect()
}

fn key(text: &str) -> KeyRef<'_> {
    KeyRef { scope: "", fingerprint: "", text }
}

fn text(topic: u32, wording: u32) -> String {
    let letter = |number: u32| char::from(b'a' + u8::try_from(number % 26).expect("a letter"));
    format!("topic {}x {}{}{}", letter(topic), letter(wording), letter(wording / 26), letter(wording / 676))
}

impl Desk {
    fn new(entries: u64, near_twins: bool) -> Self {
        let capacity_bytes = entries * 1700;
        let config = CacheConfig {
            capacity_bytes,
            policy: Policy::Lec { bypass: true },
            decay: DecayRule::None,
            rescore: false,
            estimator: Estimator::PlugIn,
            range: CostRange { floor: 0.0, ceiling: None },
            tenant_share: 1.0,
            shards: Some(1),
            seed: 7,
        };
        let stage = StageConfig {
            max_error: 0.2,
            seed: 7,
            capacity_bytes: 64 << 20,
            gated: false,
            serves_contradictions: true,
            near_twins,
        };
        let cache = Cache::new(config).expect("sound settings");
        Self { cache, stage: Stage::new(stage).expect("sound settings"), hits: 0 }
    }

    fn ask(&mut self, topic: u32, wording: u32) {
        let (cache, stage, text) = (&self.cache, &self.stage, text(topic, wording));
        let hash = cache.hash(key(&text));
        if cache.request(hash, key(&text), 0, |_| ()).is_some() {
            return;
        }
        let mut found = stage.propose(&PLACE, &text, &vector(topic, wording), |_| true).expect("sound");
        if found.verdict() == Verdict::Serve {
            let named = found.candidate.as_ref().and_then(|found| found.key.as_ref()).expect("it serves");
            let served = cache.request_instead(key(&text), cache.hash(named), named, 0, |_| ());
            assert!(served.is_some());
            cover(stage, cache, &found);
            uncover(stage, cache);
            self.hits += 1;
            return;
        }
        let named = found.candidate.as_ref().and_then(|found| found.key.as_ref());
        let value = named.and_then(|named| cache.peek(cache.hash(named), named, 0, |found| *found.value()));
        if let Some(value) = value {
            stage.learn(&mut found, value == topic);
        }
        let cost = Cost::Observed(f64::from(topic + 1));
        let terms = Terms { value_bytes: VALUE_BYTES, cost, hit_cost: 0.0, given: None, expires_ms: NEVER };
        let mut removed: Vec<(Key, u32)> = Vec::new();
        let stored = cache.put(key(&text), topic, terms, 0, &mut removed).expect("a sound cost");
        if matches!(stored, Outcome::Stored { .. }) {
            stage
                .insert(&found, hash, Key::new(key(&text)).expect("short"), u64::from(topic))
                .expect("sound");
        }
        self.left(&removed);
    }

    fn left(&self, removed: &[(Key, u32)]) {
        for named in removed.iter().filter_map(|(key, _)| key.as_ref()) {
            let hash = self.cache.hash(named);
            if self.cache.peek(hash, named, 0, |_| ()).is_none() {
                self.stage.remove(hash);
            }
        }
        uncover(&self.stage, &self.cache);
    }

    /// The residents that count for less.
    fn covered(&self) -> HashMap<u64, f64> {
        let all = self.cache.export(0, |value| *value).into_iter();
        let named = all.filter_map(|entry| Some((self.cache.hash(entry.key.as_ref()?), entry.view.covered)));
        named.filter(|(_, covered)| *covered > 0.0).collect()
    }

    fn check(&self) {
        self.cache.check();
        self.stage.check();
        let (covered, leaners) = (self.covered(), self.stage.leaners());
        assert_eq!(covered.len(), leaners.len(), "who leans counts for less, and nobody else");
        for (mine, its) in leaners {
            assert!(
                covered.contains_key(&mine) && !covered.contains_key(&its),
                "one of two twins counts in full"
            );
        }
    }
}

/// A number below `below` that `step` draws.
fn draw(step: u32, below: u32) -> u32 {
    let word = (u64::from(step) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from((word ^ (word >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33).expect("31 bits") % below
}

fn served(near_twins: bool) -> (Desk, usize) {
    let mut desk = Desk::new(40, near_twins);
    let mut most = 0;
    for step in 0..4000 {
        let topic = draw(2 * step, TOPICS).min(draw(2 * step + 90_001, TOPICS));
        desk.ask(topic, draw(2 * step + 1, 300));
        if step % 16 == 0 {
            desk.check();
            most = most.max(desk.covered().len());
        }
    }
    (desk, most)
}

#[test]
fn of_two_twins_one_counts_for_less_and_in_full_again_when_the_other_leaves() {
    let (desk, most) = served(true);
    assert!(desk.hits > 500 && most > 3, "{} hits, {most} covered at most", desk.hits);

    let leaners = desk.stage.leaners();
    let leant: HashMap<u64, u64> = leaners.iter().map(|&(mine, its)| (its, mine)).collect();
    for its in leant.into_keys() {
        let removed = desk.cache.delete_hash(its).expect("what others lean on is there");
        desk.left(&[removed]);
        desk.check();
    }
    assert!(desk.covered().is_empty(), "nobody is left to lean on");
}

#[test]
fn without_the_sight_of_twins_every_entry_counts_in_full() {
    let (desk, most) = served(false);
    assert!(desk.hits > 500 && most == 0, "{} hits, {most} covered at most", desk.hits);
}
