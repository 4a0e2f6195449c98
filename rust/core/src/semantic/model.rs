//! One logistic model over all entries, in which an entry's own record is a deviation.
//!
//! P(right) = sigmoid(w · features + b(entry)), w ~ N(prior), b ~ N(0, DEVIATION). Both are updated label by label with
//! one Newton step (the online Laplace approximation), so evidence of one entry moves every entry a little, and
//! its own entry most. No step depends on anything but the labels and their order.

use super::features::FEATURES;
use super::saved::{Numbers, Saved, each, finite};

/// Variance of an entry's deviation, on the logit scale.
const DEVIATION: f64 = 1.0;
/// Least share of the variance of the prior that a weight keeps: a model that is sure for ever cannot follow drift.
const HEAVIEST_WEIGHT: f64 = 5.0;

/// What an entry's labels say beyond what the pooled model expected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Record {
    /// Sum of label less expectation.
    pub surprise: f64,
    /// Sum of the variances of the expectations.
    pub information: f64,
}

impl Record {
    /// The most likely deviation, on the logit scale.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        DEVIATION * self.surprise / (1.0 + DEVIATION * self.information)
    }
}

/// The pooled model.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled {
    /// Posterior means.
    pub weights: [f64; FEATURES],
    /// Posterior covariance, row by row.
    pub covariance: Vec<f64>,
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

impl Pooled {
    /// A model that knows the prior alone: means and standard deviations.
    #[must_use]
    pub fn new(means: &[f64; FEATURES], deviations: &[f64; FEATURES]) -> Self {
        let mut covariance = vec![0.0; FEATURES * FEATURES];
        for (place, deviation) in deviations.iter().enumerate() {
            covariance[place * (FEATURES + 1)] = deviation * deviation;
        }
        Self { weights: *means, covariance }
    }

    /// Is as unsure again as at the start, about what it has learnt.
    pub fn doubt(&mut self, deviations: &[f64; FEATURES]) {
        *self = Self::new(&self.weights, deviations);
    }

    /// Mean and variance of the logit of a right answer.
    #[must_use]
    pub fn logit(&self, features: &[f64; FEATURES], record: &Record) -> (f64, f64) {
        let mean: f64 = self.weights.iter().zip(features).map(|(weight, value)| weight * value).sum();
        let spread = self.times(features);
        let variance: f64 = spread.iter().zip(features).map(|(part, value)| part * value).sum();
        (mean + record.deviation(), variance.max(0.0))
    }

    /// Probability that the candidate's answer would be wrong, the uncertainty of the model included.
    #[must_use]
    pub fn wrong(&self, features: &[f64; FEATURES], record: &Record) -> f64 {
        let (mean, variance) = self.logit(features, record);
        sigmoid(-mean / (1.0 + std::f64::consts::FRAC_PI_8 * variance).sqrt())
    }

    /// Takes in a label; `weight` is how many labels it stands for.
    pub fn learn(&mut self, features: &[f64; FEATURES], record: &mut Record, right: bool, weight: f64) {
        let weight = weight.clamp(0.0, HEAVIEST_WEIGHT);
        let (mean, _) = self.logit(features, record);
        let expected = sigmoid(mean);
        let label = f64::from(u8::from(right));
        let information = expected * (1.0 - expected);
        let spread = self.times(features);
        let variance: f64 = spread.iter().zip(features).map(|(part, value)| part * value).sum();
        let shrink = weight * information / (1.0 + weight * information * variance.max(0.0));
        let step = weight * (label - expected) / (1.0 + weight * information * variance.max(0.0));
        for row in 0..FEATURES {
            self.weights[row] += step * spread[row];
            for column in 0..FEATURES {
                self.covariance[row * FEATURES + column] -= shrink * spread[row] * spread[column];
            }
        }
        record.surprise += label - sigmoid(self.logit(features, &Record::default()).0);
        record.information += information;
    }

    fn times(&self, features: &[f64; FEATURES]) -> [f64; FEATURES] {
        let mut product = [0.0; FEATURES];
        for (row, sum) in self.covariance.chunks_exact(FEATURES).zip(&mut product) {
            *sum = row.iter().zip(features).map(|(part, value)| part * value).sum();
        }
        product
    }
}

impl Saved for Pooled {
    fn save(&self, to: &mut Vec<f64>) {
        let Self { weights, covariance } = self;
        to.extend(weights.iter().chain(covariance));
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        each(&mut self.weights, from, finite)?;
        each(&mut self.covariance, from, finite)?;
        let diagonal = self.covariance.iter().step_by(FEATURES + 1);
        diagonal.copied().all(|variance| variance >= 0.0).then_some(())
    }
}
