//! What the model's probabilities turned out to be worth.
//!
//! Each label met a probability before it was learnt. Per bin of log-odds, smoothed over the bins beside it, the wrong
//! answers seen are compared with those predicted; the ratio, one standard error up, corrects the next prediction.

use super::saved::{Numbers, Saved, amount, count, each};

/// Bins of the log-odds of a wrong answer.
pub const BINS: usize = 40;
const LOWEST: f64 = -9.0;
const WIDTH: f64 = 11.0 / BINS as f64;
/// Smoothing, in bins.
const KERNEL: f64 = 2.5;
/// Wrong answers, as many as predicted, that count before the first label.
const PRIOR_ERRORS: f64 = 20.0;
/// Labels after which the ratios are computed again.
const REFIT_EVERY: u32 = 20;

/// The bin of a probability.
#[must_use]
pub fn bin(probability: f64) -> usize {
    let inside = probability.clamp(1e-9, 1.0 - 1e-9);
    let place = ((inside / (1.0 - inside)).ln() - LOWEST) / WIDTH;
    (0..BINS - 1).find(|&bin| place < bin as f64 + 1.0).unwrap_or(BINS - 1)
}

/// The least probability of a bin.
#[must_use]
pub fn edge(bin: usize) -> f64 {
    1.0 / (1.0 + (-(bin as f64 * WIDTH + LOWEST)).exp())
}

/// Predicted against seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    wrong: [f64; BINS],
    predicted: [f64; BINS],
    ratio: [f64; BINS],
    since_fit: u32,
}

impl Default for Calibration {
    fn default() -> Self {
        let ratio = (PRIOR_ERRORS + PRIOR_ERRORS.sqrt()) / PRIOR_ERRORS;
        Self { wrong: [0.0; BINS], predicted: [0.0; BINS], ratio: [ratio; BINS], since_fit: 0 }
    }
}

impl Calibration {
    /// The corrected probability.
    #[must_use]
    pub fn correct(&self, probability: f64) -> f64 {
        (probability * self.ratio[bin(probability)]).min(1.0)
    }

    /// Takes in a label that stands for `weight` labels.
    pub fn learn(&mut self, probability: f64, wrong: bool, weight: f64) {
        let bin = bin(probability);
        self.predicted[bin] += weight * probability;
        self.wrong[bin] += if wrong { weight } else { 0.0 };
        self.since_fit += 1;
        if self.since_fit >= REFIT_EVERY {
            self.since_fit = 0;
            self.fit();
        }
    }

    fn fit(&mut self) {
        for bin in 0..BINS {
            let (mut wrong, mut predicted) = (PRIOR_ERRORS, PRIOR_ERRORS);
            for other in 0..BINS {
                let away = (bin as f64 - other as f64) / KERNEL;
                let near = (-0.5 * away * away).exp();
                wrong += near * self.wrong[other];
                predicted += near * self.predicted[other];
            }
            self.ratio[bin] = (wrong + wrong.sqrt()) / predicted;
        }
    }
}

impl Saved for Calibration {
    fn save(&self, to: &mut Vec<f64>) {
        let Self { wrong, predicted, ratio, since_fit } = self;
        to.extend(wrong.iter().chain(predicted).chain(ratio));
        to.push(f64::from(*since_fit));
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        for part in [&mut self.wrong, &mut self.predicted, &mut self.ratio] {
            each(part, from, amount)?;
        }
        self.since_fit = u32::try_from(count(from)?).ok()?;
        Some(())
    }
}
