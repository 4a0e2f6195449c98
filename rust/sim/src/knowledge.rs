//! What a replay knows of costs: the live [`Beliefs`], and what each way of seeing shows them.
//!
//! The artifact of arXiv 2306.02003 lets its rule see more than a live system could. Its server calls one of two
//! models, the small (0) first, and books on a miss
//!
//! - without success flags (its synthetic traces): the cost of the model that ran, twice; after the small one
//!   also the cost that the large one would have had. Only these weights reproduce its totals.
//! - with them (its data sets): the cost that ran, once; the large model's after a failure of the small one; and,
//!   whenever the small one ran, the lesser of the two costs, which alone values the entry. That lesser cost is
//!   one more column here, observed but never called. A large model whose cost was never seen is not tried.

use lecmux_core::error::Error;
use lecmux_core::estimate::{Advice, Beliefs};

use crate::multiplexer::Multiplexer;
use crate::settings::{Feedback, Settings};
use crate::trace::Trace;

const SMALL: usize = 0;
const LARGE: usize = 1;
/// The column of the lesser cost.
const LESSER: usize = 2;
/// Models in the artifact.
const TWO: usize = 2;

/// The beliefs of a replay.
#[derive(Debug)]
pub(crate) struct Knowledge<'a> {
    beliefs: Beliefs,
    feedback: Feedback,
    multiplexer: Option<Multiplexer<'a>>,
    models: usize,
    /// Models that may be called; `None`: all.
    callable: Option<Vec<usize>>,
    /// Columns that value an entry; `None`: all.
    valued: Option<Vec<usize>>,
    /// By query: whether the large model's cost was seen. Empty where that does not matter.
    large_seen: Vec<bool>,
}

impl<'a> Knowledge<'a> {
    /// Knows nothing yet of the costs in `trace`; at most `keys` queries come.
    pub(crate) fn new(trace: &Trace<'_>, settings: &Settings<'a>, keys: usize) -> Result<Self, Error> {
        let models = trace.models();
        let artifact = settings.feedback == Feedback::Artifact;
        if artifact && matches!(settings.multiplexer, Some(Multiplexer::Prior { .. })) {
            return Err(Error::Config { what: "the artifact's feedback goes with no prior".into() });
        }
        if artifact && models > TWO {
            let what =
                format!("the artifact's feedback is of one or two models, the small one first, not {models}");
            return Err(Error::Config { what });
        }
        let lesser = artifact && models == TWO && trace.has_success();
        let callable = settings.arm.map(|arm| vec![arm]).or_else(|| lesser.then(|| vec![SMALL, LARGE]));
        let valued = if lesser && settings.arm.is_none() { Some(vec![LESSER]) } else { callable.clone() };
        let large_seen =
            if lesser && settings.arm.is_none() { vec![false; trace.queries()] } else { Vec::new() };
        let estimator = settings.estimator.validate()?.for_models(models);
        let beliefs = Beliefs::new(models + usize::from(lesser), estimator, settings.range, keys)?;
        let multiplexer = settings.multiplexer.map(|advisor| advisor.validate(trace)).transpose()?;
        Ok(Self { beliefs, feedback: settings.feedback, multiplexer, models, callable, valued, large_seen })
    }

    /// The model for request `at`, whose query was asked `count` times, this one included.
    #[inline]
    pub(crate) fn pick(
        &mut self,
        hash: u64,
        count: f64,
        trace: &Trace<'_>,
        at: usize,
    ) -> Result<usize, Error> {
        if self.large_seen.get(trace.query(at)) == Some(&false) {
            return Ok(SMALL);
        }
        let advice = self.multiplexer.map_or(Advice::NONE, |advisor| advisor.advice(trace, at));
        Ok(self.beliefs.pick_with(hash, count, self.callable.as_deref(), advice)?.0)
    }

    /// `model` was called for request `at`.
    #[inline]
    pub(crate) fn observe(
        &mut self,
        hash: u64,
        model: usize,
        trace: &Trace<'_>,
        at: usize,
    ) -> Result<(), Error> {
        self.beliefs.observe(hash, model, trace.costs(at)[model])?;
        match self.feedback {
            Feedback::Bandit => Ok(()),
            Feedback::Artifact => self.leak(hash, model, trace, at),
        }
    }

    /// What else the artifact books of a call.
    fn leak(&mut self, hash: u64, model: usize, trace: &Trace<'_>, at: usize) -> Result<(), Error> {
        let costs = trace.costs(at);
        let small = model == SMALL && costs.len() == TWO;
        let Some(success) = trace.success(at) else {
            self.beliefs.observe(hash, model, costs[model])?;
            if small {
                self.beliefs.observe(hash, LARGE, costs[LARGE])?;
            }
            return Ok(());
        };
        if small {
            self.beliefs.observe(hash, LESSER, costs[SMALL].min(costs[LARGE]))?;
        }
        if small && !success[SMALL] {
            self.large_seen.get_mut(trace.query(at)).into_iter().for_each(|seen| *seen = true);
            self.beliefs.observe(hash, LARGE, costs[LARGE])?;
        }
        Ok(())
    }

    /// What a miss on `query`, asked `count` times, is worth avoiding.
    #[inline]
    pub(crate) fn value(&self, hash: u64, count: f64, query: usize) -> Result<f64, Error> {
        let advice = self.multiplexer.map_or(Advice::NONE, |advisor| advisor.of_query(query, self.models));
        self.beliefs.value_with(hash, count, self.valued.as_deref(), advice)
    }
}
