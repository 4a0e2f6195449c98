//! What the model's probabilities turned out to be worth.
//!
//! Each label met a probability before it was learnt. Around each bin of log-odds a logistic line
//! logit p = a + b x, weighted by nearness, is fitted to those labels under a prior that leaves predictions as they
//! are; its upper end, one standard error up, corrects the next prediction. Local, since a model is not off by as much
//! everywhere; a line, since the labels of what was declined must speak for what is served.

use super::saved::{Numbers, Saved, amount, count, each, finite};

/// Bins of the log-odds of a wrong answer.
pub const BINS: usize = 40;
const LOWEST: f64 = -9.0;
const WIDTH: f64 = 11.0 / BINS as f64;
/// Standard deviation of the nearness, in log-odds.
const BAND: f64 = 1.5;
/// Nearness below which labels are left out.
const FARTHEST: f64 = 1e-3;
/// Prior mean and standard deviation of the level's correction: fresh models err towards caution.
const LEVEL: (f64, f64) = (-0.18, 0.2);
/// The same after predictions ceased to hold: cautious, and quick to be taught otherwise.
const SHAKEN: (f64, f64) = (1.0, 1.0);
/// Prior standard deviation of the slope around 1, and the range that it is kept in.
const SLOPE: f64 = 0.07;
const SLOPES: (f64, f64) = (0.3, 2.0);
/// Newton steps of a fit, each at most so long in level and slope.
const STEPS: usize = 4;
const LONGEST: (f64, f64) = (1.0, 0.5);
/// Standard errors added.
const CAUTION: f64 = 1.0;
/// Labels after which the lines are fitted again.
const REFIT_EVERY: u32 = 20;

/// The bin of a probability.
#[must_use]
pub fn bin(probability: f64) -> usize {
    let place = ((log_odds(probability) - LOWEST) / WIDTH).max(0.0);
    (0..BINS - 1).find(|&bin| place < bin as f64 + 1.0).unwrap_or(BINS - 1)
}

/// The least probability of a bin.
#[must_use]
pub fn edge(bin: usize) -> f64 {
    sigmoid(bin as f64 * WIDTH + LOWEST)
}

fn middle(bin: usize) -> f64 {
    (bin as f64 + 0.5) * WIDTH + LOWEST
}

fn log_odds(probability: f64) -> f64 {
    let inside = probability.clamp(1e-9, 1.0 - 1e-9);
    (inside / (1.0 - inside)).ln()
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Predicted against seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    labels: [f64; BINS],
    wrong: [f64; BINS],
    /// Corrected log-odds at the middle of each bin, and their slope there.
    lines: [(f64, f64); BINS],
    /// Prior mean and standard deviation of the level's correction.
    prior: (f64, f64),
    since_fit: u32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self::under(LEVEL)
    }
}

impl Calibration {
    fn under(prior: (f64, f64)) -> Self {
        let zero = [0.0; BINS];
        let mut fresh = Self { labels: zero, wrong: zero, lines: [(0.0, 1.0); BINS], prior, since_fit: 0 };
        fresh.fit();
        fresh
    }

    /// Forgets all labels, since predictions have ceased to hold.
    pub fn restart(&mut self) {
        *self = Self::under(SHAKEN);
    }

    /// The corrected probability.
    #[must_use]
    pub fn correct(&self, probability: f64) -> f64 {
        let bin = bin(probability);
        let (level, slope) = self.lines[bin];
        sigmoid(level + slope * (log_odds(probability) - middle(bin)).clamp(-1.0, 1.0))
    }

    /// The corrected probability at the middle of each bin.
    #[must_use]
    pub fn corrected(&self) -> [f64; BINS] {
        self.lines.map(|(level, _)| sigmoid(level))
    }

    /// Takes in a label that stands for `weight` labels. Returns whether corrections have changed.
    pub fn learn(&mut self, probability: f64, wrong: bool, weight: f64) -> bool {
        let bin = bin(probability);
        self.labels[bin] += weight;
        self.wrong[bin] += if wrong { weight } else { 0.0 };
        self.since_fit = (self.since_fit + 1) % REFIT_EVERY;
        if self.since_fit == 0 {
            self.fit();
        }
        self.since_fit == 0
    }

    /// Labels and wrong answers of each bin: its least probability, labels, wrong ones.
    pub fn table(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        (0..BINS).map(|bin| (edge(bin), self.labels[bin], self.wrong[bin]))
    }

    fn fit(&mut self) {
        let mut highest = f64::MIN;
        for bin in 0..BINS {
            let (level, slope) = self.line(bin);
            highest = highest.max(level); // a higher prediction is never corrected to a lower probability
            self.lines[bin] = (highest, slope);
        }
    }

    /// Level, with its standard error, and slope of the line around a bin.
    fn line(&self, bin: usize) -> (f64, f64) {
        let here = middle(bin);
        let near: Vec<(usize, f64, f64)> = (0..BINS)
            .map(|other| (other, middle(other) - here))
            .map(|(other, away)| (other, away, (-0.5 * (away / BAND).powi(2)).exp()))
            .filter(|&(other, _, nearness)| nearness >= FARTHEST && self.labels[other] > 0.0)
            .collect();
        let (sure, sure_slope) = (self.prior.1.powi(-2), SLOPE.powi(-2));
        let (mut level, mut slope, mut error) = (self.prior.0, 1.0, self.prior.1);
        for _ in 0..STEPS {
            let mut gradient = (sure * (self.prior.0 - level), sure_slope * (1.0 - slope));
            let mut curvature = (sure, 0.0, sure_slope);
            for &(other, away, nearness) in &near {
                let expected = sigmoid(here + level + slope * away);
                let residual = nearness * (self.wrong[other] - self.labels[other] * expected);
                let information = nearness * self.labels[other] * expected * (1.0 - expected);
                gradient = (gradient.0 + residual, gradient.1 + residual * away);
                curvature.0 += information;
                curvature.1 += information * away;
                curvature.2 += information * away * away;
            }
            let determinant = curvature.0 * curvature.2 - curvature.1 * curvature.1;
            let step = (curvature.2 * gradient.0 - curvature.1 * gradient.1) / determinant;
            let turn = (curvature.0 * gradient.1 - curvature.1 * gradient.0) / determinant;
            level += step.clamp(-LONGEST.0, LONGEST.0);
            slope = (slope + turn.clamp(-LONGEST.1, LONGEST.1)).clamp(SLOPES.0, SLOPES.1);
            error = (curvature.2 / determinant).sqrt();
        }
        (here + level + CAUTION * error, slope)
    }
}

impl Saved for Calibration {
    fn save(&self, to: &mut Vec<f64>) {
        let Self { labels, wrong, lines, prior, since_fit } = self;
        to.extend(labels.iter().chain(wrong));
        to.extend([f64::from(u8::from(*prior == SHAKEN)), f64::from(*since_fit)]);
        to.extend(lines.iter().flat_map(|&(level, slope)| [level, slope]));
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        each(&mut self.labels, from, amount)?;
        each(&mut self.wrong, from, amount)?;
        self.prior = if count(from)? == 0 { LEVEL } else { SHAKEN };
        self.since_fit = u32::try_from(count(from)?).ok()?;
        for (level, slope) in &mut self.lines {
            *level = finite(from)?;
            *slope = amount(from)?;
        }
        Some(())
    }
}
