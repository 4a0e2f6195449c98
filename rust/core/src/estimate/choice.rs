//! A decision of the route, and why it was taken.

/// Why a model was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The query has no costs yet (with any of the allowed models), or the bound prefers an untried model.
    Untried,
    /// Another model was tried; this one's expected saving exceeds the price of looking.
    Exploring,
    /// Its lower bound is the lowest.
    LowestBound,
    /// No other model was allowed.
    Only,
    /// Untried here; the prior expects it to cost least.
    Prior,
    /// Nothing was tried here; a guess named it.
    Guessed,
}

impl Reason {
    /// The word in logs and decisions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untried => "untried",
            Self::Exploring => "exploring",
            Self::LowestBound => "lowest_bound",
            Self::Only => "only",
            Self::Prior => "prior",
            Self::Guessed => "guessed",
        }
    }
}

/// A decision and what it rested on; one place a model in each list.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Index of the model to call.
    pub model: usize,
    /// Why.
    pub reason: Reason,
    /// Lower bounds of the expected costs.
    pub lower: Vec<f64>,
    /// Mean costs observed; `None` while untried.
    pub mean: Vec<Option<f64>>,
    /// Costs observed.
    pub tries: Vec<u32>,
    /// Mean costs that the prior expects; `None` without one.
    pub prior: Option<Vec<f64>>,
    /// Probability with which this model was chosen: 1, the rule draws no lots.
    pub propensity: f64,
}
