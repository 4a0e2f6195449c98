//! Serve, audit or decline a candidate, and learn from each answer that was paid for.

use super::audit;
use super::budget::Budget;
use super::calibration::Calibration;
use super::drift::Drift;
use super::features::FEATURES;
use super::model::{Pooled, Record};
use super::prior::{DEVIATIONS, MEANS};
use super::rate::{LiveRate, Rate};
use super::saved::{Numbers, Saved, amount, count};
use crate::error::Error;

/// The most labels of the model, and of the calibration, that one audit counts for.
const HEAVIEST: [f64; 2] = [2.0, 4.0];

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Its answer is served.
    Serve,
    /// It would be served, and is answered by a model to see whether that is right; stands for so many hits.
    Audit(f64),
    /// A model answers.
    Decline,
}

/// A verdict with its grounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Probability of a wrong answer, calibrated and cautious.
    pub wrong: f64,
    /// What the model said before calibration.
    pub predicted: f64,
    /// The probability up to which hits are served now.
    pub threshold: f64,
}

/// The decision of one pool of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Judge {
    seed: u64,
    requests: u64,
    audits: u64,
    /// Audits since predictions last ceased to hold.
    fresh_audits: u64,
    /// Audits that were wrong, each for as many hits as it stands for.
    audited_wrong: f64,
    model: Pooled,
    calibration: Calibration,
    budget: Budget,
    rate: LiveRate,
    drift: Drift,
}

impl Judge {
    /// A judge that has seen nothing; `max_error` is the share of wrong hits among all requests.
    ///
    /// # Errors
    /// [`Error::Config`] unless `max_error` lies in [0, 0.5].
    pub fn new(max_error: f64, seed: u64) -> Result<Self, Error> {
        if !(0.0..=0.5).contains(&max_error) {
            return Err(Error::Config { what: format!("max_error must lie in [0, 0.5], got {max_error}") });
        }
        Ok(Self {
            seed,
            requests: 0,
            audits: 0,
            fresh_audits: 0,
            audited_wrong: 0.0,
            model: Pooled::new(&MEANS, &DEVIATIONS),
            calibration: Calibration::default(),
            budget: Budget::new(max_error),
            rate: LiveRate::default(),
            drift: Drift::default(),
        })
    }

    /// Counts a request; before [`Self::judge`], and also where there is no candidate.
    pub fn request(&mut self) {
        self.requests += 1;
        self.budget.request();
        self.rate.request();
    }

    /// Counts requests that were answered by other means: from the exact store.
    pub fn answered(&mut self, count: u64) {
        self.requests += count;
        self.budget.answered(count);
        self.rate.answered(count);
    }

    /// Judges the candidate of the request counted last.
    pub fn judge(&mut self, features: &[f64; FEATURES], record: &Record) -> Judgement {
        let appraised = self.appraised(features, record);
        if !self.budget.admits(appraised.wrong) {
            return appraised;
        }
        let verdict = self.serve(&appraised);
        Judgement { verdict, ..appraised }
    }

    /// As [`Self::judge`] of a candidate that is declined whatever its risk, which spends nothing and is none of the
    /// candidates that the budget is planned for. Whether it would have been served or audited otherwise.
    #[must_use]
    pub fn refuse(&self, features: &[f64; FEATURES], record: &Record) -> (Judgement, bool) {
        let judgement = self.appraised(features, record);
        (judgement, self.budget.covers(judgement.wrong))
    }

    /// What is thought of a candidate, as a decline.
    fn appraised(&self, features: &[f64; FEATURES], record: &Record) -> Judgement {
        let predicted = self.model.wrong(features, record);
        let wrong = self.calibration.correct(predicted);
        Judgement { verdict: Verdict::Decline, wrong, predicted, threshold: self.budget.threshold() }
    }

    fn serve(&mut self, judgement: &Judgement) -> Verdict {
        let Judgement { wrong, predicted, threshold, .. } = *judgement;
        let share = audit::share(wrong, threshold, self.fresh_audits);
        if audit::coin(self.seed, self.requests) < share {
            self.audits += 1;
            self.fresh_audits += 1;
            return Verdict::Audit(1.0 / share);
        }
        self.budget.spend(predicted, wrong);
        self.rate.hit(wrong, share, None);
        self.drift.hit();
        Verdict::Serve
    }

    /// Takes in what the model's answer says of a candidate that was audited or declined. Returns the surprise: the
    /// label (1: right) less what was expected, for the entry that the answer becomes.
    pub fn learn(
        &mut self,
        features: &[f64; FEATURES],
        record: &mut Record,
        judgement: &Judgement,
        right: bool,
    ) -> f64 {
        let weight = match judgement.verdict {
            Verdict::Audit(weight) => weight,
            _ => 1.0,
        };
        if matches!(judgement.verdict, Verdict::Audit(_)) {
            self.audited_wrong += if right { 0.0 } else { weight };
            self.rate.hit(judgement.wrong, 1.0 / weight, Some(!right));
        }
        self.model.learn(features, record, right, weight.min(HEAVIEST[0]));
        if self.calibration.learn(judgement.predicted, !right, weight.min(HEAVIEST[1])) {
            self.budget.revalue(&self.calibration.corrected());
        }
        if let Some(served) = self.drift.label(judgement.wrong, !right) {
            self.start_over(served);
        }
        f64::from(u8::from(right)) - (1.0 - judgement.predicted)
    }

    /// Predictions have ceased to hold: what was learnt is doubted, and audits begin anew.
    fn start_over(&mut self, served_wrong: f64) {
        self.budget.settle(served_wrong);
        self.calibration.restart();
        self.model.doubt(&DEVIATIONS);
        self.fresh_audits = 0;
    }

    /// Wrong hits among all requests since the start, from audits.
    #[must_use]
    pub fn wrong_rate(&self) -> Rate {
        self.rate.all()
    }

    /// Wrong hits among the requests of late, from audits.
    #[must_use]
    pub fn recent_wrong_rate(&self) -> Rate {
        self.rate.recent()
    }

    /// How often predictions were found to hold no more.
    #[must_use]
    pub fn drifts(&self) -> u64 {
        self.drift.alarms()
    }

    /// What labels said, bin by bin of what the model predicted: least probability, labels, wrong ones.
    pub fn calibration(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.calibration.table()
    }

    /// What the model gives for each feature.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.model.weights
    }

    /// Audited hits.
    #[must_use]
    pub fn audits(&self) -> u64 {
        self.audits
    }

    /// Wrong hits that the audits speak of, among all that were served or audited.
    #[must_use]
    pub fn audited_wrong(&self) -> f64 {
        self.audited_wrong
    }

    /// Asserts that the books agree.
    ///
    /// # Panics
    /// When they do not.
    pub fn check(&self) {
        assert!(
            self.budget.spent() >= 0.0 && self.budget.spent() <= self.requests as f64,
            "risk is out of range"
        );
        assert!(self.audits <= self.requests, "more audits than requests");
        assert!(self.model.weights.iter().all(|weight| weight.is_finite()), "a weight is not finite");
    }
}

impl Saved for Judge {
    /// All but the seed, which is a setting.
    fn save(&self, to: &mut Vec<f64>) {
        let Self {
            seed: _,
            requests,
            audits,
            fresh_audits,
            audited_wrong,
            model,
            calibration,
            budget,
            rate,
            drift,
        } = self;
        to.extend([*requests as f64, *audits as f64, *fresh_audits as f64, *audited_wrong]);
        model.save(to);
        calibration.save(to);
        budget.save(to);
        rate.save(to);
        drift.save(to);
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.requests = count(from)?;
        self.audits = count(from).filter(|&audits| audits <= self.requests)?;
        self.fresh_audits = count(from).filter(|&audits| audits <= self.audits)?;
        self.audited_wrong = amount(from)?;
        self.model.load(from)?;
        self.calibration.load(from)?;
        self.budget.load(from)?;
        self.rate.load(from)?;
        self.drift.load(from)?;
        (self.budget.spent() <= self.requests as f64).then_some(())
    }
}
