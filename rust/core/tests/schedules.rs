//! Shards and single flight under many schedules: random ones, and ones with few preemptions (PCT), which find
//! what needs a switch at the wrong moment. Seeds are fixed; a failure prints its schedule. Shuttle ends a
//! schedule in which everybody waits as a deadlock, so "nobody waits for ever" is part of each test.

use lecmux_core::cache::{Cache, Terms};
use lecmux_core::config::CacheConfig;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use lecmux_core::inflight::Inflight;
use lecmux_core::key::KeyRef;
use lecmux_core::shard::{Cost, NEVER, Outcome};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle::sync::mpsc::{Sender, channel};
use shuttle::thread;
use shuttle::{Config, Runner};

const SCHEDULES: usize = 3000;
const PREEMPTIONS: usize = 3;
const TEXTS: [&str; 3] = ["a", "b", "c"];
const CAPACITY: u64 = 2000;

/// Runs `test` under every schedule.
fn walk(test: impl Fn() + Send + Sync + Clone + 'static) {
    Runner::new(RandomScheduler::new_from_seed(7, SCHEDULES), Config::new()).run(test.clone());
    Runner::new(PctScheduler::new_from_seed(7, PREEMPTIONS, SCHEDULES), Config::new()).run(test);
}

fn cache(policy: Policy) -> Arc<Cache<String>> {
    let config = CacheConfig {
        capacity_bytes: CAPACITY,
        policy,
        decay: DecayRule::HalfLife(10.0),
        rescore: false,
        estimator: Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 },
        range: CostRange { floor: 0.0, ceiling: None },
        tenant_share: 1.0,
        shards: Some(2),
        seed: 3,
    };
    Arc::new(Cache::new(config).unwrap())
}

fn key(text: &str) -> KeyRef<'_> {
    KeyRef { scope: "", fingerprint: "", text }
}

fn get(cache: &Cache<String>, text: &str) -> Option<String> {
    cache.request(cache.hash(key(text)), key(text), 0, |found| found.value().clone())
}

/// Puts a value that names its key; returns what left.
fn put(cache: &Cache<String>, text: &str, by: usize) -> (Outcome, Vec<String>) {
    let cost = Cost::Observed(1.0 + by as f64);
    let terms = Terms { value_bytes: 300, cost, hit_cost: 0.0, given: None, expires_ms: NEVER };
    let mut removed = Vec::new();
    let outcome = cache.put(key(text), format!("{text} by {by}"), terms, 0, &mut removed).unwrap();
    (outcome, removed.into_iter().map(|(_, value)| value).collect())
}

fn within_budget(cache: &Cache<String>) {
    let statistics = cache.statistics();
    assert!(statistics.used_bytes <= CAPACITY, "{} bytes", statistics.used_bytes);
    cache.check();
}

#[test]
fn get_put_delete_and_clear_side_by_side() {
    for policy in [Policy::Lec { bypass: true }, Policy::Lru] {
        walk(move || {
            let cache = cache(policy);
            let work = |by: usize| {
                let cache = cache.clone();
                thread::spawn(move || {
                    for step in 0..4 {
                        let text = TEXTS[(by + step) % TEXTS.len()];
                        if let Some(value) = get(&cache, text) {
                            assert!(value.starts_with(text), "{value} under {text}");
                        } else {
                            put(&cache, text, by);
                        }
                        match (by + step) % 4 {
                            0 => drop(cache.delete(key(text))),
                            1 => drop(cache.clear(if by == 0 { None } else { Some("") })),
                            _ => within_budget(&cache),
                        }
                    }
                })
            };
            let threads = [work(0), work(1)];
            for thread in threads {
                thread.join().unwrap();
            }
            within_budget(&cache);
            let totals = cache.statistics().totals;
            assert_eq!(totals.hits + totals.misses, 8, "every request is counted once");
        });
    }
}

#[test]
fn two_clears_at_once_share_the_entries() {
    walk(|| {
        let cache = cache(Policy::Lec { bypass: true });
        for text in TEXTS {
            put(&cache, text, 0);
        }
        let held = cache.len();
        let clear = |scope: Option<&'static str>| {
            let cache = cache.clone();
            thread::spawn(move || cache.clear(scope).len())
        };
        let (first, second) = (clear(None), clear(Some("")));
        let left = put(&cache, "late", 1).1.len();
        let cleared = first.join().unwrap() + second.join().unwrap();
        assert_eq!(left + cleared + cache.len(), held + 1, "each entry left once or is there");
        within_budget(&cache);
    });
}

#[test]
fn a_value_leaves_once() {
    walk(|| {
        let cache = cache(Policy::Lru);
        let work = |by: usize| {
            let cache = cache.clone();
            thread::spawn(move || {
                let mut left = Vec::new();
                for text in TEXTS {
                    left.extend(put(&cache, text, by).1);
                }
                left.extend(cache.delete(key("b")).map(|(_, value)| value));
                left
            })
        };
        let threads = [work(0), work(1)];
        let mut seen: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        seen.extend(cache.clear(None).into_iter().map(|(_, value)| value));
        seen.sort_unstable();
        let mut all: Vec<String> =
            TEXTS.iter().flat_map(|text| [0, 1].map(|by| format!("{text} by {by}"))).collect();
        all.sort_unstable();
        assert_eq!(seen, all, "every value comes out once, none is lost");
    });
}

/// What a waiter is told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Done,
    Lead,
}

type Flights = Inflight<(usize, Sender<Word>)>;

/// How a flight went for one who claimed it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// Called the model.
    Led,
    /// Waited for the answer.
    Followed,
}

/// Claims, and leads or waits to the end. `call` is the model: whether it answered.
fn fly(flights: &Flights, me: usize, call: impl Fn() -> bool) -> (Role, bool) {
    let (tell, told) = channel();
    if !flights.claim(1, (me, tell)) && told.recv().unwrap() == Word::Done {
        return (Role::Followed, true);
    }
    let answered = call();
    if answered {
        flights.done(1).into_iter().for_each(|(_, waiter)| waiter.send(Word::Done).unwrap());
    } else if let Some((_, next)) = flights.failed(1) {
        next.send(Word::Lead).unwrap();
    }
    (Role::Led, answered)
}

/// Three claim one key; the first `failures` calls fail.
fn three_claim(failures: usize) {
    let flights = Arc::new(Flights::default());
    let (leading, calls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let claimants: Vec<_> = (0..3)
        .map(|me| {
            let (flights, leading, calls) = (flights.clone(), leading.clone(), calls.clone());
            thread::spawn(move || {
                fly(&flights, me, || {
                    assert_eq!(leading.fetch_add(1, SeqCst), 0, "two lead at once");
                    let answered = calls.fetch_add(1, SeqCst) >= failures;
                    thread::yield_now();
                    leading.fetch_sub(1, SeqCst);
                    answered
                })
            })
        })
        .collect();
    let ends: Vec<(Role, bool)> = claimants.into_iter().map(|thread| thread.join().unwrap()).collect();
    let led = ends.iter().filter(|(role, _)| *role == Role::Led).count();
    assert_eq!(led, calls.load(SeqCst));
    assert_eq!(ends.iter().filter(|(_, answered)| !answered).count(), failures.min(3), "{ends:?}");
    assert!(flights.is_empty(), "a flight without anybody in it");
}

#[test]
fn one_leads_and_the_others_are_woken() {
    walk(|| three_claim(0));
}

#[test]
fn a_failed_leader_is_followed_by_exactly_one() {
    walk(|| three_claim(1));
    walk(|| three_claim(2));
}

#[test]
fn when_all_fail_nobody_waits() {
    walk(|| three_claim(3));
}

/// A follower gives up while the leader ends: it is either taken out or told, never both, never neither. The
/// one behind it is told in any case.
#[test]
fn giving_up_races_with_being_woken() {
    for leader_answers in [true, false] {
        walk(move || {
            let flights = Arc::new(Flights::default());
            let (tell, _told) = channel();
            assert!(flights.claim(1, (0, tell)));
            let (tell, told) = channel();
            assert!(!flights.claim(1, (1, tell)));
            let (tell, told_last) = channel();
            assert!(!flights.claim(1, (2, tell)));
            let follower = {
                let flights = flights.clone();
                thread::spawn(move || {
                    if !flights.abandon(1, |(who, _)| *who == 1).is_empty() {
                        return;
                    }
                    // Too late: the word is on its way, and who is to lead hands on.
                    if told.recv().unwrap() == Word::Lead {
                        let (last, next) = flights.failed(1).unwrap();
                        assert_eq!(last, 2);
                        next.send(Word::Lead).unwrap();
                    }
                })
            };
            let woken =
                if leader_answers { flights.done(1) } else { flights.failed(1).into_iter().collect() };
            let word = if leader_answers { Word::Done } else { Word::Lead };
            for (_, waiter) in woken {
                waiter.send(word).unwrap();
            }
            follower.join().unwrap();
            assert_eq!(told_last.recv().unwrap(), word);
            if !leader_answers {
                assert!(flights.failed(1).is_none(), "nobody is left to lead");
            }
            assert!(flights.is_empty());
        });
    }
}

/// The whole path of a question that three ask at once: one call, three answers.
#[test]
fn three_ask_and_one_calls() {
    walk(|| {
        let cache = cache(Policy::Lec { bypass: true });
        let flights = Arc::new(Flights::default());
        let calls = Arc::new(AtomicUsize::new(0));
        let ask = |me: usize| {
            let (cache, flights, calls) = (cache.clone(), flights.clone(), calls.clone());
            thread::spawn(move || {
                if get(&cache, "a").is_none() {
                    fly(&flights, me, || {
                        // Somebody may have led and ended between the miss and the claim.
                        if cache.peek(cache.hash(key("a")), key("a"), 0, |_| ()).is_none() {
                            calls.fetch_add(1, SeqCst);
                            assert!(matches!(put(&cache, "a", me).0, Outcome::Stored { .. }));
                        }
                        true
                    });
                }
                assert!(get(&cache, "a").is_some());
            })
        };
        let threads = [ask(0), ask(1), ask(2)];
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!((calls.load(SeqCst), cache.len()), (1, 1));
        assert!(flights.is_empty());
    });
}
