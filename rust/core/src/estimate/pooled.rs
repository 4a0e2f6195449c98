//! Pooled variance: one deviation for all arms, learnt from the spread within each.
//!
//! `sd² = (s0² + Σ within-arm squares) / (1 + Σ (n - 1))`, the bound is `mean - z · sd / sqrt(n)`. No cost
//! range is needed, and the first arms already share what the others have shown. Welford's updates (1962)
//! keep the squares exact in any order of arrival.

use super::config;
use crate::error::Error;

/// With `s0 = None` the prior deviation is this share of the running mean cost.
const PRIOR_SHARE: f64 = 0.25;

/// What all arms have in common: the spread within arms, the mean of all costs, the largest one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pooled {
    pub(super) squares: f64,
    pub(super) freedom: u64,
    pub(super) count: u64,
    pub(super) mean: f64,
    pub(super) largest: f64,
}

impl Pooled {
    /// Takes one cost into an arm (`n`, `mean`) and into the pool; returns the growth of the arm's squares
    /// about its mean. `cost` is finite and at least 0.
    #[inline]
    pub fn observe(&mut self, n: &mut u32, mean: &mut f64, cost: f64) -> f64 {
        let fresh = *n == 0;
        *n = n.saturating_add(1);
        let before = if fresh { 0.0 } else { cost - *mean };
        *mean = if fresh { cost } else { *mean + before / f64::from(*n) };
        let growth = before * (cost - *mean);
        self.squares += growth;
        self.freedom += u64::from(!fresh);
        self.count += 1;
        self.mean += (cost - self.mean) / self.count as f64;
        self.largest = self.largest.max(cost);
        growth
    }

    /// Takes in an arm of `n` costs of which only the mean is known any more: it tells nothing of the spread.
    pub(crate) fn recall(&mut self, n: u32, mean: f64) {
        if n > 0 {
            self.count += u64::from(n);
            self.mean += (mean - self.mean) * (f64::from(n) / self.count as f64);
            self.largest = self.largest.max(mean);
        }
    }

    /// Corrects the pool when a cost already observed turns out to be `by` more (`growth`: what that does to
    /// the squares of its arm; `cost`: the corrected value).
    pub(super) fn amend(&mut self, by: f64, growth: f64, cost: f64) {
        self.squares = (self.squares + growth).max(0.0);
        if self.count > 0 {
            self.mean = (self.mean + by / self.count as f64).max(0.0);
        }
        self.largest = self.largest.max(cost);
    }

    /// The deviation of one cost about its arm's mean; `s0` as in [`super::Estimator`].
    #[inline]
    #[must_use]
    pub fn sd(&self, s0: Option<f64>) -> f64 {
        let prior = s0.unwrap_or(PRIOR_SHARE * self.mean);
        ((prior * prior + self.squares) / (1.0 + self.freedom as f64)).sqrt()
    }

    /// Mean of all costs, `None` before the first.
    #[inline]
    #[must_use]
    pub fn mean_cost(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The largest cost seen, 0 before the first.
    #[inline]
    #[must_use]
    pub fn largest(&self) -> f64 {
        self.largest
    }

    /// The sums can have come from costs.
    ///
    /// # Panics
    /// When they cannot.
    pub fn check(&self) {
        assert!(self.squares.is_finite() && self.squares >= 0.0, "pooled squares {}", self.squares);
        assert!(self.mean.is_finite() && self.mean >= 0.0, "running mean {}", self.mean);
        assert!(self.freedom <= self.count, "{} degrees of freedom of {} costs", self.freedom, self.count);
        assert!(self.largest.is_finite() && self.largest >= 0.0, "largest cost {}", self.largest);
    }
}

#[inline]
pub(super) fn bonus(n: f64, deviation: f64, z: f64) -> f64 {
    z * deviation / n.sqrt()
}

pub(super) fn validate(z: f64, s0: Option<f64>) -> Result<(), Error> {
    if !(z.is_finite() && z >= 0.0) {
        return Err(config(format!("z must be finite and >= 0, not {z}")));
    }
    match s0 {
        Some(s0) if !(s0.is_finite() && s0 >= 0.0) => {
            Err(config(format!("s0 must be None or finite and >= 0, not {s0}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_arm_squares_are_pooled() {
        let mut pool = Pooled::default();
        let arms = [vec![1.0, 3.0], vec![100.0, 104.0, 102.0], vec![7.0]];
        for costs in &arms {
            let (mut n, mut mean) = (0, 0.0);
            for &cost in costs {
                pool.observe(&mut n, &mut mean, cost);
            }
            assert!((mean - costs.iter().sum::<f64>() / costs.len() as f64).abs() < 1e-12);
        }
        // squares 2 + 8 + 0, freedom 1 + 2 + 0
        assert!((pool.sd(Some(2.0)) - (14.0_f64 / 4.0).sqrt()).abs() < 1e-12);
        assert!((pool.mean_cost().unwrap() - 317.0 / 6.0).abs() < 1e-12);
        assert!((pool.largest() - 104.0).abs() < 1e-12);
        pool.check();
    }

    #[test]
    fn the_prior_scales_with_the_costs() {
        let (mut small, mut large) = (Pooled::default(), Pooled::default());
        for cost in [1.0, 2.0, 4.0] {
            small.observe(&mut 0, &mut 0.0, cost);
            large.observe(&mut 0, &mut 0.0, cost * 1e-6);
        }
        assert!((small.sd(None) * 1e-6 - large.sd(None)).abs() < 1e-18);
    }
}
