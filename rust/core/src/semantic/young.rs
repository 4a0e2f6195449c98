//! The decision on a candidate of which no stream tells anything yet.
//!
//! The pooled model has a prior, but its level belongs to no workload; so facets veto, and the bound on the
//! probability is the one that kept within the budget on the pairs that the prior was fitted on.

use super::facets::{Compared, Comparison};
use super::prior::ALONE;

/// Why a comparison forbids a hit while nothing is known of the workload; `None`: it does not.
#[must_use]
pub fn veto(words: &Comparison) -> Option<&'static str> {
    let different = |compared| compared == Compared::Different;
    let reasons = [
        (words.numbers != Compared::Equal, "numbers"),
        (different(words.units), "units"),
        (different(words.dates), "dates"),
        (different(words.names), "names"),
        (different(words.codes), "code"),
        (words.negation, "negation"),
        (words.opposite, "opposite"),
        (words.question, "question"),
        (words.roles, "roles"),
        (words.content[1] == 1 && words.content[2] == 1, "one word replaced"),
    ];
    reasons.iter().find(|(holds, _)| *holds).map(|(_, reason)| *reason)
}

/// The largest probability of a wrong answer that may be served under `max_error`.
#[must_use]
pub fn bound(max_error: f64) -> f64 {
    let place = ALONE.partition_point(|&(error, _)| error <= max_error).clamp(1, ALONE.len() - 1);
    let ((error_below, bound_below), (error_above, bound_above)) = (ALONE[place - 1], ALONE[place]);
    let share = ((max_error - error_below) / (error_above - error_below)).clamp(0.0, 1.0);
    bound_below + share * (bound_above - bound_below)
}
