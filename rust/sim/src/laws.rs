//! Synthetic laws of requests, seeded and the same on every machine.

use lecmux_core::error::Error;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Pareto};

/// What a miss on a query costs; one draw a query, the same at each of its requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CostLaw {
    /// The exponential of a normal deviate: mean 0 and this deviation.
    LogNormal(f64),
    /// `u^(-1/shape)`, at least 1.
    Pareto(f64),
}

/// A law of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// Requests (T).
    pub requests: usize,
    /// Queries there are.
    pub universe: usize,
    /// Exponent s of Zipf's law: the query of rank r is asked in proportion to `r^-s`.
    pub zipf: f64,
    /// Costs.
    pub costs: CostLaw,
    /// How popularity moves.
    pub drift: Option<Drift>,
}

/// Ranks change hands while the trace runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Share of all ranks, popular and not alike, dealt anew at each change, in (0, 1].
    pub share: f64,
    /// Requests between changes.
    pub every: usize,
}

/// A drawn trace of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The query of each request.
    pub ids: Vec<i64>,
    /// What each request costs on a miss.
    pub costs: Vec<f64>,
}

impl Law {
    /// Draws the trace of `seed`.
    ///
    /// # Errors
    /// [`Error::Config`] for an empty universe or parameters out of range.
    pub fn draw(&self, seed: u64) -> Result<Drawn, Error> {
        self.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let cumulative = self.cumulative();
        let prices = self.prices(&mut rng)?;
        // The query that holds each rank; dealt at random, so that an id says nothing of its popularity.
        let mut holders: Vec<i64> = (0..).take(self.universe).collect();
        holders.shuffle(&mut rng);
        let (mut ids, mut costs) = (Vec::with_capacity(self.requests), Vec::with_capacity(self.requests));
        for at in 0..self.requests {
            if let Some(drift) = self.drift.filter(|drift| at > 0 && at % drift.every == 0) {
                redeal(&mut holders, drift.share, &mut rng);
            }
            let point = rng.random::<f64>();
            let rank = cumulative.partition_point(|&share| share <= point).min(self.universe - 1);
            ids.push(holders[rank]);
            costs.push(prices[usize::try_from(holders[rank]).unwrap_or(0)]);
        }
        Ok(Drawn { ids, costs })
    }

    fn validate(&self) -> Result<(), Error> {
        let fail = |what: &str| Err(Error::Config { what: what.into() });
        if self.universe == 0 {
            return fail("a universe needs at least one query");
        }
        if !self.zipf.is_finite() {
            return fail("the exponent of Zipf's law must be finite");
        }
        match self.drift {
            Some(Drift { share, every }) if every == 0 || !(share > 0.0 && share <= 1.0) => {
                fail("a drift needs a share in (0, 1] and at least one request between changes")
            }
            _ => Ok(()),
        }
    }

    fn cumulative(&self) -> Vec<f64> {
        let weight = |rank: usize| (rank as f64).powf(-self.zipf);
        let total: f64 = (1..=self.universe).map(weight).sum();
        let mut below = 0.0;
        (1..=self.universe)
            .map(|rank| {
                below += weight(rank) / total;
                below
            })
            .collect()
    }

    fn prices(&self, rng: &mut ChaCha8Rng) -> Result<Vec<f64>, Error> {
        let refused =
            |error: &dyn std::fmt::Display| Error::Config { what: format!("law of costs: {error}") };
        Ok(match self.costs {
            CostLaw::LogNormal(deviation) => {
                let law = LogNormal::new(0.0, deviation).map_err(|error| refused(&error))?;
                law.sample_iter(rng).take(self.universe).collect()
            }
            CostLaw::Pareto(shape) => {
                let law = Pareto::new(1.0, shape).map_err(|error| refused(&error))?;
                law.sample_iter(rng).take(self.universe).collect()
            }
        })
    }
}

/// Picks `share` of the ranks at random and shuffles their holders.
fn redeal(holders: &mut [i64], share: f64, rng: &mut ChaCha8Rng) {
    let ranks: Vec<usize> = (0..holders.len()).filter(|_| rng.random::<f64>() < share).collect();
    let mut dealt: Vec<i64> = ranks.iter().map(|&rank| holders[rank]).collect();
    dealt.shuffle(rng);
    for (rank, holder) in ranks.into_iter().zip(dealt) {
        holders[rank] = holder;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: Law =
        Law { requests: 50_000, universe: 1000, zipf: 1.0, costs: CostLaw::LogNormal(1.0), drift: None };

    fn shares(ids: &[i64]) -> Vec<f64> {
        let mut counts = vec![0.0; 1000];
        for &id in ids {
            counts[usize::try_from(id).unwrap()] += 1.0 / ids.len() as f64;
        }
        counts.sort_by(|a: &f64, b| b.total_cmp(a));
        counts
    }

    #[test]
    fn shares_follow_the_law_and_seeds_decide() {
        let drawn = LAW.draw(1).unwrap();
        let harmonic: f64 = (1..=1000).map(|rank| 1.0 / f64::from(rank)).sum();
        let shares = shares(&drawn.ids);
        for (rank, share) in [(1.0, shares[0]), (2.0, shares[1]), (3.0, shares[2])] {
            assert!((share * harmonic * rank - 1.0).abs() < 0.1, "rank {rank}: {share}");
        }
        assert_eq!(drawn, LAW.draw(1).unwrap());
        assert_ne!(drawn, LAW.draw(2).unwrap());
    }

    #[test]
    fn drift_deals_ranks_anew() {
        let drift = Drift { share: 1.0, every: 25_000 };
        let drawn = Law { drift: Some(drift), ..LAW }.draw(1).unwrap();
        let most = |ids: &[i64]| (0..1000).max_by_key(|id| ids.iter().filter(|&other| other == id).count());
        let (early, late) = drawn.ids.split_at(25_000);
        assert_ne!(most(early), most(late));
        assert!((shares(early)[0] - shares(late)[0]).abs() < 0.02);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        assert!(Law { universe: 0, ..LAW }.draw(0).is_err());
        assert!(Law { costs: CostLaw::Pareto(-1.0), ..LAW }.draw(0).is_err());
        assert!(Law { drift: Some(Drift { share: 0.0, every: 1 }), ..LAW }.draw(0).is_err());
    }
}
