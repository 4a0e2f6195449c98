//! What no budget may override where somebody wants it so: two texts that contradict each other.
//!
//! The model weighs facets like any other feature, so labels can teach it that two contradicting texts share an
//! answer. A refusal cannot be taught.

use super::facets::{Compared, Comparison};
use super::neighbours::{Neighbour, candidate_of};

/// How much farther than the entry that contradicts another may lie and still be judged in its place.
const BAND: f64 = 0.15;

/// The facet in which two texts contradict each other: each says something there that the other does not, or one
/// denies what the other says. `None`: in none.
#[must_use]
pub fn contradiction(words: &Comparison) -> Option<&'static str> {
    let different = |compared| compared == Compared::Different;
    let facets = [
        (different(words.numbers), "numbers"),
        (different(words.units), "units"),
        (different(words.dates), "dates"),
        (different(words.names), "names"),
        (different(words.codes), "code"),
        (words.negation, "negation"),
        (words.opposite, "opposite"),
        (words.roles, "roles"),
    ];
    facets.iter().find(|(holds, _)| *holds).map(|(_, facet)| *facet)
}

/// The place of the candidate to judge instead of that at `first`, which contradicts the query: one that does not, and
/// lies hardly farther. `None`: there is none.
#[must_use]
pub fn instead(neighbours: &[Neighbour], first: usize, contradicts: impl Fn(usize) -> bool) -> Option<usize> {
    let farthest = neighbours.get(first)?.similarity - BAND;
    candidate_of(neighbours, |place| neighbours[place].similarity >= farthest && !contradicts(place))
}
