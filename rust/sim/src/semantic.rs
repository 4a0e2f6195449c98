//! Replays a stream of classed texts through the live semantic decision, from an empty cache, with exact neighbours.
//!
//! An answer is right where the served entry's class is the request's. Declined and audited requests are answered by a
//! model and stored; hits are not.

use lecmux_core::error::Error;
use lecmux_core::semantic::contradiction::{contradiction, instead};
use lecmux_core::semantic::facets::Facets;
use lecmux_core::semantic::features::{FEATURES, features};
use lecmux_core::semantic::judge::{Judge, Verdict};
use lecmux_core::semantic::model::Record;
use lecmux_core::semantic::neighbours::{NEIGHBOURS, Neighbour, candidate, near};
use lecmux_core::semantic::rate::Rate;
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
    /// How often predictions were found to hold no more.
    pub drifts: u64,
    /// What audits told, at even places.
    pub curve: Vec<Told>,
    /// Least predicted risk, labels and wrong ones of each bin.
    pub calibration: Vec<(f64, f64, f64)>,
}

/// What the audits up to a request told of the rate of wrong hits, beside the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Told {
    /// Requests so far.
    pub requests: usize,
    /// Hits, and wrong hits, so far.
    pub hits: [u64; 2],
    /// Since the start.
    pub rate: Rate,
    /// Of late.
    pub recent: Rate,
    /// What `recent` estimates.
    pub recent_truth: f64,
}

/// Requests that count half in the truth of late.
const HALF_LIFE: f64 = 500.0;
/// Places of the curve.
const PLACES: usize = 200;

/// How a stream is served.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Requests served.
    pub requests: usize,
    /// The share of wrong hits that is tolerable.
    pub max_error: f64,
    /// Stored answers are kept out of the features.
    pub hide: bool,
    /// Entries whose texts contradict the request are not served.
    pub refuse: bool,
    /// After so many requests every class means something else: what was stored before is wrong from then on.
    pub redraw: Option<usize>,
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

    /// Serves the rows in the order of `seed`.
    ///
    /// # Errors
    /// As [`Judge::new`].
    pub fn replay(&self, seed: u64, settings: Settings) -> Result<Outcome, Error> {
        let mut run = Run::new(self, seed, settings)?;
        let mut outcome = Outcome::default();
        let (mut recent, step) = ([0.0; 2], settings.requests.div_ceil(PLACES).max(1));
        for row in self.order(seed).into_iter().take(settings.requests) {
            let meaning = run.meaning(run.served);
            let served = run.request(row);
            let wrong = served.is_some_and(|(from, stored)| !self.right(from, row) || stored != meaning);
            outcome.hits += u64::from(served.is_some());
            outcome.wrong_hits += u64::from(wrong);
            outcome.trace.push((row, served.map(|(from, _)| from)));
            let keep = 0.5_f64.powf(1.0 / HALF_LIFE);
            recent = [recent[0] * keep + 1.0, recent[1] * keep + f64::from(u8::from(wrong))];
            if outcome.trace.len() % step == 0 {
                outcome.curve.push(Told {
                    requests: outcome.trace.len(),
                    hits: [outcome.hits, outcome.wrong_hits],
                    rate: run.judge.wrong_rate(),
                    recent: run.judge.recent_wrong_rate(),
                    recent_truth: recent[1] / recent[0],
                });
            }
        }
        run.judge.check();
        outcome.audits = run.judge.audits();
        outcome.drifts = run.judge.drifts();
        outcome.calibration = run.judge.calibration().collect();
        Ok(outcome)
    }

    /// What a model is taught when nothing is served: the features of each candidate, and whether its answer was right.
    ///
    /// # Errors
    /// As [`Judge::new`].
    pub fn lessons(&self, seed: u64, requests: usize, hide: bool) -> Result<Vec<Lesson>, Error> {
        let settings = Settings { requests, max_error: 0.0, hide, refuse: false, redraw: None };
        let mut run = Run::new(self, seed, settings)?;
        run.lessons = Some(Vec::new());
        for row in self.order(seed).into_iter().take(requests) {
            run.request(row);
        }
        Ok(run.lessons.unwrap_or_default())
    }

    fn right(&self, from: usize, row: usize) -> bool {
        self.classes[from] == self.classes[row]
    }

    /// Hits of the best static threshold of this order that kept within `max_error`, and that threshold.
    #[must_use]
    pub fn hindsight(&self, seed: u64, settings: Settings) -> (u64, f64) {
        let order: Vec<usize> = self.order(seed).into_iter().take(settings.requests).collect();
        let most = settings.max_error * order.len() as f64;
        let (mut low, mut high, mut best) = (THRESHOLDS.start, THRESHOLDS.end, (0, 1.0));
        while low < high {
            let middle = usize::midpoint(low, high);
            let (hits, wrong) = self.fixed(&order, middle as f32 / 100.0, settings.redraw);
            if wrong as f64 <= most {
                best = if hits > best.0 { (hits, middle as f64 / 100.0) } else { best };
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        best
    }

    /// Hits and wrong hits of a static threshold.
    fn fixed(&self, order: &[usize], threshold: f32, redraw: Option<usize>) -> (u64, u64) {
        let (mut stored, mut hits, mut wrong, mut before) = (Vec::new(), 0, 0, 0);
        for (served, &row) in order.iter().enumerate() {
            if Some(served) == redraw {
                before = stored.len();
            }
            let nearest = stored
                .iter()
                .enumerate()
                .map(|(slot, &entry)| (self.similarity(row, entry), slot))
                .fold((f32::MIN, 0), |best, next| if next.0 > best.0 { next } else { best });
            if nearest.0 >= threshold {
                hits += 1;
                wrong += u64::from(nearest.1 < before || !self.right(stored[nearest.1], row));
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
    /// What classes meant when it was stored.
    meaning: u64,
}

/// A candidate's features, and whether its answer was right.
pub type Lesson = ([f64; FEATURES], bool);

struct Run<'a> {
    stream: &'a Stream,
    judge: Judge,
    settings: Settings,
    served: usize,
    entries: Vec<Entry>,
    /// Kept where somebody wants them.
    lessons: Option<Vec<Lesson>>,
}

impl<'a> Run<'a> {
    fn new(stream: &'a Stream, seed: u64, settings: Settings) -> Result<Self, Error> {
        let judge = Judge::new(settings.max_error, seed)?;
        Ok(Self { stream, judge, settings, served: 0, entries: Vec::new(), lessons: None })
    }

    /// What classes mean after so many requests: 0, or 1 once they were drawn anew.
    fn meaning(&self, served: usize) -> u64 {
        u64::from(self.settings.redraw.is_some_and(|redraw| served >= redraw))
    }

    /// The row whose answer was served, and what classes meant when that was stored.
    fn request(&mut self, row: usize) -> Option<(usize, u64)> {
        let meaning = self.meaning(self.served);
        self.served += 1;
        self.judge.request();
        let found = self.nearest(row);
        let neighbours: Vec<Neighbour> =
            found.iter().map(|&(similarity, slot)| self.neighbour(similarity, slot)).collect();
        let words = |place: usize| {
            let from = self.entries[found[place].1].row;
            self.stream.facets[row].compare(&self.stream.facets[from])
        };
        let contradicts = |place: usize| self.settings.refuse && contradiction(&words(place)).is_some();
        let first = candidate(&neighbours);
        let refused = first.filter(|&place| contradicts(place));
        let other = refused.and_then(|first| instead(&neighbours, first, contradicts));
        let Some(place) = other.or(first) else {
            self.store(row, 0.0, meaning);
            return None;
        };
        let (slot, next) = (found[place].1, found.get(usize::from(place == 0)));
        let from = self.entries[slot].row;
        let mutual = next.map(|&(_, next)| f64::from(self.stream.similarity(from, self.entries[next].row)));
        let words = words(place);
        let features = features(&near(&neighbours, place, self.entries.len(), mutual), &words);
        let record = &self.entries[slot].record;
        let judgement = if self.settings.refuse && contradiction(&words).is_some() {
            self.judge.refuse(&features, record).0
        } else {
            self.judge.judge(&features, record)
        };
        if judgement.verdict == Verdict::Serve {
            return Some((from, self.entries[slot].meaning));
        }
        let right = self.stream.right(from, row) && self.entries[slot].meaning == meaning;
        let surprise = self.judge.learn(&features, &mut self.entries[slot].record, &judgement, right);
        if let Some(lessons) = &mut self.lessons {
            lessons.push((features, right));
        }
        self.store(row, surprise, meaning);
        None
    }

    fn store(&mut self, row: usize, arrival: f64, meaning: u64) {
        self.entries.push(Entry { row, arrival, record: Record::default(), meaning });
    }

    fn neighbour(&self, similarity: f32, slot: usize) -> Neighbour {
        let Entry { row, arrival, record, meaning } = self.entries[slot];
        let answer = (!self.settings.hide).then(|| 2 * self.stream.classes[row] + meaning);
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
