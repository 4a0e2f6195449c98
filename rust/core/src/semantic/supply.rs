//! How many candidates of which risk come by, and how their number grows while the cache fills.

use super::calibration::{BINS, bin, edge};
use super::saved::{Numbers, Saved, amount, each};

/// The recent requests are the last quarter, of at most so many.
const RECENT: f64 = 4.0;
const LONGEST: f64 = 3000.0;
/// Candidates up to this risk tell how the supply grows.
const LIKELY: f64 = 0.2;
/// The supply grows as a power of the requests; the most that is counted on.
const FASTEST: f64 = 0.3;

/// Candidates by risk.
#[derive(Clone, Debug, PartialEq)]
pub struct Supply {
    /// Recent candidates and the sum of their risks, a bin of risks.
    candidates: [f64; BINS],
    risks: [f64; BINS],
    /// Requests that the recent ones stand for.
    recent: f64,
    /// Likely candidates since the start.
    likely: f64,
}

impl Default for Supply {
    fn default() -> Self {
        Self { candidates: [0.0; BINS], risks: [0.0; BINS], recent: 0.0, likely: 0.0 }
    }
}

impl Supply {
    /// Counts a candidate.
    pub fn add(&mut self, wrong: f64) {
        let bin = bin(wrong);
        self.candidates[bin] += 1.0;
        self.risks[bin] += wrong;
        self.likely += f64::from(u8::from(edge(bin) < LIKELY));
    }

    /// Forgets as far as `times` times `passed` more requests ask for, the last of which is the `requests`th.
    pub fn pass(&mut self, passed: f64, times: f64, requests: f64) {
        let lost = (passed * RECENT / requests.clamp(RECENT * passed, LONGEST)).min(1.0);
        let keep = (1.0 - lost).powf(times);
        self.recent = self.recent * keep + passed * ((1.0 - keep) / lost);
        for count in self.candidates.iter_mut().chain(&mut self.risks) {
            *count *= keep;
        }
    }

    /// The highest risk up to which serving every candidate of the `span` requests after the first `requests` adds up
    /// to no more than `risk`.
    #[must_use]
    pub fn threshold(&self, risk: f64, requests: f64, span: f64) -> f64 {
        let grown = span * self.growth(requests, span);
        let mut left = risk.max(0.0) / grown * self.recent;
        for bin in 0..BINS {
            let (low, high) = (edge(bin), edge(bin + 1));
            if self.risks[bin] > left {
                return low + (high - low) * left / self.risks[bin];
            }
            left -= self.risks[bin];
        }
        edge(BINS)
    }

    /// Mean supply of the span ahead as a multiple of the recent one. For a supply t^g, the mean since the start is
    /// t^g / (g + 1), and the recent mean t^g k / (g + k) with k = RECENT; their ratio tells g.
    fn growth(&self, requests: f64, span: f64) -> f64 {
        let likely: f64 = (0..BINS).filter(|&bin| edge(bin) < LIKELY).map(|bin| self.candidates[bin]).sum();
        let ratio = ((self.likely / requests + 1e-3) / (likely / self.recent + 1e-3)).clamp(0.0, 1.0);
        let power = (RECENT * (1.0 - ratio) / (RECENT * ratio - 1.0).max(0.05)).clamp(0.0, FASTEST);
        let ahead = span / requests;
        ((1.0 + ahead).powf(power + 1.0) - 1.0) / ((power + 1.0) * ahead)
    }
}

impl Saved for Supply {
    fn save(&self, to: &mut Vec<f64>) {
        let Self { candidates, risks, recent, likely } = self;
        to.extend(candidates.iter().chain(risks));
        to.extend([*recent, *likely]);
    }

    fn load(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        each(&mut self.candidates, from, amount)?;
        each(&mut self.risks, from, amount)?;
        self.recent = amount(from)?;
        self.likely = amount(from)?;
        Some(())
    }
}
