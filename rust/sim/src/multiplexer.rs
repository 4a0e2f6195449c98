//! What a multiplexer says of a query before it has costs of its own.

use lecmux_core::error::Error;
use lecmux_core::estimate::{Advice, Prior};

use crate::trace::Trace;

/// Advice for each query or request of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Multiplexer<'a> {
    /// The model to call first, by query; below 0: none.
    Guess(&'a [i8]),
    /// The same by request.
    GuessEach(&'a [i8]),
    /// Expected costs, row-major (queries, models), which count like `strength` costs each.
    Prior {
        /// One row a query, in cost units.
        means: &'a [f64],
        /// How many observed costs each mean is worth.
        strength: f64,
    },
}

impl<'a> Multiplexer<'a> {
    /// Checks that it speaks of every query (or request) of `trace`, and of its models alone.
    ///
    /// # Errors
    /// [`Error::Config`] for a length or a model that does not fit and a strength out of range, [`Error::Cost`]
    /// for a mean that is no cost.
    pub(crate) fn validate(self, trace: &Trace<'_>) -> Result<Self, Error> {
        let fail = |what: String| Err(Error::Config { what });
        match self {
            Self::Guess(guesses) if guesses.len() < trace.queries() => {
                fail(format!("query {} has no guess: {} guesses", guesses.len(), guesses.len()))
            }
            Self::GuessEach(guesses) if guesses.len() != trace.len() => {
                fail(format!("{} guesses do not fit {} requests", guesses.len(), trace.len()))
            }
            Self::Guess(guesses) | Self::GuessEach(guesses) => {
                let known = |guess: i8| usize::try_from(guess).map_or(true, |model| model < trace.models());
                guesses.iter().position(|&guess| !known(guess)).map_or(Ok(self), |row| {
                    fail(format!("guess {row}: model {} is not among the {}", guesses[row], trace.models()))
                })
            }
            Self::Prior { means, strength } => {
                let (rows, over) = (means.len() / trace.models(), means.len() % trace.models());
                if over > 0 || rows < trace.queries() {
                    return fail(format!("query {rows} has no prior for {} models", trace.models()));
                }
                for (row, means) in means.chunks(trace.models()).enumerate() {
                    Prior::new(means, strength).map_err(|error| of_query(row, error))?;
                }
                Ok(self)
            }
        }
    }

    /// For request `at`.
    #[inline]
    pub(crate) fn advice(self, trace: &Trace<'_>, at: usize) -> Advice<'a> {
        let guess = |guess: i8| Advice { guess: usize::try_from(guess).ok(), prior: None };
        match self {
            Self::Guess(guesses) => guess(guesses[trace.query(at)]),
            Self::GuessEach(guesses) => guess(guesses[at]),
            Self::Prior { .. } => self.of_query(trace.query(at), trace.models()),
        }
    }

    /// What it says of a query's worth: a prior's means; a guess says nothing of that.
    #[inline]
    pub(crate) fn of_query(self, query: usize, models: usize) -> Advice<'a> {
        match self {
            Self::Guess(_) | Self::GuessEach(_) => Advice::NONE,
            Self::Prior { means, strength } => {
                let means = &means[query * models..][..models];
                Advice { guess: None, prior: Some(Prior { means, strength, deviations: None }) }
            }
        }
    }
}

fn of_query(row: usize, error: Error) -> Error {
    match error {
        Error::Cost { what } => Error::Cost { what: format!("prior of query {row}: {what}") },
        other => other,
    }
}
