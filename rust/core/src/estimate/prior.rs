//! What a query is expected to cost before it has costs of its own: a multiplexer's prior and a first guess.
//!
//! A multiplexer knows queries by their features. Its expected cost of a model counts like `strength` costs
//! seen at that mean, and the costs of the query itself count on top:
//! `m = (strength · prior + Σ costs) / (strength + n)`. So a prior decides where nothing else is known, and
//! memory overrules it where it is wrong. The bound is `m - z/4 · sd / sqrt(strength + n)` for the estimators
//! with a pooled deviation, and `m` for the others: a wider one tries models of which the prior already knew
//! that they would not pay (on a long tail of four models, z itself costs 4 % more than z/4), none at all
//! stays with a model whose first cost was unlucky.
//!
//! A prior that knows its own errors gives a deviation a model instead: the strength is then the squared
//! deviation of single costs over that of the prior, model by model, and a model untried on the query is tried
//! by the rule of `value_of_information.rs`, with its cost X drawn from a normal law about the prior, cut at
//! the floor. A prior that knows nothing but each model's mean then explores as the table alone does.

use super::beliefs::Beliefs;
use super::choice::Reason;
use super::normal::shortfall;
use super::sets::{bits, lowest_by};
use super::table::Arm;
use super::{Estimator, config, finite_cost, pooled};
use crate::error::Error;

/// Share of the estimator's `z` that is left where a prior stands behind the mean.
const WIDTH: f64 = 0.25;
/// A measured strength is at least this, where costs hardly vary: 0 would divide by itself.
const LEAST_STRENGTH: f64 = 1e-6;
/// And at most this: a prior that was never wrong so far may be yet.
const MOST_MEASURED: f64 = 16.0;
/// A stronger prior could not be told from certainty.
const MOST_STRENGTH: f64 = 1e12;

/// Expected costs by model, with what they weigh. Nothing of it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior<'a> {
    /// One place a model, in cost units.
    pub means: &'a [f64],
    /// How many observed costs each mean is worth.
    pub strength: f64,
    /// How far the truth lies from each mean, in cost units; takes the place of the strength.
    pub deviations: Option<&'a [f64]>,
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
        Ok(Self { means, strength, deviations: None })
    }

    fn strength_of(&self, k: usize, deviation: f64) -> f64 {
        let Some(own) = self.deviations else { return self.strength };
        let ratio = deviation / own[k].max(f64::MIN_POSITIVE);
        (ratio * ratio).clamp(LEAST_STRENGTH, MOST_MEASURED)
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
            Some(prior) if prior.deviations.is_some_and(|own| own.len() != self.models()) => {
                Err(config(format!("a prior needs a deviation for each of {} models", self.models())))
            }
            _ => Ok(()),
        }
    }

    /// The choice where there is advice; `None` where there is none that counts here.
    pub(super) fn advised(
        &self,
        row: Option<usize>,
        count: f64,
        allowed: u64,
        advice: Advice<'_>,
    ) -> Option<(usize, Reason)> {
        let tried = self.tried(row) & allowed;
        if let Some(guess) = advice.guess.filter(|guess| tried == 0 && allowed & 1 << guess != 0) {
            return Some((guess, Reason::Guessed));
        }
        let prior = advice.prior?;
        if let Some((model, _)) = self.look(row, count, allowed, prior) {
            return Some((model, Reason::Exploring));
        }
        let settled = if prior.deviations.is_some() && tried != 0 { tried } else { allowed };
        let untried = |k: usize| tried & 1 << k == 0;
        let model = lowest_by(settled, |k| (self.lower_after(row, k, prior), untried(k)));
        Some((model, if untried(model) { Reason::Prior } else { Reason::LowestBound }))
    }

    /// What a miss is worth avoiding, with a prior behind the costs: the lowest bound, or where a look pays what
    /// it promises.
    pub(super) fn worth_after(&self, row: Option<usize>, count: f64, allowed: u64, prior: Prior<'_>) -> f64 {
        if let Some((_, promised)) = self.look(row, count, allowed, prior) {
            return promised.max(self.range.floor);
        }
        let tried = self.tried(row) & allowed;
        let settled = if prior.deviations.is_some() && tried != 0 { tried } else { allowed };
        bits(settled).map(|k| self.lower_after(row, k, prior)).fold(f64::INFINITY, f64::min)
    }

    /// Of the untried models of a query with costs, the one whose look gains most, if any pays, with the least
    /// cost to be expected after it. Only for a prior that knows its errors.
    fn look(&self, row: Option<usize>, count: f64, allowed: u64, prior: Prior<'_>) -> Option<(usize, f64)> {
        let deviations = prior.deviations?;
        let tried = self.tried(row) & allowed;
        let untried = allowed & !tried;
        if tried == 0 || untried == 0 {
            return None;
        }
        let best = bits(tried).map(|k| self.mean_after(row, k, prior).0).fold(f64::INFINITY, f64::min);
        let saved = |k: usize| {
            let short = |level| shortfall(level, prior.means[k], deviations[k]);
            (short(best) - short(self.range.floor)).max(0.0)
        };
        let to_come = match self.estimator {
            Estimator::ValueOfInformation { forecast, .. } => forecast * count,
            _ => count,
        };
        let gain = |k: usize| to_come * saved(k) - (prior.means[k] - best);
        let model = lowest_by(untried, |k| (-gain(k), false));
        (gain(model) > 0.0).then(|| (model, best - saved(model)))
    }

    /// Models with costs on the query in `row`, as bits.
    fn tried(&self, row: Option<usize>) -> u64 {
        let arms = row.map_or(&[][..], |row| self.table.row(row));
        arms.iter().enumerate().fold(0, |tried, (k, arm)| tried | u64::from(arm.n > 0) << k)
    }

    /// Lower bound of what model `k` costs on the query in `row`, with a prior behind it. Where the errors of the
    /// prior are known, what is untried stands at its mean: looks have a rule of their own.
    pub(super) fn lower_after(&self, row: Option<usize>, k: usize, prior: Prior<'_>) -> f64 {
        let (mean, n, weight) = self.mean_after(row, k, prior);
        let bonus = match self.estimator {
            Estimator::ValueOfInformation { z, .. } | Estimator::PooledVariance { z, .. }
                if n > 0.0 || prior.deviations.is_none() =>
            {
                pooled::bonus(weight, self.deviation, WIDTH * z)
            }
            _ => 0.0,
        };
        (mean - bonus).max(self.range.floor)
    }

    /// The mean with the prior behind it, the costs seen, and what all of it weighs.
    fn mean_after(&self, row: Option<usize>, k: usize, prior: Prior<'_>) -> (f64, f64, f64) {
        let arm = row.map_or(Arm::UNTRIED, |row| self.table.row(row)[k]);
        let n = f64::from(arm.n);
        let strength = prior.strength_of(k, self.deviation);
        let weight = strength + n;
        ((strength * prior.means[k] + n * arm.mean) / weight, n, weight)
    }
}
