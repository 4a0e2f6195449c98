//! What the pooled model knows before its first label.
//!
//! Fitted on pairs of questions that belong to none of the sets this project reports on; the weights of numbers,
//! negation, opposites and agreement are set by hand, towards caution. `benches/prior/fit.py` names the pairs, fits them
//! anew, and checks that these weights are near that fit.

use super::features::FEATURES;

/// Means of the weights.
pub const MEANS: [f64; FEATURES] = [
    -0.5647, 1.0924, 0.271, 0.6106, 0.4447, -0.3984, 0.3252, 0.818, 0.3089, -0.2706, -0.0216, -2.5, -1.0,
    -0.4739, -0.3513, -0.2969, 0.1713, -2.0941, -1.7286, -1.0, -1.0, 0.3973, -0.0256, 0.1239, -0.5744, 0.0,
    0.5, 0.0, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0,
];

/// Standard deviations of the weights.
pub const DEVIATIONS: [f64; FEATURES] = [
    1.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4,
    0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4,
];

/// The largest probability of a wrong answer at which a candidate without any stream around it is served, and the
/// share of wrong answers this served on the pairs of the fit. Between two rows the bound is interpolated.
pub const ALONE: [(f64, f64); 6] =
    [(0.0, 0.0), (0.005, 0.45), (0.01, 0.52), (0.02, 0.6), (0.04, 0.7), (0.06, 0.75)];
