//! The live rate of wrong hits, with an interval that rests on audits alone.
//!
//! A would-be hit with risk p is audited with chance q and then found wrong (y = 1) or right. (1 - q)(p + audited (y - p)
//! / q) has the mean of "served and wrong", whatever p is worth; so its sum less the wrong hits served is a martingale.
//! Its interval is the normal-mixture confidence sequence (Waudby-Smith et al., arXiv 2103.06476, theorem 2.2): valid at
//! all times at once as audits grow many. The variance is that seen in audits, or that which the risks foretell where it
//! is larger, since the first audits often see no wrong hit at all.

use super::saved::{Numbers, Saved, amount, finite};

/// Chance that an interval ever misses.
const ALPHA: f64 = 0.05;
/// The mixture's precision: sharpest where the variance is about 9 over this.
const PRECISION: f64 = 0.0035;
/// Requests after which half is forgotten, for the recent rate.
const HALF_LIFE: f64 = 500.0;
/// Normal quantile of the recent rate's interval, which is valid at any one time.
const QUANTILE: f64 = 1.96;

/// Wrong hits among all requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// What the audits say.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    requests: f64,
    served: f64,
    wrong: f64,
    seen: f64,
    foretold: f64,
}

impl Sums {
    fn add(&mut self, risk: f64, share: f64, label: Option<bool>) {
        let served = 1.0 - share;
        // what an audit would change, for a right and for a wrong answer
        let change = |wrong: f64| served * (wrong - risk) / share + wrong;
        let foretold = risk * change(1.0).powi(2) + (1.0 - risk) * change(0.0).powi(2);
        self.foretold += share * served * foretold;
        self.wrong += served * risk;
        match label {
            None => self.served += 1.0,
            Some(wrong) => {
                let wrong = f64::from(u8::from(wrong));
                self.wrong += served * (wrong - risk) / share;
                self.seen += served * change(wrong).powi(2);
            }
        }
    }

    fn rate(&self, width: impl Fn(f64) -> f64) -> Rate {
        let requests = self.requests.max(1.0);
        let width = width(self.seen.max(self.foretold));
        let place = |wrong: f64| wrong.clamp(0.0, self.served) / requests;
        Rate { estimate: place(self.wrong), low: place(self.wrong - width), high: place(self.wrong + width) }
    }
}

/// Counts requests, hits and audits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LiveRate {
    all: Sums,
    recent: Sums,
}

impl LiveRate {
    /// Counts a request, before what becomes of it.
    pub fn request(&mut self) {
        self.answered(1);
    }

    /// Counts requests that were answered by other means.
    pub fn answered(&mut self, count: u64) {
        let count = count as f64;
        let one = 0.5_f64.powf(1.0 / HALF_LIFE);
        let keep = one.powf(count);
        let Sums { requests, served, wrong, seen, foretold } = &mut self.recent;
        for sum in [requests, served, wrong] {
            *sum *= keep;
        }
        for sum in [seen, foretold] {
            *sum *= keep * keep;
        }
        self.all.requests += count;
        self.recent.requests += (1.0 - keep) / (1.0 - one);
    }

    /// Counts a hit of this risk that would have been audited with this chance; `label`: it was, and was wrong or not.
    pub fn hit(&mut self, risk: f64, share: f64, label: Option<bool>) {
        self.all.add(risk, share, label);
        self.recent.add(risk, share, label);
    }

    /// Since the start; the interval holds at all times at once.
    #[must_use]
    pub fn all(&self) -> Rate {
        let variance = |seen: f64| (seen * PRECISION + 1.0) / PRECISION;
        self.all.rate(|seen| (variance(seen) * ((seen * PRECISION + 1.0).ln() - 2.0 * ALPHA.ln())).sqrt())
    }

    /// Of late: each request counts half as much after 500 more. The interval holds at any one time.
    #[must_use]
    pub fn recent(&self) -> Rate {
        self.recent.rate(|seen| QUANTILE * seen.sqrt())
    }
}

impl Saved for LiveRate {
    fn save(&self, to: &mut Vec<f64>) {
        for Sums { requests, served, wrong, seen, foretold } in [self.all, self.recent] {
            to.extend([requests, served, wrong, seen, foretold]);
        }
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        for Sums { requests, served, wrong, seen, foretold } in [&mut self.all, &mut self.recent] {
            *requests = amount(from)?;
            *served = amount(from)?;
            *wrong = finite(from)?;
            *seen = amount(from)?;
            *foretold = amount(from)?;
        }
        Some(())
    }
}
