//! Recursive ridge regression: features → one number, one observation at a time.
//!
//! `w` minimises `Σ (y - w·x)² + Σ penalty_j w_j²` over all observations so far. The inverse of
//! `X'X + diag(penalty)` is kept and updated by Sherman and Morrison's formula, O(dims²) an observation; a
//! prediction is O(features that are not 0). The last place is the intercept, hardly penalised.

use super::features::Features;

/// Penalty of the intercept, in observations: next to none, and the inverse stays finite.
const INTERCEPT_PENALTY: f64 = 1e-2;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ridge {
    /// Of the features; the intercept is one more.
    dims: usize,
    penalty: f64,
    /// Row-major, symmetric; empty before the first observation.
    pub(super) inverse: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

impl Ridge {
    pub(super) fn new(dims: usize, penalty: f64) -> Self {
        Self { dims, penalty, inverse: Vec::new(), weights: Vec::new() }
    }

    /// Side of the inverse.
    pub(super) fn side(&self) -> usize {
        self.dims + 1
    }

    /// What is expected; 0 before the first observation.
    pub(super) fn predict(&self, x: &Features) -> f64 {
        if self.weights.is_empty() {
            return 0.0;
        }
        self.terms(x).map(|(place, value)| self.weights[place] * value).sum()
    }

    /// Takes in one observation.
    pub(super) fn learn(&mut self, x: &Features, y: f64) {
        if self.weights.is_empty() {
            self.start();
        }
        let error = y - self.predict(x);
        let mut gain = self.gain(x);
        let spread: f64 = 1.0 + self.terms(x).map(|(place, value)| gain[place] * value).sum::<f64>();
        // Scaled by the root, so that the inverse stays symmetric to the last bit.
        let root = spread.sqrt();
        for each in &mut gain {
            *each /= root;
        }
        self.weights.iter_mut().zip(&gain).for_each(|(weight, gain)| *weight += gain / root * error);
        let side = self.side();
        for (row, &left) in self.inverse.chunks_exact_mut(side).zip(&gain) {
            if left != 0.0 {
                row.iter_mut().zip(&gain).for_each(|(cell, right)| *cell -= left * right);
            }
        }
    }

    /// An observation that was taken in turns out to be `delta` more.
    pub(super) fn amend(&mut self, x: &Features, delta: f64) {
        if !self.weights.is_empty() {
            let gain = self.gain(x);
            self.weights.iter_mut().zip(&gain).for_each(|(weight, gain)| *weight += gain * delta);
        }
    }

    /// What would have been expected of an observation `y` that was taken in, without it.
    pub(super) fn without(&self, x: &Features, y: f64) -> f64 {
        y - (y - self.predict(x)) / (1.0 - self.leverage(x)).max(1e-6)
    }

    /// Squared deviation of a prediction, in those of an observation; falls with observations like this one.
    pub(super) fn leverage(&self, x: &Features) -> f64 {
        if self.weights.is_empty() {
            return 1.0 / INTERCEPT_PENALTY;
        }
        self.terms(x)
            .map(|(row, left)| {
                let row = &self.inverse[row * self.side()..][..self.side()];
                left * self.terms(x).map(|(place, value)| row[place] * value).sum::<f64>()
            })
            .sum()
    }

    pub(super) fn bytes(&self) -> usize {
        (self.inverse.capacity() + self.weights.capacity()) * size_of::<f64>()
    }

    /// # Panics
    /// When it cannot have come from observations.
    pub(super) fn check(&self) {
        assert!(self.is_sound(), "a regression holds numbers that no observations give");
    }

    pub(super) fn is_sound(&self) -> bool {
        let side = self.side();
        let shaped = self.weights.is_empty() && self.inverse.is_empty()
            || self.weights.len() == side && self.inverse.len() == side * side;
        shaped
            && self.weights.iter().chain(&self.inverse).all(|value| value.is_finite())
            && (0..side.min(self.weights.len())).all(|place| self.inverse[place * side + place] > 0.0)
    }

    fn start(&mut self) {
        let side = self.side();
        self.weights = vec![0.0; side];
        self.inverse = vec![0.0; side * side];
        for place in 0..side {
            let penalty = if place == self.dims { INTERCEPT_PENALTY } else { self.penalty };
            self.inverse[place * side + place] = 1.0 / penalty;
        }
    }

    /// The inverse times the observation's features.
    fn gain(&self, x: &Features) -> Vec<f64> {
        let side = self.side();
        let mut gain = vec![0.0; side];
        for (place, value) in self.terms(x) {
            let row = &self.inverse[place * side..][..side];
            gain.iter_mut().zip(row).for_each(|(sum, cell)| *sum += value * cell);
        }
        gain
    }

    fn terms<'a>(&self, x: &'a Features) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        x.iter().chain(std::iter::once((self.dims, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations() -> Vec<(Features, f64)> {
        let mut state = 7_u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        (0..40)
            .map(|_| {
                let x = [draw(), draw(), draw()];
                (Features::dense(&x).unwrap(), f64::from(3.0 * x[0] - x[1]) + 5.0)
            })
            .collect()
    }

    fn fitted(of: &[(Features, f64)]) -> Ridge {
        let mut ridge = Ridge::new(3, 0.1);
        for (x, y) in of {
            ridge.learn(x, *y);
        }
        ridge
    }

    #[test]
    fn the_weights_solve_the_normal_equations() {
        let all = observations();
        let ridge = fitted(&all);
        ridge.check();
        for place in 0..4 {
            let penalty = if place == 3 { INTERCEPT_PENALTY } else { 0.1 };
            let residual: f64 = all
                .iter()
                .map(|(x, y)| {
                    let here = ridge.terms(x).find(|(at, _)| *at == place).map_or(0.0, |(_, value)| value);
                    here * (y - ridge.predict(x))
                })
                .sum();
            assert!((residual - penalty * ridge.weights[place]).abs() < 1e-9, "place {place}: {residual}");
        }
    }

    #[test]
    fn leaving_one_out_is_fitting_without_it() {
        let all = observations();
        let ridge = fitted(&all);
        for out in [0, 17, 39] {
            let rest: Vec<_> =
                all.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, o)| o.clone()).collect();
            let (x, y) = &all[out];
            assert!((ridge.without(x, *y) - fitted(&rest).predict(x)).abs() < 1e-9);
        }
    }

    #[test]
    fn amending_is_as_if_it_had_been_so_at_once() {
        let mut all = observations();
        let mut late = fitted(&all);
        late.amend(&all[5].0, 2.5);
        all[5].1 += 2.5;
        let at_once = fitted(&all);
        for (a, b) in late.weights.iter().zip(&at_once.weights) {
            assert!((a - b).abs() < 1e-9);
        }
    }
}
