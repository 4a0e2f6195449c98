//! A set of queries held from the start and for good.

use lecmux_core::error::Error;

use crate::trace::Trace;

/// Which queries are held, by number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StaticSet {
    held: Vec<bool>,
}

impl StaticSet {
    /// Holds `ids`; those that are never asked take no room.
    ///
    /// # Errors
    /// [`Error::Config`] when their answers, each at the size of its first request, exceed `capacity`.
    pub(crate) fn new(ids: &[i64], trace: &Trace<'_>, capacity: u64) -> Result<Self, Error> {
        let mut held = vec![false; trace.queries()];
        for &id in ids {
            if let Some(held) = usize::try_from(id).ok().and_then(|query| held.get_mut(query)) {
                *held = true;
            }
        }
        let set = Self { held };
        let used = set.used(trace);
        if used > u128::from(capacity) {
            let what = format!("the resident queries need {used}, but capacity is {capacity}");
            return Err(Error::Config { what });
        }
        Ok(set)
    }

    #[inline]
    pub(crate) fn holds(&self, query: usize) -> bool {
        self.held[query]
    }

    /// The queries, ascending.
    pub(crate) fn ids(&self) -> Vec<i64> {
        (0..).zip(&self.held).filter_map(|(id, &held)| held.then_some(id)).collect()
    }

    fn used(&self, trace: &Trace<'_>) -> u128 {
        let firsts = trace.first_requests().into_iter().zip(&self.held).filter(|&(_, &held)| held);
        firsts.filter_map(|(first, _)| first).map(|at| u128::from(trace.size(at))).sum()
    }
}
