//! How many wrong answers may still be risked.
//!
//! Let W be the wrong hits so far and V the sum of their predicted probabilities. Where the predictions hold,
//! u^W exp(-(u-1) V) is a martingale for every u, and so is its mixture over u ~ Gamma(SHAPE, SHAPE). By Ville's
//! inequality the mixture ever reaches 1/alpha with probability at most alpha. So a hit is served only while W > budget
//! would need the mixture to reach 1/alpha: then W <= budget at all times at once, with probability 1 - alpha.

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
