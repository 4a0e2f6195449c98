//! Replays a stream of classed texts through the live semantic decision, from an empty cache, with exact neighbours.
//!
//! An answer is right where the served entry's class is the request's. Declined and audited requests are answered by a
//! model and stored; hits are not.

use lecmux_core::error::Error;
use lecmux_core::semantic::facets::Facets;
use lecmux_core::semantic::features::features;
use lecmux_core::semantic::judge::{Judge, Verdict};
use lecmux_core::semantic::model::Record;
use lecmux_core::semantic::neighbours::{NEIGHBOURS, Neighbour, candidate, near};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Rows up to which all similarities are kept (1 GiB); beyond, each is computed when it is needed.
const KEPT_ROWS: usize = 16_384;
const LANES: usize = 16;
/// Thresholds of the static rule that hindsight chooses from: hundredths.
const THRESHOLDS: std::ops::Range<usize> = 50..100;

/// A set of texts with unit vectors and classes.
pub struct Stream {
    facets: Vec<Facets>,
    classes: Vec<u64>,
    vectors: Vec<f32>,
    dim: usize,
    kept: Vec<f32>,
}

/// What became of one order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Requests answered from the cache.
    pub hits: u64,
    /// Hits whose class was another.
    pub wrong_hits: u64,
    /// Hits that a model answered all the same.
    pub audits: u64,
    /// The row of each request, and the row whose answer was served.
    pub trace: Vec<(usize, Option<usize>)>,
}

fn dot(first: &[f32], second: &[f32]) -> f32 {
    let (heads, tails) = (first.chunks_exact(LANES), second.chunks_exact(LANES));
    let rest: f32 = heads.remainder().iter().zip(tails.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0_f32; LANES];
    for (head, tail) in heads.zip(tails) {
        for lane in 0..LANES {
            sums[lane] += head[lane] * tail[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

impl Stream {
    /// `vectors`: a unit vector of `dim` numbers a text, row by row.
    ///
    /// # Errors
    /// [`Error::Config`] when the lengths disagree or a number is not finite.
    pub fn new(texts: &[String], classes: Vec<u64>, vectors: Vec<f32>, dim: usize) -> Result<Self, Error> {
        let fail = |what: &str| Err(Error::Config { what: what.to_owned() });
        if dim == 0 || texts.len() != classes.len() || vectors.len() != texts.len() * dim {
            return fail("texts, classes and vectors must be as many");
        }
        if !vectors.iter().all(|number| number.is_finite()) {
            return fail("a vector has a number that is not finite");
        }
        let facets = texts.iter().map(|text| Facets::of(text)).collect();
        let mut stream = Self { facets, classes, vectors, dim, kept: Vec::new() };
        if texts.len() <= KEPT_ROWS {
            stream.keep();
        }
        Ok(stream)
    }

    fn keep(&mut self) {
        let rows = self.classes.len();
        let mut kept = vec![0.0; rows * rows];
        for row in 0..rows {
            for other in 0..=row {
                let similarity = dot(self.vector(row), self.vector(other));
                kept[row * rows + other] = similarity;
                kept[other * rows + row] = similarity;
            }
        }
        self.kept = kept;
    }

    fn vector(&self, row: usize) -> &[f32] {
        &self.vectors[row * self.dim..(row + 1) * self.dim]
    }

    fn similarity(&self, row: usize, other: usize) -> f32 {
        if self.kept.is_empty() {
            dot(self.vector(row), self.vector(other))
        } else {
            self.kept[row * self.classes.len() + other]
        }
    }

    /// The rows in the order of `seed`.
    #[must_use]
    pub fn order(&self, seed: u64) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.classes.len()).collect();
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        rows
    }

    /// Serves the first `requests` rows of the order of `seed`.
    ///
    /// # Errors
    /// As [`Judge::new`].
    pub fn replay(&self, seed: u64, requests: usize, max_error: f64, hide: bool) -> Result<Outcome, Error> {
        let mut run = Run { stream: self, judge: Judge::new(max_error, seed)?, hide, entries: Vec::new() };
        let mut outcome = Outcome::default();
        for row in self.order(seed).into_iter().take(requests) {
            let served = run.request(row);
            outcome.hits += u64::from(served.is_some());
            outcome.wrong_hits +=
                u64::from(served.is_some_and(|from| self.classes[from] != self.classes[row]));
            outcome.trace.push((row, served));
        }
        run.judge.check();
        outcome.audits = run.judge.audits();
        Ok(outcome)
    }

    /// Hits of the best static threshold of this order that kept within `max_error`, and that threshold.
    #[must_use]
    pub fn hindsight(&self, seed: u64, requests: usize, max_error: f64) -> (u64, f64) {
        let order: Vec<usize> = self.order(seed).into_iter().take(requests).collect();
        let most = max_error * order.len() as f64;
        let (mut low, mut high, mut best) = (THRESHOLDS.start, THRESHOLDS.end, (0, 1.0));
        while low < high {
            let middle = usize::midpoint(low, high);
            let (hits, wrong) = self.fixed(&order, middle as f32 / 100.0);
            if wrong as f64 <= most {
                best = if hits > best.0 { (hits, middle as f64 / 100.0) } else { best };
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        best
    }

    fn fixed(&self, order: &[usize], threshold: f32) -> (u64, u64) {
        let (mut stored, mut hits, mut wrong) = (Vec::new(), 0, 0);
        for &row in order {
            let nearest = stored
                .iter()
                .map(|&entry| (self.similarity(row, entry), entry))
                .fold((f32::MIN, row), |best, next| if next.0 > best.0 { next } else { best });
            if nearest.0 >= threshold {
                hits += 1;
                wrong += u64::from(self.classes[nearest.1] != self.classes[row]);
            } else {
                stored.push(row);
            }
        }
        (hits, wrong)
    }
}

struct Entry {
    row: usize,
    arrival: f64,
    record: Record,
}

struct Run<'a> {
    stream: &'a Stream,
    judge: Judge,
    hide: bool,
    entries: Vec<Entry>,
}

impl Run<'_> {
    /// The row whose answer was served.
    fn request(&mut self, row: usize) -> Option<usize> {
        self.judge.request();
        let found = self.nearest(row);
        let neighbours: Vec<Neighbour> =
            found.iter().map(|&(similarity, slot)| self.neighbour(similarity, slot)).collect();
        let Some(place) = candidate(&neighbours) else {
            self.store(row, 0.0);
            return None;
        };
        let (slot, next) = (found[place].1, found.get(usize::from(place == 0)));
        let from = self.entries[slot].row;
        let mutual = next.map(|&(_, next)| f64::from(self.stream.similarity(from, self.entries[next].row)));
        let words = self.stream.facets[row].compare(&self.stream.facets[from]);
        let features = features(&near(&neighbours, place, self.entries.len(), mutual), &words);
        let judgement = self.judge.judge(&features, &self.entries[slot].record);
        if judgement.verdict == Verdict::Serve {
            return Some(from);
        }
        let right = self.stream.classes[from] == self.stream.classes[row];
        let surprise = self.judge.learn(&features, &mut self.entries[slot].record, &judgement, right);
        self.store(row, surprise);
        None
    }

    fn store(&mut self, row: usize, arrival: f64) {
        self.entries.push(Entry { row, arrival, record: Record::default() });
    }

    fn neighbour(&self, similarity: f32, slot: usize) -> Neighbour {
        let Entry { row, arrival, record } = self.entries[slot];
        let answer = (!self.hide).then(|| self.stream.classes[row]);
        Neighbour { similarity: f64::from(similarity), arrival, record, answer }
    }

    /// Similarity and slot of the nearest entries, best first; the older first among equals.
    fn nearest(&self, row: usize) -> Vec<(f32, usize)> {
        let mut best: Vec<(f32, usize)> = Vec::with_capacity(NEIGHBOURS + 1);
        for (slot, entry) in self.entries.iter().enumerate() {
            let similarity = self.stream.similarity(row, entry.row);
            if best.len() < NEIGHBOURS || similarity > best[NEIGHBOURS - 1].0 {
                let place = best.partition_point(|found| found.0 >= similarity);
                best.insert(place, (similarity, slot));
                best.truncate(NEIGHBOURS);
            }
        }
        best
    }
}
