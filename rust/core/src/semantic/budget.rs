//! How many wrong answers may still be risked.
//!
//! Let W be the wrong hits so far and V the sum of their predicted probabilities. Where the predictions hold,
//! u^W exp(-(u-1) V) is a martingale for every u, and so is its mixture over u ~ Gamma(SHAPE, SHAPE). By Ville's
//! inequality the mixture ever reaches 1/alpha with probability at most alpha. So a hit is served only while W > budget
//! would need the mixture to reach 1/alpha: then W <= budget at all times at once, with probability 1 - alpha.

use super::calibration::{BINS, bin, edge};
use super::saved::{Numbers, Saved, amount, count, each};

/// Shape and rate of the mixture: sharpest where about this many wrong hits are expected.
const SHAPE: f64 = 30.0;
/// Chance that the budget is ever exceeded, where predictions hold.
pub const ALPHA: f64 = 0.05;

/// The largest expected number of wrong hits that keeps the real one within `most`, at all times at once.
///
/// Found by bisection on the mixture; 0 where not even one wrong hit may be risked.
#[must_use]
pub fn allowance(most: f64) -> f64 {
    let wrong = most.floor() + 1.0;
    let enough = (1.0 / ALPHA).ln();
    let (mut low, mut high) = (0.0, wrong);
    if evidence(wrong, 0.0) < enough {
        return 0.0;
    }
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if evidence(wrong, middle) >= enough { low = middle } else { high = middle }
    }
    low
}

/// Logarithm of the mixture after `wrong` wrong hits where `expected` were predicted.
fn evidence(wrong: f64, expected: f64) -> f64 {
    expected + SHAPE * SHAPE.ln() - ln_gamma(SHAPE) + ln_gamma(SHAPE + wrong)
        - (SHAPE + wrong) * (SHAPE + expected).ln()
}

/// Stirling's series, exact to 1e-10 from 8 on.
fn ln_gamma(x: f64) -> f64 {
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    (x - 0.5) * x.ln() - x
        + 0.918_938_533_204_672_8
        + inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)))
}

/// Requests after which the threshold is planned again.
const PLAN_EVERY: u64 = 20;
/// Requests after which half of the supply is forgotten.
const HALF_LIFE: f64 = 1500.0;
/// The shortest span that is planned for, in requests; later, the next as many as there were.
const SHORTEST_PLAN: f64 = 500.0;

/// What was risked, and the probability of a wrong answer up to which a hit is worth its risk.
///
/// A hit is a hit, whatever its risk; so the most hits for a given risk come from one threshold, the highest at which
/// the supply of candidates uses up the allowance of the span planned for.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    max_error: f64,
    requests: u64,
    spent: f64,
    threshold: f64,
    candidates: [f64; BINS],
    risks: [f64; BINS],
}

impl Budget {
    /// Nothing spent yet.
    #[must_use]
    pub fn new(max_error: f64) -> Self {
        Self {
            max_error,
            requests: 0,
            spent: 0.0,
            threshold: 0.0,
            candidates: [0.0; BINS],
            risks: [0.0; BINS],
        }
    }

    /// Counts a request, whatever becomes of it.
    pub fn request(&mut self) {
        self.requests += 1;
        if self.requests % PLAN_EVERY == 1 {
            self.plan();
        }
    }

    /// Whether a candidate with this probability of a wrong answer may be served.
    pub fn admits(&mut self, wrong: f64) -> bool {
        let bin = bin(wrong);
        self.candidates[bin] += 1.0;
        self.risks[bin] += wrong;
        wrong <= self.threshold && self.spent + wrong <= allowance(self.max_error * self.requests as f64)
    }

    /// Counts a hit.
    pub fn spend(&mut self, wrong: f64) {
        self.spent += wrong;
    }

    /// The probability of a wrong answer up to which a hit is served.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Sum of the predicted probabilities of the hits.
    #[must_use]
    pub fn spent(&self) -> f64 {
        self.spent
    }

    fn plan(&mut self) {
        let keep = 0.5_f64.powf(PLAN_EVERY as f64 / HALF_LIFE);
        for bin in 0..BINS {
            self.candidates[bin] *= keep;
            self.risks[bin] *= keep;
        }
        let span = (self.requests as f64).max(SHORTEST_PLAN);
        let left = allowance(self.max_error * (self.requests as f64 + span)) - self.spent;
        let supply = self.candidates.iter().sum::<f64>().max(1.0);
        let mut rate = (left / span).max(0.0) * supply;
        self.threshold = 0.0;
        for bin in 0..BINS {
            let (low, high) = (edge(bin), edge(bin + 1));
            if self.risks[bin] > rate {
                self.threshold = low + (high - low) * rate / self.risks[bin];
                return;
            }
            rate -= self.risks[bin];
            self.threshold = high;
        }
    }
}

impl Saved for Budget {
    /// All but `max_error`, which is a setting.
    fn save(&self, to: &mut Vec<f64>) {
        let Self { max_error: _, requests, spent, threshold, candidates, risks } = self;
        to.extend([*requests as f64, *spent, *threshold]);
        to.extend(candidates.iter().chain(risks));
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.requests = count(from)?;
        self.spent = amount(from)?;
        self.threshold = amount(from)?;
        each(&mut self.candidates, from, amount)?;
        each(&mut self.risks, from, amount)
    }
}
