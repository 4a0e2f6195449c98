//! Events → beliefs: how often a query comes back, and what a miss on it is worth.
//!
//! One file a bound. A bound is a lower estimate of an expected cost: pessimism for the cache (a rarely seen
//! query must earn its place) and optimism for the route (an untried model looks cheap).

pub mod beliefs;
pub mod bernstein;
pub mod choice;
pub(crate) mod codec;
pub mod decay;
pub mod frequency;
pub mod hoeffding;
pub mod normal;
pub mod plug_in;
pub mod pooled;
pub mod prior;
pub mod shadow;
pub mod sketch;
pub mod sqrt_bonus;
mod sets;
mod table;
pub mod value_of_information;

pub use beliefs::Beliefs;
pub use choice::{Choice, Reason};
pub use pooled::Pooled;
pub use prior::{Advice, Prior};

use crate::error::Error;

/// What is known of one arm: the cost of one model on one query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArmView {
    /// Costs observed.
    pub n: u32,
    /// Their mean; meaningless at `n == 0`.
    pub mean: f64,
    /// Their sample variance (divisor `n - 1`) where it is kept; only the empirical Bernstein bound reads it.
    pub variance: Option<f64>,
}

/// The interval costs are known to lie in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostRange {
    /// No cost is expected below; every bound is clipped here and an untried arm stands here.
    pub floor: f64,
    /// No cost is expected above. `None`: the bounds that need it (Hoeffding, empirical Bernstein) take the
    /// largest cost seen so far, so they start narrow and widen, and hold only from then on.
    pub ceiling: Option<f64>,
}

impl CostRange {
    /// Takes a finite `floor >= 0` and a finite `ceiling > floor`.
    ///
    /// # Errors
    /// [`Error::Config`] otherwise.
    pub fn new(floor: f64, ceiling: Option<f64>) -> Result<Self, Error> {
        if !(floor.is_finite() && floor >= 0.0) {
            return Err(config(format!("cost_floor must be finite and >= 0, not {floor}")));
        }
        if let Some(top) = ceiling.filter(|top| !(top.is_finite() && *top > floor)) {
            return Err(config(format!("cost_ceiling must be finite and > cost_floor {floor}, not {top}")));
        }
        Ok(Self { floor, ceiling })
    }

    /// Width of the interval, given the largest cost seen.
    fn width(self, largest: f64) -> f64 {
        (self.ceiling.unwrap_or(largest) - self.floor).max(0.0)
    }
}

/// Settings of a bound. `validate` once, then use everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimator {
    /// Pooled variance, and an untried model is tried only while that promises to pay.
    ValueOfInformation {
        /// Standard errors below the mean.
        z: f64,
        /// Prior deviation in cost units; `None`: a quarter of the running mean cost.
        s0: Option<f64>,
        /// Calls to come for each request that came: what a look may still repay.
        forecast: f64,
        /// Share of its mean that an entry is worth at least, where costs have no floor; 0: the bound alone.
        least_share: f64,
    },
    /// Pooled variance alone.
    PooledVariance {
        /// Standard errors below the mean.
        z: f64,
        /// Prior deviation in cost units; `None`: a quarter of the running mean cost.
        s0: Option<f64>,
    },
    /// Range-based, from Hoeffding's inequality.
    Hoeffding {
        /// Probability that some bound is ever wrong.
        delta: f64,
        /// Requests to be served (T).
        horizon: u64,
        /// Distinct queries (Q).
        queries: u64,
    },
    /// Range- and variance-based, after Maurer and Pontil.
    EmpiricalBernstein {
        /// Probability that some bound is ever wrong.
        delta: f64,
        /// Requests to be served (T).
        horizon: u64,
        /// Distinct queries (Q).
        queries: u64,
    },
    /// `mean - sqrt(Q / n)`, in cost units.
    SqrtBonus {
        /// Distinct queries (Q).
        queries: u64,
    },
    /// The plain mean: no pessimism, for comparison.
    PlugIn,
}

impl Estimator {
    /// Refuses settings outside their range.
    ///
    /// # Errors
    /// [`Error::Config`] naming the setting.
    pub fn validate(self) -> Result<Self, Error> {
        match self {
            Self::ValueOfInformation { z, s0, forecast, least_share } => {
                pooled::validate(z, s0)?;
                value_of_information::validate(forecast, least_share)?;
            }
            Self::PooledVariance { z, s0 } => pooled::validate(z, s0)?,
            Self::Hoeffding { delta, horizon, queries }
            | Self::EmpiricalBernstein { delta, horizon, queries } => {
                hoeffding::validate(delta, horizon, queries)?;
            }
            Self::SqrtBonus { queries } => sqrt_bonus::validate(queries)?,
            Self::PlugIn => {}
        }
        Ok(self)
    }

    /// The same bound for `models` arms a query: the range-based ones divide `delta` among them (union bound).
    #[must_use]
    pub fn for_models(self, models: usize) -> Self {
        let share = models.max(1) as f64;
        match self {
            Self::Hoeffding { delta, horizon, queries } => {
                Self::Hoeffding { delta: delta / share, horizon, queries }
            }
            Self::EmpiricalBernstein { delta, horizon, queries } => {
                Self::EmpiricalBernstein { delta: delta / share, horizon, queries }
            }
            other => other,
        }
    }

    /// Whether of two entries worth the same the newcomer is kept. Under value of information entries at the
    /// floor are many and equal, and the newcomer is the one that was asked for just now.
    #[must_use]
    pub fn ties_to_newcomer(&self) -> bool {
        matches!(self, Self::ValueOfInformation { .. })
    }

    /// Lower bound of the arm's expected cost, never under the floor; the floor itself while untried.
    #[inline]
    #[must_use]
    pub fn lower(&self, arm: ArmView, pooled: &Pooled, range: CostRange) -> f64 {
        self.lower_at(arm, self.deviation(pooled), pooled.largest(), range)
    }

    /// The pooled deviation where the bound uses one, else 0.
    #[inline]
    #[must_use]
    pub fn deviation(&self, pooled: &Pooled) -> f64 {
        match *self {
            Self::ValueOfInformation { s0, .. } | Self::PooledVariance { s0, .. } => pooled.sd(s0),
            _ => 0.0,
        }
    }

    /// [`Self::lower`] with the global quantities in hand: the pooled deviation and the largest cost seen.
    #[inline]
    #[must_use]
    pub fn lower_at(&self, arm: ArmView, deviation: f64, largest: f64, range: CostRange) -> f64 {
        if arm.n == 0 {
            return range.floor;
        }
        let n = f64::from(arm.n);
        let bonus = match *self {
            Self::ValueOfInformation { z, .. } | Self::PooledVariance { z, .. } => {
                pooled::bonus(n, deviation, z)
            }
            Self::Hoeffding { delta, horizon, queries } => {
                hoeffding::bonus(n, range.width(largest), hoeffding::log_term(delta, horizon, queries))
            }
            Self::EmpiricalBernstein { delta, horizon, queries } => {
                let term = hoeffding::log_term(delta, horizon, queries);
                bernstein::bonus(n, arm.variance, range.width(largest), term)
            }
            Self::SqrtBonus { queries } => sqrt_bonus::bonus(n, queries),
            Self::PlugIn => plug_in::bonus(),
        };
        (arm.mean - bonus).max(range.floor)
    }

    /// What not having to pay for the arm is worth: [`Self::lower_at`], and under value of information, where
    /// costs have no floor, at least `least_share` of the mean. A bound of 0 would tell a dear answer that was
    /// paid for once no longer from a cheap one.
    #[inline]
    #[must_use]
    pub fn worth_at(&self, arm: ArmView, deviation: f64, largest: f64, range: CostRange) -> f64 {
        let lower = self.lower_at(arm, deviation, largest, range);
        if arm.n == 0 { lower } else { lower.max(self.least_share(range) * arm.mean) }
    }

    /// The share of a mean below which no worth falls; 0 where a floor says how little a cost can be.
    #[inline]
    pub(crate) fn least_share(&self, range: CostRange) -> f64 {
        match *self {
            Self::ValueOfInformation { least_share, .. } if range.floor <= 0.0 => least_share,
            _ => 0.0,
        }
    }
}

/// The error of a setting.
pub(crate) fn config(what: String) -> Error {
    Error::Config { what }
}

/// Costs beyond this are refused: the sum of their squares would not stay finite.
const MOST: f64 = 1e140;

/// Passes a cost on, or refuses it.
///
/// # Errors
/// [`Error::Cost`] when `cost` is NaN, infinite, negative or above 1e140.
pub fn finite_cost(cost: f64) -> Result<f64, Error> {
    if (0.0..=MOST).contains(&cost) {
        return Ok(cost);
    }
    Err(Error::Cost { what: format!("a cost must be finite and >= 0, not {cost}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused() {
        for bad in [
            Estimator::ValueOfInformation { z: -1.0, s0: None, forecast: 1.0, least_share: 0.3 },
            Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 0.0, least_share: 0.3 },
            Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: f64::INFINITY, least_share: 0.3 },
            Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: -0.1 },
            Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 1.1 },
            Estimator::PooledVariance { z: 2.0, s0: Some(f64::NAN) },
            Estimator::Hoeffding { delta: 0.0, horizon: 10, queries: 10 },
            Estimator::Hoeffding { delta: 0.1, horizon: 0, queries: 10 },
            Estimator::EmpiricalBernstein { delta: 1.5, horizon: 10, queries: 10 },
            Estimator::SqrtBonus { queries: 0 },
        ] {
            assert!(matches!(bad.validate(), Err(Error::Config { .. })), "{bad:?}");
        }
        assert!(CostRange::new(-1.0, None).is_err());
        assert!(CostRange::new(1.0, Some(1.0)).is_err());
    }

    #[test]
    fn an_untried_arm_stands_at_the_floor() {
        let range = CostRange { floor: 1.5, ceiling: None };
        let arm = ArmView { n: 0, mean: 50.0, variance: None };
        assert!((Estimator::PlugIn.lower(arm, &Pooled::default(), range) - 1.5).abs() < 1e-15);
    }

    #[test]
    fn bad_costs_are_refused() {
        for cost in [f64::NAN, f64::INFINITY, f64::MAX, -0.1] {
            assert!(matches!(finite_cost(cost), Err(Error::Cost { .. })));
        }
        assert_eq!(finite_cost(0.0), Ok(0.0));
    }
}
