//! The nearest entries → the candidate and what lies around it.

use super::features::{Agreement, Around, Near};
use super::model::Record;

/// How many entries are looked at.
pub const NEIGHBOURS: usize = 10;
/// Loss of cosine similarity that divides an entry's vote by e, and its say in the surprise around.
const VOTE_BAND: f64 = 0.03;
const SURPRISE_BAND: f64 = 0.05;

/// An entry near the query.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour {
    /// Cosine similarity to the query.
    pub similarity: f64,
    /// The surprise of the label that it came with.
    pub arrival: f64,
    /// What it was judged by since.
    pub record: Record,
    /// Names its answer: the same number, the same answer. `None` where answers stay hidden.
    pub answer: Option<u64>,
}

fn weight(neighbour: &Neighbour, first: &Neighbour, band: f64) -> f64 {
    ((neighbour.similarity - first.similarity) / band).exp()
}

/// The place of the candidate among the neighbours, best first: the nearest with the answer that most of the weight is
/// behind, or the nearest where answers stay hidden. `None` without neighbours.
#[must_use]
pub fn candidate(neighbours: &[Neighbour]) -> Option<usize> {
    candidate_of(neighbours, |_| true)
}

/// As [`candidate`], of the neighbours at the places that `may` answer; the others' votes count all the same.
#[must_use]
pub fn candidate_of(neighbours: &[Neighbour], may: impl Fn(usize) -> bool) -> Option<usize> {
    let first = neighbours.first()?;
    let mut best = (usize::MAX, -1.0);
    for (place, neighbour) in neighbours.iter().enumerate().filter(|(place, _)| may(*place)) {
        if neighbour.answer.is_none() {
            return Some(place);
        }
        let behind: f64 = neighbours
            .iter()
            .filter(|other| other.answer == neighbour.answer)
            .map(|other| weight(other, first, VOTE_BAND))
            .sum();
        if behind > best.1 + 1e-12 {
            best = (place, behind);
        }
    }
    (best.0 < neighbours.len()).then_some(best.0)
}

/// What is known of the candidate at `place` among `entries` entries; `mutual` is its similarity to the neighbour that
/// comes next, the nearest but itself.
#[must_use]
pub fn near(neighbours: &[Neighbour], place: usize, entries: usize, mutual: Option<f64>) -> Near {
    let others =
        || neighbours.iter().enumerate().filter(move |(other, _)| *other != place).map(|(_, near)| near);
    let crowd: Vec<f64> = others().take(4).map(|near| near.similarity).collect();
    let around = others().next().zip(mutual).map(|(next, mutual)| Around {
        second: next.similarity,
        crowd: crowd.iter().sum::<f64>() / crowd.len() as f64,
        mutual,
    });
    Near {
        similarity: neighbours[place].similarity,
        around,
        surprise: surprise(neighbours),
        entries,
        agreement: neighbours[place].answer.map(|_| agreement(neighbours, place)),
    }
}

fn surprise(neighbours: &[Neighbour]) -> [f64; 2] {
    let mut sums = [0.0, 0.5, 0.0, 1.0];
    for neighbour in neighbours {
        let weight = weight(neighbour, &neighbours[0], SURPRISE_BAND);
        sums[0] += weight * neighbour.arrival;
        sums[1] += weight;
        sums[2] += weight * neighbour.record.surprise;
        sums[3] += weight * neighbour.record.information;
    }
    [sums[0] / sums[1], sums[2] / sums[3]]
}

fn agreement(neighbours: &[Neighbour], place: usize) -> Agreement {
    let answer = neighbours[place].answer;
    let with = |near: &&Neighbour| near.answer == answer;
    let sum = |near: &Neighbour| weight(near, &neighbours[0], VOTE_BAND);
    let other = neighbours.iter().find(|near| near.answer != answer).map(|near| near.similarity);
    let farthest = neighbours.last().map_or(0.0, |near| near.similarity - 0.05);
    Agreement {
        share: neighbours.iter().filter(with).map(sum).sum::<f64>() / neighbours.iter().map(sum).sum::<f64>(),
        gap: (neighbours[place].similarity - other.unwrap_or(farthest)).max(-0.1),
        votes: neighbours.iter().filter(with).count(),
    }
}
