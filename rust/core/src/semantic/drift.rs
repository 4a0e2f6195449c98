//! Whether predictions have ceased to hold.
//!
//! A bet on "a share of the right answers has become wrong", so that p is now a = p + SHARE (1 - p), multiplies its
//! stake by a/p at a wrong answer and by (1 - a)/(1 - p) at a right one. Where the probabilities hold or are cautious it
//! gains nothing on average (a supermartingale); started anew whenever it falls below 1 it is a CUSUM, whose mean time to
//! a false alarm is at least the bound (Lorden 1971). Few labels suffice where answers that seemed sure turn out wrong.

use super::saved::{Numbers, Saved, amount, count};

/// Logarithm of the stake at which predictions are given up.
const ALARM: f64 = 10.3;
/// Share of the right answers that are taken to have become wrong.
const SHARE: f64 = 0.3;
/// No single label counts for more than at this risk.
const LEAST_RISK: f64 = 0.01;
/// Candidates less likely to be right are never served, and tell nothing here.
const AT_STAKE: f64 = 0.5;

/// The bet, and what happened since it was last started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drift {
    /// Its logarithm.
    stake: f64,
    labels: f64,
    wrong: f64,
    hits: f64,
    alarms: u64,
}

impl Drift {
    /// Counts a hit.
    pub fn hit(&mut self) {
        self.hits += 1.0;
    }

    /// Takes in a label of a candidate whose risk was told. Returns the wrong hits that are likely to have been served
    /// since predictions ceased to hold, where they have.
    pub fn label(&mut self, risk: f64, wrong: bool) -> Option<f64> {
        if risk >= AT_STAKE {
            return None;
        }
        let wrong = f64::from(u8::from(wrong));
        let turned = risk + SHARE * (1.0 - risk);
        self.stake += wrong * (turned / risk.max(LEAST_RISK)).ln() + (1.0 - wrong) * (1.0 - SHARE).ln();
        self.labels += 1.0;
        self.wrong += wrong;
        if self.stake <= 0.0 {
            *self = Self { alarms: self.alarms, ..Self::default() };
        }
        (self.stake >= ALARM).then(|| {
            let served = self.hits * self.wrong / self.labels;
            *self = Self { alarms: self.alarms + 1, ..Self::default() };
            served
        })
    }

    /// How often predictions were given up.
    #[must_use]
    pub fn alarms(&self) -> u64 {
        self.alarms
    }
}

impl Saved for Drift {
    fn save(&self, to: &mut Vec<f64>) {
        let Self { stake, labels, wrong, hits, alarms } = self;
        to.extend([*stake, *labels, *wrong, *hits, *alarms as f64]);
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        for part in [&mut self.stake, &mut self.labels, &mut self.wrong, &mut self.hits] {
            *part = amount(from)?;
        }
        self.alarms = count(from)?;
        Some(())
    }
}
