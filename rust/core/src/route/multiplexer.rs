//! The multiplexer: features of a query → what each model is expected to cost on it.
//!
//! One recursive ridge regression a model (`ridge.rs`), calibrated on costs it had not seen (`calibration.rs`).
//! It learns from offline labels ([`Multiplexer::fit`]) and from bandit feedback alone: [`Multiplexer::learn`]
//! takes the cost of the model that ran. What it expects is a prior; the table of beliefs has the last word.
//!
//! Who learns from the models that ran alone may never learn that another is cheap: its first labels were
//! unlucky, or of another kind of query. So a model is looked at for the sake of the queries to come (`look`), by
//! the rule of `estimate/value_of_information.rs` one level up: with N labels so far as the forecast of labels to
//! come, and what the model costs here drawn from a normal law about what is expected, when
//! `N · E[(m - X)+] > E[X] - m`. The width of that law falls with the labels of queries like this one.

use super::calibration::Calibration;
use super::features::{Features, checked_dims};
use super::ridge::Ridge;
use crate::error::Error;
use crate::estimate::beliefs::MAX_MODELS;
use crate::estimate::normal::shortfall;
use crate::estimate::{Prior, config, finite_cost};

/// Labels of all models together before anything is expected.
const LEAST_LABELS: u64 = 32;
/// A model with fewer labels is expected to cost a little less than they say, as if one more had been free:
/// one unlucky label must not keep it from ever being tried.
const FEW_LABELS: usize = 8;

/// A model with as many labels is not looked at any more for the sake of others: what its features tell shows.
const LOOKED_AT: u64 = 48;
/// Labels' worth of the guess that costs spread as far as they are large.
const SPREAD_PRIOR: f64 = 4.0;

/// How much a prior weighs against costs seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Weight {
    /// As many costs.
    Strength(f64),
    /// As far as its errors allow, whose mean square this is by model (cost units squared).
    Spread(Vec<f64>),
    /// Nothing: the features were not shown to tell anything yet.
    Nothing,
}

/// What the models are expected to cost on one query.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// One place a model.
    pub means: Vec<f64>,
    /// What they weigh.
    pub weight: Weight,
    /// A model to try here for what it teaches, where no model was tried on the query.
    pub look: Option<usize>,
}

impl Expected {
    /// Expectations of somebody else's, at a strength of their own.
    ///
    /// # Errors
    /// As [`Prior::new`].
    pub fn new(means: Vec<f64>, strength: f64) -> Result<Self, Error> {
        Prior::new(&means, strength)?;
        Ok(Self { means, weight: Weight::Strength(strength), look: None })
    }
}

/// Settings of a multiplexer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Models to tell apart.
    pub models: usize,
    /// Features of a query.
    pub dims: usize,
    /// Ridge penalty, in observations.
    pub penalty: f64,
    /// Weight of what is expected; `None` measures it.
    pub strength: Option<f64>,
}

/// Expected costs by features, learnt in bounded memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Multiplexer {
    pub(super) settings: Settings,
    pub(super) arms: Vec<Learner>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Learner {
    pub(super) ridge: Ridge,
    pub(super) calibration: Calibration,
}

impl Multiplexer {
    /// One that has learnt nothing.
    ///
    /// # Errors
    /// [`Error::Config`] for settings out of range.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let Settings { models, dims, penalty, strength } = settings;
        if !(1..=MAX_MODELS).contains(&models) {
            return Err(config(format!("a multiplexer takes 1 to {MAX_MODELS} models, not {models}")));
        }
        checked_dims(dims)?;
        if !(penalty.is_finite() && penalty > 0.0) {
            return Err(config(format!("the ridge penalty must be finite and > 0, not {penalty}")));
        }
        if let Some(strength) = strength {
            Prior::new(&[], strength)?;
        }
        let learner = Learner { ridge: Ridge::new(dims, penalty), calibration: Calibration::default() };
        Ok(Self { settings, arms: vec![learner; models] })
    }

    /// What it was made with.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Labels taken in, by model.
    #[must_use]
    pub fn labels(&self) -> Vec<u64> {
        self.arms.iter().map(|arm| arm.calibration.seen).collect()
    }

    /// Share of the variance of each model's costs that it explains, on costs it had not seen.
    #[must_use]
    pub fn skills(&self) -> Vec<f64> {
        self.arms.iter().map(|arm| arm.calibration.skill()).collect()
    }

    /// What each model is expected to cost; `None` before there are labels enough. `looking` at models for what
    /// they teach is for who will [`Self::learn`] from it.
    ///
    /// # Errors
    /// [`Error::Config`] when the features are of another number.
    pub fn expect(&self, x: &Features, looking: bool) -> Result<Option<Expected>, Error> {
        self.fits(x)?;
        if self.labels().iter().sum::<u64>() < LEAST_LABELS {
            return Ok(None);
        }
        let means: Vec<f64> = self.arms.iter().map(|arm| arm.expected(x)).collect();
        let look = if looking { self.look(x, &means) } else { None };
        let weight = match self.settings.strength {
            Some(strength) => Weight::Strength(strength),
            None if self.tells() => Weight::Spread(self.arms.iter().map(Learner::spread).collect()),
            None => Weight::Nothing,
        };
        Ok(Some(Expected { means, weight, look }))
    }

    /// Takes in what one model cost on a query that it had not answered before; the number names the label.
    ///
    /// # Errors
    /// [`Error::Config`] for features or a model that do not fit, [`Error::Cost`] for what is no cost.
    pub fn learn(&mut self, x: &Features, model: usize, cost: f64) -> Result<u64, Error> {
        self.fits(x)?;
        let cost = finite_cost(cost)?;
        let arm = self.arm(model)?;
        let number = arm.calibration.take(arm.ridge.predict(x), cost);
        arm.ridge.learn(x, cost);
        Ok(number)
    }

    /// The cost of label `number` turns out to be `delta` more.
    ///
    /// # Errors
    /// As [`Self::learn`].
    pub fn amend(&mut self, x: &Features, model: usize, number: u64, delta: f64) -> Result<(), Error> {
        self.fits(x)?;
        finite_cost(delta.abs())?;
        let arm = self.arm(model)?;
        arm.calibration.amend(number, delta);
        arm.ridge.amend(x, delta);
        Ok(())
    }

    /// Takes in labels that are there already: `costs` is row-major, one row a query and one place a model,
    /// NaN where it is not known. Each is calibrated by what is expected of it without it.
    ///
    /// # Errors
    /// As [`Self::learn`], naming the row, and [`Error::Config`] for shapes that disagree; nothing changes then.
    pub fn fit(&mut self, rows: &[Features], costs: &[f64]) -> Result<(), Error> {
        let models = self.arms.len();
        if costs.len() != rows.len() * models {
            let (there, fit) = (costs.len(), rows.len() * models);
            return Err(config(format!(
                "{} queries and {models} models need {fit} costs, not {there}",
                rows.len()
            )));
        }
        for (row, (x, costs)) in rows.iter().zip(costs.chunks_exact(models)).enumerate() {
            let in_row = |error: Error| match error {
                Error::Cost { what } => Error::Cost { what: format!("row {row}: {what}") },
                other => config(format!("row {row}: {other}")),
            };
            self.fits(x).map_err(in_row)?;
            for cost in costs.iter().filter(|cost| !cost.is_nan()) {
                finite_cost(*cost).map_err(in_row)?;
            }
        }
        for (model, arm) in self.arms.iter_mut().enumerate() {
            let known = || {
                rows.iter().zip(costs.iter().skip(model).step_by(models)).filter(|(_, cost)| !cost.is_nan())
            };
            known().for_each(|(x, &cost)| arm.ridge.learn(x, cost));
            let pairs: Vec<_> = known().map(|(x, &cost)| (arm.ridge.without(x, cost), cost)).collect();
            arm.calibration.take_all(&pairs);
        }
        Ok(())
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.arms.iter().map(|arm| arm.ridge.bytes() + arm.calibration.bytes()).sum::<usize>()
    }

    /// States every invariant.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check(&self) {
        for arm in &self.arms {
            arm.ridge.check();
            arm.calibration.check();
        }
    }

    /// Whether the features were shown to tell anything of any model's costs.
    fn tells(&self) -> bool {
        self.arms.iter().any(|arm| arm.calibration.tells())
    }

    /// Of the models whose look pays, the one that gains most.
    fn look(&self, x: &Features, means: &[f64]) -> Option<usize> {
        let labels = self.labels().iter().sum::<u64>() as f64;
        let least = means.iter().copied().fold(f64::INFINITY, f64::min);
        let gain = |(model, &mean): (usize, &f64)| {
            let saved = labels * shortfall(least, mean, self.arms[model].width(x));
            (model, saved - (mean - least))
        };
        let few = |model: usize| self.arms[model].calibration.seen < LOOKED_AT;
        let dearer = means.iter().enumerate().filter(|(model, mean)| **mean > least && few(*model));
        let best = dearer.map(gain).max_by(|a, b| a.1.total_cmp(&b.1));
        best.filter(|(_, gain)| *gain > 0.0).map(|(model, _)| model)
    }

    fn arm(&mut self, model: usize) -> Result<&mut Learner, Error> {
        let models = self.arms.len();
        let missing = || config(format!("model {model} is not among the {models} of this multiplexer"));
        self.arms.get_mut(model).ok_or_else(missing)
    }

    fn fits(&self, x: &Features) -> Result<(), Error> {
        if x.dims() == self.settings.dims {
            return Ok(());
        }
        Err(config(format!("{} features do not fit a multiplexer of {}", x.dims(), self.settings.dims)))
    }
}

impl Learner {
    fn expected(&self, x: &Features) -> f64 {
        let expected = self.calibration.expected(self.ridge.predict(x));
        let n = self.calibration.pairs.len();
        if n < FEW_LABELS { expected * n as f64 / (n + 1) as f64 } else { expected }
    }

    /// Mean square of the errors. Few labels do not tell how far costs spread: until there are more, they are
    /// taken to spread as far as they are large.
    fn spread(&self) -> f64 {
        let n = self.calibration.pairs.len() as f64;
        let scale = self.calibration.mean();
        (n * self.calibration.spread() + SPREAD_PRIOR * scale * scale) / (n + SPREAD_PRIOR)
    }

    /// Deviation of what is expected here about what more labels would teach.
    fn width(&self, x: &Features) -> f64 {
        (self.spread() * self.ridge.leverage(x)).sqrt()
    }
}
