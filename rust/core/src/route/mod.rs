//! Features → model. One rule so far: the tabular route, which knows a query by its hash alone.
//!
//! Cache and route are one learned system with one state: the [`Beliefs`] that choose the model also say what
//! a miss is worth, so an entry is kept for the price of the model that would really be called.

use crate::error::Error;
use crate::estimate::{Beliefs, Choice, CostRange, Estimator};

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

    /// The model for a query asked `count` times, this one included.
    ///
    /// # Errors
    /// As [`Beliefs::decide`].
    pub fn decide(&mut self, hash: u64, count: f64, allowed: Option<&[usize]>) -> Result<Choice, Error> {
        self.beliefs.decide(hash, count, allowed)
    }

    /// Takes in what the call cost.
    ///
    /// # Errors
    /// As [`Beliefs::observe`].
    pub fn observe(&mut self, hash: u64, model: usize, cost: f64) -> Result<(), Error> {
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
    #[must_use]
    pub fn value(&self, hash: u64, count: f64) -> f64 {
        if self.beliefs.floor() > 0.0 {
            self.beliefs.value(hash, count)
        } else {
            self.beliefs.promised_value(hash, count)
        }
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
