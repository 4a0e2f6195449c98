//! What a query is expected to cost before it has costs of its own: a multiplexer's prior and a first guess.
//!
//! A multiplexer knows queries by their features. Its expected cost of a model counts like `strength` costs
//! seen at that mean, and the costs of the query itself count on top:
//! `m = (strength · prior + Σ costs) / (strength + n)`. So a prior decides where nothing else is known, and
//! memory overrules it where it is wrong. The bound is `m - z/4 · sd / sqrt(strength + n)` for the estimators
//! with a pooled deviation, and `m` for the others: a wider one tries models of which the prior already knew
//! that they would not pay (on a long tail of four models, z itself costs 4 % more than z/4), none at all
//! stays with a model whose first cost was unlucky.

use super::beliefs::{Beliefs, Reason, bits, lowest_by};
use super::table::Arm;
use super::{Estimator, config, finite_cost, pooled};
use crate::error::Error;

/// Share of the estimator's `z` that is left where a prior stands behind the mean.
const WIDTH: f64 = 0.25;
/// A stronger prior could not be told from certainty.
const MOST_STRENGTH: f64 = 1e12;

/// Expected costs by model, with what they weigh. Nothing of it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior<'a> {
    /// One place a model, in cost units.
    pub means: &'a [f64],
    /// How many observed costs each mean is worth.
    pub strength: f64,
}

impl<'a> Prior<'a> {
    /// Takes finite `means >= 0` and a `strength` in (0, 1e12].
    ///
    /// # Errors
    /// [`Error::Cost`] for a mean that is no cost, [`Error::Config`] for the strength.
    pub fn new(means: &'a [f64], strength: f64) -> Result<Self, Error> {
        if !(strength > 0.0 && strength <= MOST_STRENGTH) {
            return Err(config(format!("the strength of a prior must lie in (0, 1e12], not {strength}")));
        }
        for &mean in means {
            finite_cost(mean)?;
        }
        Ok(Self { means, strength })
    }
}

/// What is known of a query besides its own costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Advice<'a> {
    /// Expected costs.
    pub prior: Option<Prior<'a>>,
    /// The model to call first, while the query has no costs with any of the allowed ones.
    pub guess: Option<usize>,
}

impl Advice<'_> {
    /// No advice: the query is known by its costs alone.
    pub const NONE: Self = Self { prior: None, guess: None };
}

impl Beliefs {
    /// Refuses advice that does not fit these models.
    pub(super) fn fits(&self, advice: Advice<'_>) -> Result<(), Error> {
        if let Some(guess) = advice.guess {
            self.known(guess)?;
        }
        match advice.prior {
            Some(prior) if prior.means.len() != self.models() => Err(config(format!(
                "a prior of {} means does not fit {} models",
                prior.means.len(),
                self.models()
            ))),
            _ => Ok(()),
        }
    }

    /// The choice where there is advice; `None` where there is none that counts here.
    pub(super) fn advised(
        &self,
        row: Option<usize>,
        allowed: u64,
        advice: Advice<'_>,
    ) -> Option<(usize, Reason)> {
        let untried = |k: usize| row.is_none_or(|row| self.table.row(row)[k].n == 0);
        if let Some(guess) = advice.guess.filter(|guess| allowed & 1 << guess != 0)
            && bits(allowed).all(untried)
        {
            return Some((guess, Reason::Guessed));
        }
        let prior = advice.prior?;
        let model = lowest_by(allowed, |k| (self.lower_after(row, k, prior), untried(k)));
        Some((model, if untried(model) { Reason::Prior } else { Reason::LowestBound }))
    }

    /// Lower bound of what model `k` costs on the query in `row`, with a prior behind it.
    pub(super) fn lower_after(&self, row: Option<usize>, k: usize, prior: Prior<'_>) -> f64 {
        let arm = row.map_or(Arm::UNTRIED, |row| self.table.row(row)[k]);
        let n = f64::from(arm.n);
        let weight = prior.strength + n;
        let mean = (prior.strength * prior.means[k] + n * arm.mean) / weight;
        let bonus = match self.estimator {
            Estimator::ValueOfInformation { z, .. } | Estimator::PooledVariance { z, .. } => {
                pooled::bonus(weight, self.deviation, WIDTH * z)
            }
            _ => 0.0,
        };
        (mean - bonus).max(self.range.floor)
    }
}
