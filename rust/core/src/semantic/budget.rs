//! How many wrong answers may still be risked.
//!
//! Let W be the wrong hits so far and V the sum of their predicted probabilities. Where the predictions hold,
//! u^W exp(-(u-1) V) is a martingale for every u, and so is its mixture over u, which is Gamma(s, s) for each of the
//! SHAPES s, all equally likely. By Ville's inequality the mixture ever reaches 1/alpha with probability at most alpha. So a hit is served only while W > budget
//! would need the mixture to reach 1/alpha: then W <= budget at all times at once, with probability 1 - alpha. The same
//! follows where V is any estimate that is never below the sum of the true probabilities, since the mixture falls in V;
//! so V may be valued anew whenever labels correct the probabilities of hits of long ago.

use super::calibration::{BINS, bin};
use super::saved::{Numbers, Saved, amount, count, each};
use super::supply::Supply;

/// Shapes, and rates, of the mixture: each is sharpest where about as many wrong hits are expected. The small ones let a
/// young cache serve; together they cost large counts at most ln(3) of evidence.
const SHAPES: [f64; 3] = [1.0, 5.0, 30.0];
/// Chance that the budget is ever exceeded, where predictions hold.
pub const ALPHA: f64 = 0.05;

/// Relative error of the sum of the predicted probabilities, which more requests do not average out.
const RELATIVE_ERROR: f64 = 0.08;

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

/// What is spent at most: the allowance, further off by the relative error of the probabilities' sum. The two errors are
/// independent, so their squares add.
fn cautious(most: f64) -> f64 {
    let short = 1.0 - allowance(most) / most.floor().max(1.0);
    most.floor() * (1.0 - short.hypot(RELATIVE_ERROR)).max(0.0)
}

/// Logarithm of the mixture after `wrong` wrong hits where `expected` were predicted.
fn evidence(wrong: f64, expected: f64) -> f64 {
    let each = SHAPES.map(|shape| evidence_of(shape, wrong, expected));
    let most = each.into_iter().fold(f64::MIN, f64::max);
    most + (each.into_iter().map(|one| (one - most).exp()).sum::<f64>() / SHAPES.len() as f64).ln()
}

/// The same of one shape.
fn evidence_of(shape: f64, wrong: f64, expected: f64) -> f64 {
    expected + shape * shape.ln() - ln_gamma(shape) + ln_gamma(shape + wrong)
        - (shape + wrong) * (shape + expected).ln()
}

/// Stirling's series, exact to 1e-10 from 8 on, to where smaller numbers are taken by x Gamma(x) = Gamma(x + 1).
fn ln_gamma(x: f64) -> f64 {
    if x < 8.0 {
        return ln_gamma(x + 1.0) - x.ln();
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    (x - 0.5) * x.ln() - x
        + 0.918_938_533_204_672_8
        + inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)))
}

/// Requests after which the threshold is planned again.
const PLAN_EVERY: u64 = 20;
/// The shortest span that is planned for, in requests; later, the next as many as there were.
const SHORTEST_PLAN: f64 = 500.0;
/// The largest risk of a hit, as a multiple of the budget: while little is stored, candidates are few and poor, and what
/// they leave of the budget buys more hits later.
const DEAREST: f64 = 6.0;
/// And never more than this, however large the budget: a single hit that is likelier wrong than this serves nobody.
const DEAREST_EVER: f64 = 0.3;

/// What was risked, and the probability of a wrong answer up to which a hit is worth its risk.
///
/// A hit is a hit, whatever its risk; so the most hits for a given risk come from one threshold, the highest at which
/// the supply of candidates uses up the allowance of the span planned for.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    max_error: f64,
    requests: u64,
    /// Hits, by the bin of what the model predicted.
    served: [f64; BINS],
    /// Risk of hits that is valued no more.
    settled: f64,
    spent: f64,
    threshold: f64,
    supply: Supply,
    /// Wrong hits that the requests so far tolerate, and their allowance.
    allowed: (f64, f64),
}

impl Budget {
    /// Nothing spent yet.
    #[must_use]
    pub fn new(max_error: f64) -> Self {
        Self {
            max_error,
            requests: 0,
            served: [0.0; BINS],
            settled: 0.0,
            spent: 0.0,
            threshold: 0.0,
            supply: Supply::default(),
            allowed: (0.0, cautious(0.0)),
        }
    }

    /// Counts a request, whatever becomes of it.
    pub fn request(&mut self) {
        self.answered(1);
    }

    /// Counts requests that were answered by other means.
    pub fn answered(&mut self, count: u64) {
        let plans = self.requests.div_ceil(PLAN_EVERY);
        self.requests += count;
        let most = (self.max_error * self.requests as f64).floor();
        if most > self.allowed.0 {
            self.allowed = (most, cautious(most));
        }
        let plans = self.requests.div_ceil(PLAN_EVERY) - plans;
        if plans > 0 {
            self.plan(plans);
        }
    }

    /// Whether a candidate with this probability of a wrong answer may be served; it counts as one of the supply.
    pub fn admits(&mut self, wrong: f64) -> bool {
        self.supply.add(wrong);
        self.covers(wrong)
    }

    /// Whether there is room for a hit with this probability of a wrong answer.
    #[must_use]
    pub fn covers(&self, wrong: f64) -> bool {
        wrong <= self.threshold && self.spent + wrong <= self.allowed.1
    }

    /// Counts a hit: what the model predicted, and that corrected.
    pub fn spend(&mut self, predicted: f64, wrong: f64) {
        self.served[bin(predicted)] += 1.0;
        self.spent += wrong;
    }

    /// Values all hits anew, by the corrected probability of each bin of predictions.
    pub fn revalue(&mut self, corrected: &[f64; BINS]) {
        let valued: f64 = self.served.iter().zip(corrected).map(|(hits, wrong)| hits * wrong).sum();
        self.spent = self.settled + valued;
    }

    /// Leaves the hits so far at their present value, and adds `more` wrong ones that it did not foresee.
    pub fn settle(&mut self, more: f64) {
        self.spent += more;
        self.settled = self.spent;
        self.served = [0.0; BINS];
    }

    /// The probability of a wrong answer up to which a hit is served.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Sum of the probabilities of a wrong answer of the hits, as far as labels tell by now.
    #[must_use]
    pub fn spent(&self) -> f64 {
        self.spent
    }

    /// After so many times [`PLAN_EVERY`] requests.
    fn plan(&mut self, times: u64) {
        let requests = self.requests as f64;
        self.supply.pass(PLAN_EVERY as f64, times as f64, requests);
        let span = requests.max(SHORTEST_PLAN);
        let left = cautious(self.max_error * (requests + span)) - self.spent;
        self.threshold =
            self.supply.threshold(left, requests, span).min((DEAREST * self.max_error).min(DEAREST_EVER));
    }
}

impl Saved for Budget {
    /// All but `max_error`, which is a setting.
    fn save(&self, to: &mut Vec<f64>) {
        let Self { max_error: _, requests, served, settled, spent, threshold, supply, allowed: _ } = self;
        to.extend([*requests as f64, *settled, *spent, *threshold]);
        to.extend(served);
        supply.save(to);
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.requests = count(from)?;
        for part in [&mut self.settled, &mut self.spent, &mut self.threshold] {
            *part = amount(from)?;
        }
        each(&mut self.served, from, amount)?;
        let most = (self.max_error * self.requests as f64).floor();
        self.allowed = (most, cautious(most));
        self.supply.load(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gamma_function_is_that_of_factorials_and_halves() {
        let known =
            [(0.5, std::f64::consts::PI.sqrt()), (1.0, 1.0), (2.0, 1.0), (5.0, 24.0), (9.0, 40_320.0)];
        for (x, gamma) in known {
            assert!((ln_gamma(x) - f64::ln(gamma)).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn small_shapes_let_a_young_cache_serve_and_cost_an_old_one_little() {
        let alone = |most: f64| {
            let wrong = most + 1.0;
            let (mut low, mut high) = (0.0, wrong);
            for _ in 0..50 {
                let middle = f64::midpoint(low, high);
                let enough = evidence_of(30.0, wrong, middle) >= (1.0 / ALPHA).ln();
                if enough { low = middle } else { high = middle }
            }
            low
        };
        assert!(allowance(4.0) > 0.1 && allowance(20.0) > 1.8 * alone(20.0));
        for most in [60.0, 100.0, 200.0, 400.0] {
            assert!(allowance(most) > 0.985 * alone(most), "{most}");
        }
    }

    #[test]
    fn counting_many_requests_at_once_comes_to_the_same() {
        let (mut one_by_one, mut at_once) = (Budget::new(0.02), Budget::new(0.02));
        for count in [1, 19, 20, 7, 400, 3] {
            (0..count).for_each(|_| one_by_one.request());
            at_once.answered(count);
        }
        assert_eq!(one_by_one.allowed, at_once.allowed);
        assert_eq!(one_by_one.requests, at_once.requests);
        assert!((one_by_one.threshold - at_once.threshold).abs() < 1e-9);
    }
}
