//! The semantic decision: what must hold whatever it is asked.

use lecmux_core::semantic::budget::{ALPHA, allowance};
use lecmux_core::semantic::contradiction::contradiction;
use lecmux_core::semantic::facets::{Compared, Facets};
use lecmux_core::semantic::features::{FEATURES, Near, features};
use lecmux_core::semantic::judge::{Judge, Verdict};
use lecmux_core::semantic::model::Record;
use lecmux_core::semantic::young::veto;
use proptest::prelude::*;

fn compared(first: &str, second: &str) -> Option<&'static str> {
    veto(&Facets::of(first).compare(&Facets::of(second)))
}

#[test]
fn facets_tell_apart_what_reads_alike() {
    assert_eq!(Some("numbers"), compared("Send 20 dollars", "Send 30 dollars"));
    assert_eq!(Some("opposite"), compared("turn on the lamp", "turn off the lamp"));
    assert_eq!(Some("negation"), compared("Is it open?", "Isn't it open?"));
    assert_eq!(Some("dates"), compared("meet me on monday", "meet me on friday"));
    assert_eq!(Some("roles"), compared("fly from Oslo to Rome", "fly from Rome to Oslo"));
    let words = Facets::of("What is two plus 3?").compare(&Facets::of("what is 2 plus three"));
    assert_eq!(Compared::Equal, words.numbers);
}

#[test]
fn texts_contradict_where_each_says_what_the_other_does_not() {
    let contradicting =
        |first: &str, second: &str| contradiction(&Facets::of(first).compare(&Facets::of(second)));
    for (first, second, facet) in [
        ("turn on the lamp", "turn off the lamp", Some("opposite")),
        ("Is it open?", "Isn't it open?", Some("negation")),
        ("Send 20 dollars", "Send 30 dollars", Some("numbers")),
        ("meet me on monday", "meet me on friday", Some("dates")),
        ("fly from Oslo to Rome", "fly from Rome to Oslo", Some("roles")),
        ("Send 20 dollars", "Send dollars", None),
        ("who is open", "when is it open", None),
    ] {
        assert_eq!(facet, contradicting(first, second), "{first} / {second}");
        assert_eq!(facet, contradicting(second, first), "{second} / {first}");
    }
}

#[test]
fn a_refusal_spends_nothing_and_says_what_it_cost() {
    let (mut judge, mut twin) = (Judge::new(0.1, 1).unwrap(), Judge::new(0.1, 1).unwrap());
    let mut served = false;
    for _ in 0..2_000 {
        judge.request();
        twin.request();
        let before = judge.clone();
        let (refused, costs) = judge.refuse(&sure(), &Record::default());
        assert_eq!((Verdict::Decline, &before), (refused.verdict, &judge));
        let judged = judge.judge(&sure(), &Record::default());
        assert_eq!(judged, twin.judge(&sure(), &Record::default()));
        assert!(!costs || judged.verdict != Verdict::Decline);
        served |= costs;
        for judge in [&mut judge, &mut twin] {
            judge.learn(&sure(), &mut Record::default(), &judged, true);
        }
    }
    assert!(served);
}

#[test]
fn nothing_is_served_without_a_budget() {
    let mut judge = Judge::new(0.0, 1).unwrap();
    for _ in 0..1000 {
        judge.request();
        assert_eq!(Verdict::Decline, judge.judge(&sure(), &Record::default()).verdict);
    }
}

#[test]
fn a_budget_out_of_range_is_refused() {
    for max_error in [-0.1, 0.6, f64::NAN] {
        assert!(Judge::new(max_error, 0).is_err());
    }
}

fn sure() -> [f64; FEATURES] {
    let same = Facets::of("how do I reset it").compare(&Facets::of("how do I reset it"));
    features(
        &Near { similarity: 1.0, around: None, surprise: [0.0; 2], entries: 400, agreement: None },
        &same,
    )
}

/// Hits are wrong exactly as often as predicted, and as many are served as the allowance takes: the wrong ones pass the
/// budget in at most ALPHA of the runs.
#[test]
fn the_guarantee_holds_where_predictions_do() {
    let (max_error, requests, runs) = (0.02, 4000, 300);
    let allowances: Vec<f64> = (0..=requests)
        .map(|t| if t % 50 == 0 { allowance(max_error * f64::from(t)) } else { -1.0 })
        .collect();
    let mut passed = 0;
    for seed in 0..runs {
        let (mut spent, mut wrong, mut most, mut over) = (0.0, 0.0, 0.0, false);
        for (t, &allowed) in allowances.iter().enumerate().skip(1) {
            if allowed >= 0.0 {
                most = allowed;
            }
            let risk = 0.3 * lecmux_core::semantic::audit::coin(seed + 1000, t as u64);
            if spent + risk > most {
                continue;
            }
            spent += risk;
            if lecmux_core::semantic::audit::coin(seed, t as u64) < risk {
                wrong += 1.0;
            }
            over |= wrong > max_error * t as f64;
        }
        passed += usize::from(over);
    }
    assert!(passed as f64 <= ALPHA * runs as f64, "{passed} of {runs} runs passed the budget");
}

proptest! {
    #[test]
    fn comparing_is_symmetric_and_a_text_equals_itself(first in ".{0,80}", second in "[a-z0-9 $.?'-]{0,80}") {
        let (first, second) = (Facets::of(&first), Facets::of(&second));
        let (there, back) = (first.compare(&second), second.compare(&first));
        prop_assert_eq!(there.numbers, back.numbers);
        prop_assert_eq!(there.opposite, back.opposite);
        prop_assert_eq!(there.negation, back.negation);
        prop_assert_eq!(veto(&there).is_some(), veto(&back).is_some());
        let same = first.compare(&first);
        prop_assert_eq!(same.numbers, Compared::Equal);
        prop_assert_eq!(veto(&same), None);
    }

    #[test]
    fn the_books_agree_after_every_label(seed: u64, labels in prop::collection::vec((0.3f64..1.0, any::<bool>()), 1..200)) {
        let mut judge = Judge::new(0.05, seed).unwrap();
        let mut record = Record::default();
        let words = Facets::of("where is my order").compare(&Facets::of("where is the order"));
        for (similarity, right) in labels {
            judge.request();
            let near = Near { similarity, around: None, surprise: [0.0; 2], entries: 9, agreement: None };
            let features = features(&near, &words);
            let judgement = judge.judge(&features, &record);
            prop_assert!((0.0..=1.0).contains(&judgement.wrong));
            if judgement.verdict != Verdict::Serve {
                judge.learn(&features, &mut record, &judgement, right);
            }
            judge.check();
        }
    }
}
