//! The live semantic stage: partitions share nothing, what it holds is what it was given, and it decides as the replay
//! over texts does.

use std::collections::HashMap;

use lecmux_core::key::{Key, KeyRef};
use lecmux_core::semantic::answers::same_texts;
use lecmux_core::semantic::judge::Verdict;
use lecmux_core::semantic::stage::{Place, Stage, StageConfig};
use proptest::prelude::*;

const DIM: usize = 48;

fn stage(max_error: f64) -> Stage {
    let bytes = 64 << 20;
    Stage::new(StageConfig {
        max_error,
        seed: 7,
        capacity_bytes: bytes,
        gated: false,
        serves_contradictions: true,
        near_twins: true,
    })
    .expect("sound settings")
}

/// A direction that a number names, and one near it.
fn vector(topic: u32, wording: u32) -> Vec<f32> {
    let noise = |seed: u64, place: usize| {
        let word = (seed * 0x9e37_79b9 + place as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((word ^ (word >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    let one = |place| noise(u64::from(topic) + 1, place) + 0.2 * noise(u64::from(wording) + 1_000_003, place);
    (0..DIM).map(one).collect()
}

fn key(place: &Place<'_>, text: &str) -> Key {
    Key::new(KeyRef { scope: place.scope, fingerprint: place.fingerprint, text }).expect("short")
}

#[derive(Clone, Debug)]
enum Step {
    Insert { place: usize, topic: u32, wording: u32 },
    Remove { which: usize },
    Ask { place: usize, topic: u32, wording: u32, right: bool },
}

const PLACES: [Place<'static>; 4] = [
    Place { scope: "", fingerprint: "", context: "" },
    Place { scope: "a", fingerprint: "", context: "" },
    Place { scope: "", fingerprint: "a", context: "" },
    Place { scope: "", fingerprint: "", context: "a" },
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize, 0..6_u32, 0..50_u32)
            .prop_map(|(place, topic, wording)| Step::Insert { place, topic, wording }),
        2 => any::<usize>().prop_map(|which| Step::Remove { which }),
        2 => (0..4_usize, 0..6_u32, 0..50_u32, any::<bool>())
            .prop_map(|(place, topic, wording, right)| Step::Ask { place, topic, wording, right }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn holds_what_it_was_given_and_no_partition_sees_another(steps in prop::collection::vec(step(), 1..300)) {
        let stage = stage(0.1);
        let mut naive: HashMap<u64, (usize, u32, u32)> = HashMap::new();
        for step in steps {
            match step {
                Step::Insert { place, topic, wording } => {
                    let text = format!("{topic} {wording}");
                    let at = &PLACES[place];
                    let found = stage.newcomer(at, &text, &vector(topic, wording)).expect("sound");
                    let hash = (place as u64) << 32 | u64::from(topic) << 16 | u64::from(wording);
                    stage.insert(&found, hash, key(at, &text), u64::from(topic)).expect("sound");
                    naive.insert(hash, (place, topic, wording));
                }
                Step::Remove { which } => {
                    let mut ids: Vec<u64> = naive.keys().copied().collect();
                    ids.sort_unstable();
                    let hash = ids.get(which % ids.len().max(1)).copied().unwrap_or(99);
                    prop_assert_eq!(stage.remove(hash), naive.remove(&hash).is_some());
                }
                Step::Ask { place, topic, wording, right } => {
                    let at = &PLACES[place];
                    let text = format!("{topic} {wording}?");
                    let mut found = stage.propose(at, &text, &vector(topic, wording), |_| true).expect("sound");
                    let held = naive.values().filter(|entry| entry.0 == place).count();
                    prop_assert_eq!(found.candidate.is_some(), held > 0);
                    if let Some(candidate) = &found.candidate {
                        prop_assert!(candidate.key.in_scope(at.scope));
                        prop_assert_eq!(candidate.key.parts().1, at.fingerprint.as_bytes());
                    }
                    stage.learn(&mut found, right);
                }
            }
            let mut ids = stage.ids();
            ids.sort_unstable();
            let mut known: Vec<u64> = naive.keys().copied().collect();
            known.sort_unstable();
            prop_assert_eq!(ids, known);
            stage.check();
        }
    }
}

#[test]
fn an_entry_that_cannot_be_served_is_dropped_and_the_next_best_judged() {
    let stage = stage(0.1);
    let place = &PLACES[0];
    for wording in 0..3 {
        let found = stage.newcomer(place, &wording.to_string(), &vector(1, wording)).expect("sound");
        stage.insert(&found, u64::from(wording), key(place, &wording.to_string()), 0).expect("sound");
    }

    let dead = key(place, "1");
    let found = stage.propose(place, "1", &vector(1, 1), |key| *key != dead).expect("sound");

    assert!(found.candidate.is_some_and(|candidate| candidate.key != dead));
    assert_eq!(stage.ids().len(), 2);
    stage.check();
}

#[test]
fn a_pair_that_was_reported_is_refused_with_its_twins() {
    let stage = stage(0.1);
    let place = &PLACES[0];
    let stored = stage.newcomer(place, "stored", &vector(1, 1)).expect("sound");
    stage.insert(&stored, 1, key(place, "stored"), 0).expect("sound");
    let asked = stage.propose(place, "asked", &vector(1, 2), |_| true).expect("sound");
    stage.report(&asked);
    stage.remove(1);
    let again = stage.newcomer(place, "stored anew", &vector(1, 3)).expect("sound");
    stage.insert(&again, 2, key(place, "stored anew"), 0).expect("sound");

    let refused = |topic, wording| {
        let found = stage.propose(place, "twin", &vector(topic, wording), |_| true).expect("sound");
        found.candidate.is_some_and(|candidate| candidate.quarantined)
    };
    assert!(refused(1, 2) && refused(1, 4), "the query and its twin");
    assert!(!refused(2, 1), "another query");
}

#[test]
fn a_vector_that_is_none_or_of_another_dimension_is_refused() {
    let stage = stage(0.02);
    let place = &PLACES[0];
    assert!(stage.newcomer(place, "x", &[0.0; DIM]).is_err());
    assert!(stage.newcomer(place, "x", &[f32::NAN; DIM]).is_err());
    assert!(stage.newcomer(place, "x", &[f32::INFINITY; DIM]).is_err());
    assert!(stage.newcomer(place, "x", &[1.0; DIM]).is_ok());
    assert!(stage.newcomer(place, "x", &[1.0; DIM + 1]).is_err());
}

#[test]
fn serves_within_the_budget_from_an_empty_cache() {
    let (stage, place) = (stage(0.05), &PLACES[0]);
    let (mut hits, mut wrong) = (0, 0);
    for number in 0..2000_u32 {
        let (topic, text) = (number * 7919 % 60, format!("w{number} something"));
        let mut found = stage.propose(place, &text, &vector(topic, number), |_| true).expect("sound");
        let answer = found.candidate.as_ref().map(|candidate| {
            let text = std::str::from_utf8(candidate.key.parts().2).expect("text");
            text[1..text.find(' ').expect("two words")].parse::<u32>().expect("a number") * 7919 % 60
        });
        if found.verdict() == Verdict::Serve {
            hits += 1;
            wrong += u32::from(answer != Some(topic));
            continue;
        }
        stage.learn(&mut found, answer == Some(topic));
        stage.insert(&found, u64::from(number), key(place, &text), u64::from(topic)).expect("sound");
    }
    stage.check();
    assert!(hits > 400, "{hits} hits");
    assert!(wrong <= 100, "{wrong} wrong hits of 2000 requests");
    let counted = stage.statistics();
    assert_eq!((counted.requests, counted.hits, counted.entries), (2000, hits, 2000 - hits));
}

#[test]
fn answers_that_contradict_each_other_are_not_the_same() {
    let (one, near) = (vector(1, 1), vector(1, 2));
    let same = |first: &str, second: &str| same_texts([first, second], [&one, &near], 0.8).expect("sound");
    assert!(same("Paris is the capital.", "The capital is Paris."));
    assert!(!same("It takes 3 days.", "It takes 5 days."));
    assert!(!same("It is allowed.", "It is not allowed."));
    let far = same_texts(["a", "a"], [&one, &vector(2, 1)], 0.8).expect("sound");
    assert!(!far, "embeddings decide where no facet does");
}

#[test]
fn a_partition_of_one_entry_takes_at_most_200_bytes_beside_its_row() {
    const PARTITIONS: u64 = 100_000;
    let (stage, row) = (stage(0.02), 2 * DIM.next_multiple_of(64) as u64);
    for tenant in 0..PARTITIONS {
        let scope = tenant.to_string();
        let place = Place { scope: &scope, fingerprint: "", context: "" };
        let found = stage.newcomer(&place, "question", &vector(1, 1)).expect("sound");
        stage.insert(&found, tenant, key(&place, "question"), 0).expect("sound");
    }

    let held = stage.statistics();
    assert_eq!((held.partitions, held.entries), (PARTITIONS, PARTITIONS));
    let beside = held.index_bytes as f64 / PARTITIONS as f64 - row as f64;
    assert!(beside <= 200.0, "{beside} bytes");
}

#[test]
fn what_entries_are_charged_covers_what_they_take() {
    for dim in [64, 384] {
        let (stage, place) = (stage(0.02), &PLACES[0]);
        let mut charged = 0;
        for number in 0..3000_u32 {
            let mut vector: Vec<f32> = vector(number, 0);
            vector.resize(dim, 0.1);
            let text = number.to_string();
            let found = stage.newcomer(place, &text, &vector).expect("sound");
            stage.insert(&found, u64::from(number), key(place, &text), 0).expect("sound");
            charged += stage.charge(&found, &text);
            let held = stage.statistics().index_bytes;
            assert!(held <= charged, "{held} bytes for {charged} with {} entries of {dim}", number + 1);
        }
    }
}

/// After so many requests of one question in new words, each of them right, the first is served.
fn first_hit(scopes_answered: &[(&str, u64)]) -> u32 {
    let (stage, place) = (stage(0.02), &PLACES[1]);
    let stored = stage.newcomer(place, "the topic", &vector(1, 0)).expect("sound");
    stage.insert(&stored, 1, key(place, "the topic"), 1).expect("sound");
    for asked in 1..2000 {
        let mut found = stage.propose(place, "the topic", &vector(1, asked % 2), |_| true).expect("sound");
        if found.verdict() == Verdict::Serve {
            return asked;
        }
        stage.learn(&mut found, true);
        for &(scope, count) in scopes_answered {
            (0..count).for_each(|_| stage.answered(scope));
        }
    }
    2000
}

#[test]
fn requests_answered_word_for_word_earn_their_tenant_budget_and_no_other() {
    let alone = first_hit(&[]);
    assert!((150..1000).contains(&alone), "{alone}");
    assert_eq!(first_hit(&[("a tenant without questions", 9), ("", 9)]), alone);
    assert!(first_hit(&[(PLACES[1].scope, 9)]) < alone / 4);
}
