//! What each model is believed to cost on each query, and which one to call.
//!
//! Learns from bandit feedback alone: only the cost of the model that ran is seen. State is bounded
//! (`table.rs`), decisions are a function of it, so propensities are 1.

use super::choice::{Choice, Reason};
use super::prior::Advice;
use super::sets::{bits, lowest_by};
use super::table::{Arm, Table, narrow};
use super::value_of_information::{NOWHERE, PROMISE_SHARE, Recent};
use super::{CostRange, Estimator, Pooled, config, finite_cost};
use crate::error::Error;

/// Most models one query is routed among.
pub const MAX_MODELS: usize = 64;

/// Costs of K models per query, bounded in memory.
#[derive(Clone, Debug)]
pub struct Beliefs {
    pub(super) estimator: Estimator,
    pub(super) range: CostRange,
    pub(super) table: Table,
    pub(super) pooled: Pooled,
    /// The pooled deviation as the last step began: a cost is judged by the spread known before it.
    pub(super) deviation: f64,
    pub(super) recent: Vec<Recent>,
}

impl Beliefs {
    /// An empty table of at most `max_keys` queries.
    ///
    /// # Errors
    /// [`Error::Config`] for 0 or more than [`MAX_MODELS`] models, `max_keys` outside 1..=2³²-1, or settings
    /// out of range.
    pub fn new(
        models: usize,
        estimator: Estimator,
        range: CostRange,
        max_keys: usize,
    ) -> Result<Self, Error> {
        if !(1..=MAX_MODELS).contains(&models) {
            return Err(config(format!("a router takes 1 to {MAX_MODELS} models, not {models}")));
        }
        if max_keys == 0 || u32::try_from(max_keys).is_err() {
            return Err(config(format!("max_keys must be 1 to {}, not {max_keys}", u32::MAX)));
        }
        let estimator = estimator.validate()?;
        let range = CostRange::new(range.floor, range.ceiling)?;
        let pooled = Pooled::default();
        Ok(Self {
            estimator,
            range,
            table: Table::new(models, max_keys),
            pooled,
            deviation: estimator.deviation(&pooled),
            recent: vec![Recent::new(); models],
        })
    }

    /// Number of models.
    #[must_use]
    pub fn models(&self) -> usize {
        self.table.models()
    }

    /// Queries with at least one cost.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing was observed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.table.bytes() + self.recent.capacity() * size_of::<Recent>()
    }

    /// What all arms have in common.
    #[must_use]
    pub fn pooled(&self) -> &Pooled {
        &self.pooled
    }

    /// Mean square of a cost about the mean of its query and model.
    #[must_use]
    pub fn noise(&self) -> f64 {
        let s0 = match self.estimator {
            Estimator::ValueOfInformation { s0, .. } | Estimator::PooledVariance { s0, .. } => s0,
            _ => None,
        };
        self.pooled.sd(s0).powi(2)
    }

    /// The model to call for a query asked `count` times (this one included), among `allowed` or all.
    ///
    /// # Errors
    /// [`Error::Config`] when `allowed` is empty or names a model that is not there.
    pub fn decide(&mut self, hash: u64, count: f64, allowed: Option<&[usize]>) -> Result<Choice, Error> {
        self.decide_with(hash, count, allowed, Advice::NONE)
    }

    /// [`Self::decide`] where more is known of the query than its own costs.
    ///
    /// # Errors
    /// As [`Self::decide`]; [`Error::Config`] also for advice that does not fit the models.
    pub fn decide_with(
        &mut self,
        hash: u64,
        count: f64,
        allowed: Option<&[usize]>,
        advice: Advice<'_>,
    ) -> Result<Choice, Error> {
        let (model, reason) = self.pick_with(hash, count, allowed, advice)?;
        let row = self.table.find(hash);
        let arm = |k: usize| row.map_or(Arm::UNTRIED, |row| self.table.row(row)[k]);
        let models = 0..self.models();
        Ok(Choice {
            model,
            reason,
            lower: models
                .clone()
                .map(|k| {
                    advice.prior.map_or_else(|| self.lower(&arm(k)), |prior| self.lower_after(row, k, prior))
                })
                .collect(),
            mean: models.clone().map(|k| Some(arm(k)).filter(|arm| arm.n > 0).map(|arm| arm.mean)).collect(),
            tries: models.map(|k| arm(k).n).collect(),
            prior: advice.prior.map(|prior| prior.means.to_vec()),
            propensity: 1.0,
        })
    }

    /// [`Self::decide`] without the record: allocates nothing.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub fn pick(
        &mut self,
        hash: u64,
        count: f64,
        allowed: Option<&[usize]>,
    ) -> Result<(usize, Reason), Error> {
        self.pick_with(hash, count, allowed, Advice::NONE)
    }

    /// [`Self::pick`] where more is known of the query than its own costs.
    ///
    /// # Errors
    /// As [`Self::decide_with`].
    pub fn pick_with(
        &mut self,
        hash: u64,
        count: f64,
        allowed: Option<&[usize]>,
        advice: Advice<'_>,
    ) -> Result<(usize, Reason), Error> {
        self.fits(advice)?;
        let allowed = self.mask(allowed)?;
        self.deviation = self.estimator.deviation(&self.pooled);
        let row = self.table.find(hash);
        let chosen =
            self.advised(row, count, allowed, advice).unwrap_or_else(|| self.choose(row, count, allowed));
        Ok(if allowed.is_power_of_two() { (chosen.0, Reason::Only) } else { chosen })
    }

    /// Takes in what `model` cost on this query; `true` when it is the first cost known of the two.
    ///
    /// # Errors
    /// [`Error::Config`] for a model that is not there, [`Error::Cost`] for a cost that is NaN, infinite or
    /// negative; nothing changes then.
    pub fn observe(&mut self, hash: u64, model: usize, cost: f64) -> Result<bool, Error> {
        self.known(model)?;
        let cost = finite_cost(cost)?;
        self.deviation = self.estimator.deviation(&self.pooled);
        let row = match self.table.find(hash) {
            Some(row) => {
                self.table.spared[row] = true;
                row
            }
            None => self.insert(hash),
        };
        let arm = &mut self.table.row_mut(row)[model];
        let first = arm.n == 0;
        arm.squares += self.pooled.observe(&mut arm.n, &mut arm.mean, cost);
        arm.last = cost;
        let (place, mean) = (arm.place, arm.mean);
        if first {
            self.enter(row, model, mean);
        } else if place != NOWHERE {
            self.recent[model].update(place, mean);
        }
        Ok(first)
    }

    /// Adds `delta` to a cost observed of `model` on this query: part of it was learnt later. `false` when
    /// nothing is known of them (never observed, or forgotten since).
    ///
    /// The mean is exact whichever cost is meant. The spread takes it to be the last one, or, where that would
    /// become negative, an older one that stood at the mean.
    ///
    /// # Errors
    /// [`Error::Config`] for a model that is not there; [`Error::Cost`] when `delta` is not finite or beyond
    /// what a cost can be.
    pub fn amend(&mut self, hash: u64, model: usize, delta: f64) -> Result<bool, Error> {
        self.known(model)?;
        let Some(row) = self.table.find(hash) else { return Ok(false) };
        let arm = &mut self.table.row_mut(row)[model];
        if arm.n == 0 {
            return Ok(false);
        }
        finite_cost(delta.abs())?;
        let latest = arm.last + delta >= 0.0;
        let before = if latest { arm.last } else { arm.mean.max(-delta) };
        let cost = finite_cost(before + delta)?;
        let n = f64::from(arm.n);
        let growth = delta * (2.0 * (before - arm.mean) + delta * (1.0 - 1.0 / n));
        arm.squares = (arm.squares + growth).max(0.0);
        arm.mean = (arm.mean + delta / n).max(0.0);
        if latest {
            arm.last = cost;
        }
        let (place, mean) = (arm.place, arm.mean);
        self.pooled.amend(delta, growth, cost);
        if place != NOWHERE {
            self.recent[model].update(place, mean);
        }
        Ok(true)
    }

    /// What a miss on a query asked `count` times is worth avoiding: [`Estimator::worth_at`] for the model of the
    /// lowest bound. While an untried model may yet prove cheap it is the floor, and where that is 0, which tells
    /// no query from another, a small share of what the model promises.
    #[must_use]
    pub fn value(&self, hash: u64, count: f64) -> f64 {
        self.worth(hash, count, self.all())
    }

    /// [`Self::value`] where only the models of `allowed` (or all) may be called.
    ///
    /// # Errors
    /// As [`Self::decide`].
    pub fn value_among(&self, hash: u64, count: f64, allowed: Option<&[usize]>) -> Result<f64, Error> {
        Ok(self.worth(hash, count, self.mask(allowed)?))
    }

    /// [`Self::value_among`] where more is known of the query than its own costs: with a prior the lowest
    /// bound it gives, for a query without costs too.
    ///
    /// # Errors
    /// As [`Self::decide_with`].
    pub fn value_with(
        &self,
        hash: u64,
        count: f64,
        allowed: Option<&[usize]>,
        advice: Advice<'_>,
    ) -> Result<f64, Error> {
        self.fits(advice)?;
        let allowed = self.mask(allowed)?;
        let Some(prior) = advice.prior else { return Ok(self.worth(hash, count, allowed)) };
        Ok(self.worth_after(self.table.find(hash), count, allowed, prior))
    }

    /// States every invariant.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check(&self) {
        self.table.check();
        self.pooled.check();
        for (model, recent) in self.recent.iter().enumerate() {
            for (place, (mean, row)) in recent.entries().enumerate() {
                if row == Recent::NO_ROW {
                    continue;
                }
                let arm = &self.table.row(row as usize)[model];
                assert_eq!(usize::from(arm.place), place, "model {model}: row {row} is elsewhere");
                assert_eq!(arm.mean.to_bits(), mean.to_bits(), "model {model}: mean of row {row} is stale");
            }
        }
        for (at, arm) in self.table.arms.iter().enumerate().filter(|(_, arm)| arm.place != NOWHERE) {
            let (row, model) = (at / self.models(), at % self.models());
            let entry = self.recent[model].entries().nth(usize::from(arm.place));
            assert_eq!(entry.map(|entry| entry.1 as usize), Some(row), "row {row} lost its place");
        }
    }

    fn lower(&self, arm: &Arm) -> f64 {
        self.estimator.lower_at(arm.view(), self.deviation, self.pooled.largest(), self.range)
    }

    fn worth(&self, hash: u64, count: f64, allowed: u64) -> f64 {
        let Some(row) = self.table.find(hash) else { return self.range.floor };
        let (model, reason) = self.choose(Some(row), count, allowed);
        let arms = self.table.row(row);
        match reason {
            Reason::LowestBound | Reason::Only => {
                let largest = self.pooled.largest();
                self.estimator.worth_at(arms[model].view(), self.deviation, largest, self.range)
            }
            Reason::Exploring if self.estimator.least_share(self.range) > 0.0 => self.promise(arms, model),
            Reason::Untried | Reason::Exploring | Reason::Prior | Reason::Guessed => self.range.floor,
        }
    }

    /// A share of `E[min(m, X)]`, for the best tried mean `m` and the costs `X` that the untried `model` has shown
    /// on other queries.
    fn promise(&self, arms: &[Arm], model: usize) -> f64 {
        let best = arms.iter().filter(|arm| arm.n > 0).map(|arm| arm.mean).fold(f64::INFINITY, f64::min);
        PROMISE_SHARE * self.recent[model].expected_below(best, self.range.floor)
    }

    /// Every model, as bits.
    fn all(&self) -> u64 {
        u64::MAX >> (MAX_MODELS - self.models())
    }

    /// Models of `allowed` as bits.
    fn mask(&self, allowed: Option<&[usize]>) -> Result<u64, Error> {
        let Some(allowed) = allowed else { return Ok(self.all()) };
        if allowed.is_empty() {
            return Err(config("no model is allowed".into()));
        }
        allowed.iter().try_fold(0, |mask, &model| self.known(model).map(|()| mask | 1 << model))
    }

    pub(super) fn known(&self, model: usize) -> Result<(), Error> {
        if model < self.models() {
            return Ok(());
        }
        Err(config(format!("model {model} is not among the {} of this router", self.models())))
    }

    fn choose(&self, row: Option<usize>, count: f64, allowed: u64) -> (usize, Reason) {
        let arms = row.map(|row| self.table.row(row));
        let tried = arms.map_or(0, |arms| {
            arms.iter().enumerate().fold(0, |tried, (k, arm)| tried | u64::from(arm.n > 0) << k)
        }) & allowed;
        let Some(arms) = arms.filter(|_| tried != 0) else { return (self.first(allowed), Reason::Untried) };
        if let Estimator::ValueOfInformation { forecast, .. } = self.estimator {
            if let Some(model) = self.worth_a_look(arms, tried, allowed & !tried, forecast * count) {
                return (model, Reason::Exploring);
            }
            return (self.lowest(arms, tried), Reason::LowestBound);
        }
        let model = self.lowest(arms, allowed);
        (model, if arms[model].n == 0 { Reason::Untried } else { Reason::LowestBound })
    }

    /// The model for a query without costs: lowest expectation under value of information, else the first.
    fn first(&self, allowed: u64) -> usize {
        if !matches!(self.estimator, Estimator::ValueOfInformation { .. }) {
            return allowed.trailing_zeros() as usize;
        }
        lowest_by(allowed, |k| (self.recent[k].expected(self.range.floor), false))
    }

    /// Of the untried models whose look pays over `to_come` more calls, the one that gains most.
    fn worth_a_look(&self, arms: &[Arm], tried: u64, untried: u64, to_come: f64) -> Option<usize> {
        if untried == 0 {
            return None;
        }
        let best = bits(tried).map(|k| arms[k].mean).fold(f64::INFINITY, f64::min);
        let gain = |k: usize| self.recent[k].gain(to_come, best, self.range.floor);
        let model = lowest_by(untried, |k| (-gain(k), false));
        (gain(model) > 0.0).then_some(model)
    }

    /// The lowest bound; on ties a tried model before an untried one, then the lower index.
    fn lowest(&self, arms: &[Arm], among: u64) -> usize {
        lowest_by(among, |k| (self.lower(&arms[k]), arms[k].n == 0))
    }

    fn insert(&mut self, hash: u64) -> usize {
        let recent = &mut self.recent;
        self.table.insert(hash, |arms| {
            for (arm, recent) in arms.iter().zip(recent.iter_mut()).filter(|(arm, _)| arm.place != NOWHERE) {
                recent.orphan(arm.place);
            }
        })
    }

    /// `row` was first tried with `model` just now.
    fn enter(&mut self, row: usize, model: usize, mean: f64) {
        let (place, lost) = self.recent[model].enter(narrow(row), mean);
        if let Some(lost) = lost {
            self.table.row_mut(lost as usize)[model].place = NOWHERE;
        }
        self.table.row_mut(row)[model].place = place;
    }
}
