//! What is replayed: who asked when, what each model would have cost, how large the answer is.

use lecmux_core::error::Error;
use lecmux_core::estimate::{beliefs::MAX_MODELS, finite_cost};

/// A checked trace of T requests over K models.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    ids: &'a [i64],
    costs: &'a [f64],
    sizes: Option<&'a [i64]>,
    models: usize,
}

impl<'a> Trace<'a> {
    /// `ids`: the query of each request, (T,); `costs`: row-major (T, K), one unit, finite and at least 0;
    /// `sizes`: of each request's answer, (T,), at least 1, `None` for 1 each.
    ///
    /// # Errors
    /// [`Error::Config`] when the shapes disagree, `models` is not 1 to 64 or a size is below 1;
    /// [`Error::Cost`] when a cost is NaN, infinite or negative.
    pub fn new(
        ids: &'a [i64],
        costs: &'a [f64],
        models: usize,
        sizes: Option<&'a [i64]>,
    ) -> Result<Self, Error> {
        let fail = |what: String| Err(Error::Config { what });
        if !(1..=MAX_MODELS).contains(&models) {
            return fail(format!("costs must have 1 to {MAX_MODELS} columns, not {models}"));
        }
        if ids.len().checked_mul(models) != Some(costs.len()) {
            return fail(format!(
                "{} requests and {models} models need as many costs, not {}",
                ids.len(),
                costs.len()
            ));
        }
        for (at, &cost) in costs.iter().enumerate() {
            finite_cost(cost).map_err(|error| Error::Cost {
                what: format!("request {}, model {}: {error}", at / models, at % models),
            })?;
        }
        if let Some(sizes) = sizes {
            if sizes.len() != ids.len() {
                return fail(format!("{} requests need as many sizes, not {}", ids.len(), sizes.len()));
            }
            if let Some(at) = sizes.iter().position(|&size| size < 1) {
                return fail(format!("request {at}: a size must be at least 1, not {}", sizes[at]));
            }
        }
        Ok(Self { ids, costs, sizes, models })
    }

    /// Requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Models.
    #[must_use]
    pub fn models(&self) -> usize {
        self.models
    }

    /// The queries, in order.
    #[must_use]
    pub fn ids(&self) -> &'a [i64] {
        self.ids
    }

    /// What request `at` costs with each model.
    #[inline]
    #[must_use]
    pub fn costs(&self, at: usize) -> &'a [f64] {
        &self.costs[at * self.models..][..self.models]
    }

    /// Size of the answer to request `at`.
    #[inline]
    #[must_use]
    pub fn size(&self, at: usize) -> u64 {
        self.sizes.map_or(1, |sizes| sizes[at].unsigned_abs())
    }

    /// The first `len` requests.
    #[must_use]
    pub fn prefix(&self, len: usize) -> Self {
        Self {
            ids: &self.ids[..len],
            costs: &self.costs[..len * self.models],
            sizes: self.sizes.map(|sizes| &sizes[..len]),
            models: self.models,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_values_are_checked() {
        let (ids, costs) = ([1, 2], [1.0, 2.0, 3.0, 4.0]);
        assert!(Trace::new(&ids, &costs, 2, None).is_ok());
        assert!(matches!(Trace::new(&ids, &costs, 1, None), Err(Error::Config { .. })));
        assert!(matches!(Trace::new(&ids, &costs, 0, None), Err(Error::Config { .. })));
        assert!(matches!(Trace::new(&ids, &costs, 2, Some(&[1])), Err(Error::Config { .. })));
        assert!(matches!(Trace::new(&ids, &costs, 2, Some(&[1, 0])), Err(Error::Config { .. })));
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            let refused = Trace::new(&ids, &[1.0, bad, 3.0, 4.0], 2, None).unwrap_err().to_string();
            assert!(refused.contains("request 0, model 1"), "{refused}");
        }
    }
}
