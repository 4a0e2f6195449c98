//! What exploring costs even a policy that knows the law: a floor for rules that see only what they pay for.
//!
//! It knows how popular each query is, and which mean costs an arm (a model on a query) can have, all equally
//! likely and independent. One look at an arm, at the price of that request, tells it the arm's mean. It looks
//! at a further arm where that gains more over the requests still expected than it costs now, and holds the
//! answers with the largest popularity x cost, where an arm that is worth a look may cost as little as any. It
//! starts empty, and pays what each request costs.

use lecmux_core::error::Error;

use crate::trace::Trace;

/// What that policy knows beforehand, and what a look tells it.
#[derive(Clone, Copy, Debug)]
pub struct Law<'a> {
    /// Probability of each query, (queries,).
    pub popularity: &'a [f64],
    /// Mean cost of each arm, row-major (queries, models): told at the first look.
    pub means: &'a [f64],
    /// The means an arm can have, equally likely.
    pub arm_means: &'a [f64],
}

/// What that policy pays on `trace`, whose ids are the rows of the law. O(T (capacity + models)).
///
/// # Errors
/// [`Error::Config`] for a capacity of 0, shapes that do not fit together, numbers that are not finite, and
/// sizes other than 1.
pub fn floor(trace: &Trace<'_>, capacity: u64, law: Law<'_>) -> Result<f64, Error> {
    check(trace, capacity, law)?;
    let mut run = Run {
        law,
        models: trace.models(),
        places: usize::try_from(capacity).unwrap_or(usize::MAX),
        looked: vec![false; law.means.len()],
        resident: vec![false; law.popularity.len()],
        held: Vec::new(),
    };
    let mut paid = 0.0;
    for at in 0..trace.len() {
        let query = trace.query(at);
        if !run.resident[query] {
            let arm = run.choose(query, (trace.len() - at) as f64);
            paid += trace.costs(at)[arm];
            run.looked[query * run.models + arm] = true;
            run.offer(query, (trace.len() - at) as f64);
        }
    }
    Ok(paid)
}

fn check(trace: &Trace<'_>, capacity: u64, law: Law<'_>) -> Result<(), Error> {
    let fail = |what: String| Err(Error::Config { what });
    let (queries, models) = (law.popularity.len(), trace.models());
    if capacity == 0 {
        return fail("capacity must be at least 1, not 0".into());
    }
    if law.means.len() != queries * models {
        return fail(format!("means must have a row of {models} for each of the {queries} popularities"));
    }
    if trace.queries() > queries {
        return fail(format!("queries go up to {}, but the law knows {queries}", trace.queries() - 1));
    }
    if law.arm_means.is_empty() {
        return fail("arm_means must name the means that an arm can have".into());
    }
    if ![law.popularity, law.means, law.arm_means].iter().all(|part| part.iter().all(|x| x.is_finite())) {
        return fail("popularity, means and arm_means must be finite".into());
    }
    if (0..trace.len()).any(|at| trace.size(at) != 1) {
        return fail("the floor counts answers: leave the sizes out".into());
    }
    Ok(())
}

struct Run<'a> {
    law: Law<'a>,
    models: usize,
    places: usize,
    looked: Vec<bool>,
    resident: Vec<bool>,
    held: Vec<usize>,
}

impl Run<'_> {
    /// The model for a query, with `left` requests still to come.
    fn choose(&self, query: usize, left: f64) -> usize {
        let new = self.arms(query).position(|(_, looked)| !looked);
        match (new, self.known(query)) {
            (Some(new), None) => new,
            (Some(new), Some((_, mean))) if self.worth_a_look(query, mean, left) => new,
            (_, Some((best, _))) => best,
            (None, None) => 0,
        }
    }

    /// Mean of each arm of a query, and whether it was looked at.
    fn arms(&self, query: usize) -> impl Iterator<Item = (f64, bool)> {
        let row = query * self.models..(query + 1) * self.models;
        self.law.means[row.clone()].iter().copied().zip(self.looked[row].iter().copied())
    }

    /// The cheapest arm looked at, and its mean.
    fn known(&self, query: usize) -> Option<(usize, f64)> {
        let seen = self.arms(query).enumerate().filter(|(_, (_, looked))| *looked);
        seen.map(|(arm, (mean, _))| (arm, mean)).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Whether a new arm gains more over the expected requests than this look costs.
    fn worth_a_look(&self, query: usize, mean: f64, left: f64) -> bool {
        let of = self.law.arm_means;
        let gain = of.iter().map(|&other| (mean - other).max(0.0)).sum::<f64>();
        let cost = of.iter().map(|&other| other - mean).sum::<f64>();
        self.law.popularity[query] * left * gain > cost
    }

    /// What holding the answer to a query saves a request.
    fn value(&self, query: usize, left: f64) -> f64 {
        let Some((_, mean)) = self.known(query) else { return 0.0 };
        let new = self.arms(query).any(|(_, looked)| !looked);
        let least = || self.law.arm_means.iter().copied().fold(f64::INFINITY, f64::min);
        let cost = if new && self.worth_a_look(query, mean, left) { least() } else { mean };
        self.law.popularity[query] * cost
    }

    /// Stores the answer where there is room, or in the place of one worth less.
    fn offer(&mut self, query: usize, left: f64) {
        if self.held.len() < self.places {
            self.held.push(query);
            self.resident[query] = true;
            return;
        }
        let values = self.held.iter().map(|&held| self.value(held, left)).enumerate();
        if let Some((place, least)) = values.min_by(|a, b| a.1.total_cmp(&b.1))
            && self.value(query, left) > least
        {
            self.resident[self.held[place]] = false;
            self.resident[query] = true;
            self.held[place] = query;
        }
    }
}
