//! Value of information: is one look at an untried model worth its price?
//!
//! Model `k` was never tried on a query asked `n` times, whose best tried mean is `m`. What `k` would cost is
//! unknown; it is taken to be like `X`, drawn from the current means of `k` on the [`WINDOW`] queries most
//! recently first tried with it, and one pseudo-value at the floor. Trying pays when
//! `forecast · n · E[(m - X)+] > E[X] - m`: the past count, times `forecast`, is what is expected to come. That
//! is 1 for as many requests again; less, since those that the cache serves repay nothing. A bare lower bound
//! would try every model on every query, since an untried one stands at the floor.

use super::config;
use crate::error::Error;

/// Queries remembered a model.
pub const WINDOW: usize = PLACES as usize;
const PLACES: u8 = 64;
/// What [`super::Estimator::ValueOfInformation`] takes for `least_share` by default.
pub const LEAST_SHARE: f64 = 0.3;
/// Share of what an untried model promises that an entry is worth meanwhile, where costs have no floor: enough to
/// tell such entries apart, too little to hold one in place of an entry that is known to be dear.
pub(super) const PROMISE_SHARE: f64 = 0.01;

pub(super) fn validate(forecast: f64, least_share: f64) -> Result<(), Error> {
    if !(forecast.is_finite() && forecast > 0.0) {
        return Err(config(format!("forecast must be finite and > 0, not {forecast}")));
    }
    if !(0.0..=1.0).contains(&least_share) {
        return Err(config(format!("least_share must lie in 0..=1, not {least_share}")));
    }
    Ok(())
}

/// Marks a value whose query has been forgotten, or an arm that is not in the window.
pub(super) const NOWHERE: u8 = u8::MAX;

/// The means of one model on the queries most recently first tried with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recent {
    means: [f64; WINDOW],
    /// Row of the table that feeds the value in the same place; `u32::MAX` once that row is gone.
    rows: [u32; WINDOW],
    len: u8,
    next: u8,
}

impl Recent {
    pub(super) const NO_ROW: u32 = u32::MAX;

    pub(super) fn new() -> Self {
        Self { means: [0.0; WINDOW], rows: [Self::NO_ROW; WINDOW], len: 0, next: 0 }
    }

    /// Enters a first try; returns its place and the row that lost it, if that is still there.
    pub(super) fn enter(&mut self, row: u32, mean: f64) -> (u8, Option<u32>) {
        let place = self.next;
        let lost = std::mem::replace(&mut self.rows[usize::from(place)], row);
        self.means[usize::from(place)] = mean;
        self.len = self.len.max(place + 1);
        self.next = (place + 1) % PLACES;
        (place, (lost != Self::NO_ROW).then_some(lost))
    }

    pub(super) fn update(&mut self, place: u8, mean: f64) {
        self.means[usize::from(place)] = mean;
    }

    /// The row at `place` is gone from the table; its last mean stays evidence.
    pub(super) fn orphan(&mut self, place: u8) {
        self.rows[usize::from(place)] = Self::NO_ROW;
    }

    /// `(mean, row)` in order of place.
    pub(super) fn entries(&self) -> impl Iterator<Item = (f64, u32)> + '_ {
        let len = usize::from(self.len);
        self.means[..len].iter().copied().zip(self.rows[..len].iter().copied())
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    pub(super) fn next(&self) -> u8 {
        self.next
    }

    /// Puts a decoded window together; `None` unless it can have come from [`Self::enter`].
    pub(super) fn restore(entries: &[(f64, u32)], next: u8) -> Option<Self> {
        let full = entries.len() == WINDOW;
        let valid = entries.len() <= WINDOW
            && if full { usize::from(next) < WINDOW } else { usize::from(next) == entries.len() };
        if !valid || entries.iter().any(|(mean, _)| !(mean.is_finite() && *mean >= 0.0)) {
            return None;
        }
        let mut recent = Self::new();
        for (place, &(mean, row)) in entries.iter().enumerate() {
            (recent.means[place], recent.rows[place]) = (mean, row);
        }
        recent.len = u8::try_from(entries.len()).ok()?;
        recent.next = next;
        Some(recent)
    }

    /// `E[X]`.
    #[inline]
    pub(super) fn expected(&self, floor: f64) -> f64 {
        let sum = lanes(&self.means[..self.len()], |x| x);
        (sum + floor) / (self.len() + 1) as f64
    }

    /// `E[min(m, X)]`.
    pub(super) fn expected_below(&self, m: f64, floor: f64) -> f64 {
        let sum = lanes(&self.means[..self.len()], |x| x.min(m)) + floor.min(m);
        sum / (self.len() + 1) as f64
    }

    /// What trying is worth beyond its price: `to_come · E[(m - X)+] - (E[X] - m)`; try when above 0.
    #[inline]
    pub(super) fn gain(&self, to_come: f64, m: f64, floor: f64) -> f64 {
        let saved = lanes(&self.means[..self.len()], |x| (m - x).max(0.0)) + (m - floor).max(0.0);
        to_come * saved / (self.len() + 1) as f64 - (self.expected(floor) - m)
    }
}

/// Sum of `f` in four independent lanes: additions wait for each other only within a lane.
#[inline]
fn lanes(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; 4];
    let (chunks, rest) = values.as_chunks::<4>();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f(x);
        }
    }
    let tail: f64 = rest.iter().map(|&x| f(x)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_weighs_the_count_against_the_price() {
        let mut recent = Recent::new();
        for (row, mean) in [(0, 1.0), (1, 101.0), (2, 101.0)] {
            recent.enter(row, mean);
        }
        // X is 1, 101, 101 or the floor 1: E[X] = 51, E[(2.5 - X)+] = 0.75, price 48.5.
        assert!((recent.expected(1.0) - 51.0).abs() < 1e-12);
        assert!(recent.gain(64.0, 2.5, 1.0) < 0.0);
        assert!(recent.gain(65.0, 2.5, 1.0) > 0.0);
        // The lesser of 2.5 and X is 1, 2.5, 2.5 or 1.
        assert!((recent.expected_below(2.5, 1.0) - 1.75).abs() < 1e-12);
    }

    #[test]
    fn the_window_forgets_the_oldest_first_try() {
        let mut recent = Recent::new();
        for row in 0..u32::from(PLACES) {
            assert_eq!(recent.enter(row, 1.0).1, None);
        }
        assert_eq!(recent.enter(64, 9.0), (0, Some(0)));
        assert_eq!(recent.enter(65, 9.0), (1, Some(1)));
        assert_eq!(recent.len(), WINDOW);
    }
}
