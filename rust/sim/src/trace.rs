//! What is replayed: who asked when, what each model would have cost, how large the answer is.

use std::cmp::Ordering;

use lecmux_core::error::Error;
use lecmux_core::estimate::{beliefs::MAX_MODELS, finite_cost};

/// Ids below this are dense in any trace; tables of one place a query are never smaller for it.
const FEW: usize = 1 << 20;
/// In a long trace ids may reach this many times its length.
const SPREAD: usize = 16;

/// A checked trace of T requests over K models.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    ids: &'a [i64],
    costs: &'a [f64],
    sizes: Option<&'a [i64]>,
    success: Option<&'a [bool]>,
    models: usize,
    /// One more than the largest id.
    queries: usize,
}

impl<'a> Trace<'a> {
    /// `ids`: the query of each request, (T,), from 0 to below 2²⁰ or 16 T, whichever is more; `costs`: row-major
    /// (T, K), one unit, finite and at least 0; `sizes`: of each request's answer, (T,), at least 1, `None` for 1
    /// each.
    ///
    /// # Errors
    /// [`Error::Config`] when the shapes disagree, `models` is not 1 to 64, an id is out of range or a size is
    /// below 1; [`Error::Cost`] when a cost is NaN, infinite or negative. The first such request is named.
    pub fn new(
        ids: &'a [i64],
        costs: &'a [f64],
        models: usize,
        sizes: Option<&'a [i64]>,
    ) -> Result<Self, Error> {
        if !(1..=MAX_MODELS).contains(&models) {
            return fail(format!("costs must have 1 to {MAX_MODELS} columns, not {models}"));
        }
        let (rows, over) = (costs.len() / models, costs.len() % models);
        if over > 0 {
            return fail(format!("request {rows} has {over} costs for {models} models"));
        }
        same_length("row of costs", rows, ids.len())?;
        for (at, &cost) in costs.iter().enumerate() {
            finite_cost(cost).map_err(|error| Error::Cost {
                what: format!("request {}, model {}: {error}", at / models, at % models),
            })?;
        }
        if let Some(sizes) = sizes {
            same_length("size", sizes.len(), ids.len())?;
            if let Some(at) = sizes.iter().position(|&size| size < 1) {
                return fail(format!("request {at}: a size must be at least 1, not {}", sizes[at]));
            }
        }
        Ok(Self { ids, costs, sizes, success: None, models, queries: queries(ids)? })
    }

    /// The same with `success`, row-major (T, K): whether each model would have answered well.
    ///
    /// # Errors
    /// [`Error::Config`] when its length is not that of the costs.
    pub fn with_success(self, success: &'a [bool]) -> Result<Self, Error> {
        if success.len() != self.costs.len() {
            let (rows, models) = (self.len(), self.models);
            return fail(format!(
                "success must have a row of {models} for each of the {rows} requests, not {} flags in all",
                success.len()
            ));
        }
        Ok(Self { success: Some(success), ..self })
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

    /// One more than the largest id: the length of a table with a place for each query.
    #[must_use]
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// The query of request `at`, as a place in such a table.
    #[inline]
    #[must_use]
    pub fn query(&self, at: usize) -> usize {
        place(self.ids[at])
    }

    /// By query, the first request for it.
    #[must_use]
    pub fn first_requests(&self) -> Vec<Option<usize>> {
        let mut firsts = vec![None; self.queries];
        for at in (0..self.len()).rev() {
            firsts[self.query(at)] = Some(at);
        }
        firsts
    }

    /// Whether it says which answers are good.
    #[must_use]
    pub fn has_success(&self) -> bool {
        self.success.is_some()
    }

    /// Whether each model would have answered request `at` well, where that is known.
    #[inline]
    #[must_use]
    pub fn success(&self, at: usize) -> Option<&'a [bool]> {
        self.success.map(|success| &success[at * self.models..][..self.models])
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
            success: self.success.map(|success| &success[..len * self.models]),
            ..*self
        }
    }
}

fn fail<T>(what: String) -> Result<T, Error> {
    Err(Error::Config { what })
}

/// Checks that there is one `what` a request.
fn same_length(what: &str, found: usize, requests: usize) -> Result<(), Error> {
    match found.cmp(&requests) {
        Ordering::Equal => Ok(()),
        Ordering::Less => {
            fail(format!("request {found} has no {what}: {requests} requests, {found} of those"))
        }
        Ordering::Greater => {
            fail(format!("{what} {requests} has no request: {requests} requests, {found} of those"))
        }
    }
}

/// One more than the largest id.
fn queries(ids: &[i64]) -> Result<usize, Error> {
    let most = FEW.max(ids.len().saturating_mul(SPREAD));
    // In range, an id of i64 is one of usize, and a negative one is beyond every range.
    let Some(at) = ids.iter().position(|&id| id.cast_unsigned() >= most as u64) else {
        return Ok(ids.iter().max().map_or(0, |&id| place(id) + 1));
    };
    fail(format!(
        "request {at}: query {} is not among the numbers from 0 to {}; number the queries from 0 on without gaps",
        ids[at],
        most - 1
    ))
}

/// An id that was checked to be in range.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked on entry")]
pub(crate) fn place(id: i64) -> usize {
    id as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [i64; 2] = [1, 2];
    const COSTS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

    fn refused(trace: Result<Trace<'_>, Error>) -> String {
        match trace.unwrap_err() {
            Error::Config { what } => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn shapes_that_do_not_fit_name_the_first_row() {
        assert!(Trace::new(&IDS, &COSTS, 2, Some(&[1, 9])).is_ok());
        assert!(refused(Trace::new(&IDS, &[], 0, None)).contains("1 to 64 columns, not 0"));
        assert!(refused(Trace::new(&IDS, &COSTS, 1, None)).contains("row of costs 2 has no request"));
        assert!(refused(Trace::new(&IDS, &COSTS[..2], 2, None)).contains("request 1 has no row of costs"));
        assert!(refused(Trace::new(&IDS, &COSTS[..3], 2, None)).contains("request 1 has 1 costs"));
        assert!(refused(Trace::new(&IDS, &COSTS, 2, Some(&[1]))).contains("request 1 has no size"));
        assert!(refused(Trace::new(&IDS, &COSTS, 2, Some(&[1, 0]))).contains("request 1: a size"));
        let trace = Trace::new(&IDS, &COSTS, 2, None).unwrap();
        assert!(refused(trace.with_success(&[true])).contains("2 requests"));
    }

    #[test]
    fn a_cost_that_cannot_be_names_its_place() {
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            let refused = Trace::new(&IDS, &[1.0, bad, 3.0, 4.0], 2, None).unwrap_err();
            assert!(
                matches!(&refused, Error::Cost { what } if what.contains("request 0, model 1")),
                "{refused}"
            );
        }
    }

    #[test]
    fn ids_beyond_every_table_are_refused_by_row() {
        let few = i64::try_from(FEW).unwrap();
        assert_eq!(Trace::new(&[0, few - 1], &[1.0; 2], 1, None).unwrap().queries(), FEW);
        for bad in [-1, i64::MIN, few, i64::MAX] {
            let what = refused(Trace::new(&[0, bad], &[1.0; 2], 1, None));
            assert!(what.contains("request 1: query") && what.contains("number the queries"), "{what}");
        }
        let many = vec![few; FEW / SPREAD + 1];
        assert!(Trace::new(&many, &vec![1.0; many.len()], 1, None).is_ok(), "a long trace has room for more");
    }

    #[test]
    fn a_prefix_is_a_trace() {
        let flags = [true, false, false, true];
        let trace = Trace::new(&IDS, &COSTS, 2, Some(&[3, 4])).unwrap().with_success(&flags).unwrap();
        let first = trace.prefix(1);
        assert_eq!((first.len(), first.costs(0), first.size(0)), (1, &COSTS[..2], 3));
        assert_eq!(first.success(0), Some(&flags[..2]));
    }
}
