//! Features → model: the tabular route, which knows a query by its hash, over the multiplexer's prior, which
//! knows it by its features.
//!
//! Cache and route are one learned system with one state: the [`Beliefs`] that choose the model also say what
//! a miss is worth, so an entry is kept for the price of the model that would really be called.

mod calibration;
mod codec;
pub mod features;
pub mod multiplexer;
mod ridge;
mod words;

pub use features::Features;
pub use multiplexer::{Expected, Multiplexer, Weight};

use crate::error::Error;
use crate::estimate::{Advice, Beliefs, Choice, CostRange, Estimator, Prior};

/// Share of a prior's squared error that counts as its own, however much of it the noise of single costs explains.
const OWN_SHARE: f64 = 0.05;

/// Chooses a model per query and learns from the cost of the one that ran.
#[derive(Clone, Debug)]
pub struct Router {
    beliefs: Beliefs,
}

impl Router {
    /// A router over `models` models that has seen nothing; settings as in [`Beliefs::new`], with the
    /// range-based bounds holding for all models at once.
    ///
    /// # Errors
    /// As [`Beliefs::new`].
    pub fn new(
        models: usize,
        estimator: Estimator,
        range: CostRange,
        max_keys: usize,
    ) -> Result<Self, Error> {
        let estimator = estimator.validate()?.for_models(models);
        Ok(Self { beliefs: Beliefs::new(models, estimator, range, max_keys)? })
    }

    /// The model for a query asked `count` times, this one included, of which `expected` is known besides.
    ///
    /// # Errors
    /// As [`Beliefs::decide_with`].
    pub fn decide(
        &mut self,
        hash: u64,
        count: f64,
        allowed: Option<&[usize]>,
        expected: Option<&Expected>,
    ) -> Result<Choice, Error> {
        let Some(expected) = expected else { return self.beliefs.decide(hash, count, allowed) };
        let deviations = self.deviations(expected);
        self.beliefs.decide_with(hash, count, allowed, advice(expected, deviations.as_deref()))
    }

    /// Takes in what the call cost; `true` when it is the first cost of this model on this query.
    ///
    /// # Errors
    /// As [`Beliefs::observe`].
    pub fn observe(&mut self, hash: u64, model: usize, cost: f64) -> Result<bool, Error> {
        self.beliefs.observe(hash, model, cost)
    }

    /// Adds a cost learnt later to the call observed last.
    ///
    /// # Errors
    /// As [`Beliefs::amend`].
    pub fn amend(&mut self, hash: u64, model: usize, delta: f64) -> Result<bool, Error> {
        self.beliefs.amend(hash, model, delta)
    }

    /// What a miss on the query is worth avoiding.
    ///
    /// A floor of 0 says nothing of what an untried model costs: at it every query still being explored would
    /// be worth nothing, and never be stored. So there the model counts with what it promises.
    ///
    /// # Errors
    /// As [`Beliefs::value_with`].
    pub fn value(&self, hash: u64, count: f64, expected: Option<&Expected>) -> Result<f64, Error> {
        if let Some(expected) = expected.filter(|known| known.weight != Weight::Nothing) {
            let deviations = self.deviations(expected);
            self.beliefs.value_with(hash, count, None, advice(expected, deviations.as_deref()))
        } else {
            Ok(self.beliefs.value(hash, count))
        }
    }

    /// How far the truth lies from what is expected: the errors of a prior are its own and the noise of the
    /// single costs that they were measured on.
    fn deviations(&self, expected: &Expected) -> Option<Vec<f64>> {
        let Weight::Spread(spreads) = &expected.weight else { return None };
        let noise = self.beliefs.noise();
        Some(spreads.iter().map(|spread| (spread - noise).max(OWN_SHARE * spread).sqrt()).collect())
    }

    /// What it has learnt.
    #[must_use]
    pub fn beliefs(&self) -> &Beliefs {
        &self.beliefs
    }

    /// State and settings as bytes, to be put into an envelope with version and checksum.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.beliefs.encode()
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when the bytes are not of this kind.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self { beliefs: Beliefs::decode(bytes)? })
    }
}

/// What is expected, as the beliefs take it.
fn advice<'a>(expected: &'a Expected, deviations: Option<&'a [f64]>) -> Advice<'a> {
    let strength = match expected.weight {
        Weight::Strength(strength) => Some(strength),
        Weight::Spread(_) => Some(1.0), // the deviations say it
        Weight::Nothing => None,
    };
    let prior = strength.map(|strength| Prior { means: &expected.means, strength, deviations });
    Advice { prior, guess: expected.look }
}
