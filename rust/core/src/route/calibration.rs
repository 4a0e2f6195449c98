//! Predictions → expected costs: how far a predictor can be believed, measured on costs that it had not seen.
//!
//! The latest [`WINDOW`] pairs (prediction made before the cost was known, cost) of one model give a line
//! through their means whose slope is shrunk by its own uncertainty (a predictor without skill gets slope 0:
//! every query is then expected to cost the model's mean), and, where there are enough pairs, a step for each
//! of [`BINS`] quantiles of the line, made monotone by pooling adjacent violators (Ayer et al. 1955). What is
//! left of the costs about that map is the spread by which the strength of a prior is measured.

use std::collections::VecDeque;

/// Pairs remembered.
pub(super) const WINDOW: usize = 512;
const BINS: usize = 12;
/// Fewer pairs a bin say less than the line.
const LEAST_A_BIN: usize = 8;
/// How many costs at the line a bin's own mean is weighed against.
const BIN_PRIOR: f64 = 8.0;
/// With fewer pairs than this a slope says nothing.
const LEAST_FOR_A_SLOPE: usize = 5;
const STEEPEST: f64 = 1.5;
/// Squared standard errors of a slope that chance may give it.
const EVIDENCE: f64 = 4.0;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Calibration {
    /// `(prediction, cost)`, oldest first.
    pub(super) pairs: VecDeque<(f64, f64)>,
    /// Pairs ever taken in.
    pub(super) seen: u64,
    map: Map,
    /// Mean square of the costs about the map.
    spread: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Map {
    at: f64,
    mean: f64,
    slope: f64,
    /// Whether the slope is more than chance would give it.
    tells: bool,
    /// `(line, expected)` at the bins' centres, both ascending; none where there are too few pairs.
    steps: Vec<(f64, f64)>,
}

impl Calibration {
    /// Takes in a pair; returns its number, by which it can be amended.
    pub(super) fn take(&mut self, predicted: f64, cost: f64) -> u64 {
        if self.pairs.len() == WINDOW {
            self.pairs.pop_front();
        }
        self.pairs.push_back((predicted, cost));
        self.seen += 1;
        if self.seen < 64 || self.seen.is_multiple_of(16) {
            self.refit();
        }
        self.seen - 1
    }

    /// Takes in pairs of any order, at most [`WINDOW`] of them, evenly spread.
    pub(super) fn take_all(&mut self, pairs: &[(f64, f64)]) {
        let kept = pairs.len().min(WINDOW);
        self.pairs.drain(..(self.pairs.len() + kept).saturating_sub(WINDOW));
        self.pairs.extend((0..kept).map(|at| pairs[at * pairs.len() / kept]));
        self.seen += pairs.len() as u64;
        self.refit();
    }

    /// The cost of pair `number` turns out to be `delta` more, if it is still remembered.
    pub(super) fn amend(&mut self, number: u64, delta: f64) {
        let oldest = self.seen - self.pairs.len() as u64;
        let place = number.checked_sub(oldest).and_then(|place| usize::try_from(place).ok());
        if let Some(pair) = place.and_then(|place| self.pairs.get_mut(place)) {
            pair.1 = (pair.1 + delta).max(0.0);
            self.refit();
        }
    }

    /// What a query costs whose raw prediction is this; at least 0.
    pub(super) fn expected(&self, predicted: f64) -> f64 {
        self.map.at(predicted).max(0.0)
    }

    /// Mean square of the costs about what was expected.
    pub(super) fn spread(&self) -> f64 {
        self.spread
    }

    /// Share of the costs' variance that the map explains; 0 before there are costs.
    pub(super) fn skill(&self) -> f64 {
        let mean = self.mean();
        let variance = self.average(|(_, cost)| (cost - mean).powi(2));
        if variance > 0.0 { (1.0 - self.spread / variance).max(0.0) } else { 0.0 }
    }

    /// Whether the predictions were shown to tell anything.
    pub(super) fn tells(&self) -> bool {
        self.map.tells
    }

    pub(super) fn refit(&mut self) {
        self.map = self.fitted();
        let n = self.pairs.len() as f64;
        // The map was fitted to these very pairs: two degrees of freedom.
        let own = self.average(|(predicted, cost)| (cost - self.map.at(predicted)).powi(2));
        self.spread = own * (n + 2.0) / n.max(1.0);
    }

    pub(super) fn bytes(&self) -> usize {
        self.pairs.capacity() * size_of::<(f64, f64)>() + self.map.steps.capacity() * size_of::<(f64, f64)>()
    }

    pub(super) fn check(&self) {
        assert!(self.pairs.len() <= WINDOW && self.seen >= self.pairs.len() as u64, "too many pairs");
        assert!(self.pairs.iter().all(|(p, c)| p.is_finite() && c.is_finite() && *c >= 0.0), "no such pair");
        assert!(self.spread.is_finite() && self.spread >= 0.0, "spread {}", self.spread);
        assert!(self.map.steps.is_sorted(), "the map is not monotone: {:?}", self.map.steps);
    }

    fn average(&self, of: impl Fn((f64, f64)) -> f64) -> f64 {
        self.pairs.iter().map(|&pair| of(pair)).sum::<f64>() / self.pairs.len().max(1) as f64
    }

    pub(super) fn mean(&self) -> f64 {
        self.average(|(_, cost)| cost)
    }

    fn fitted(&self) -> Map {
        let (at, mean) = (self.average(|(predicted, _)| predicted), self.mean());
        let mut map = Map { at, mean, slope: 0.0, tells: false, steps: Vec::new() };
        let n = self.pairs.len();
        if n >= LEAST_FOR_A_SLOPE {
            let (slope, evidence) = self.slope(at, mean);
            (map.slope, map.tells) = (slope, evidence > EVIDENCE);
        }
        if n >= BINS * LEAST_A_BIN && map.slope > 0.0 {
            map.steps = self.steps(&map);
        }
        map
    }

    /// Least squares, shrunk by `1 - 1/t²` where `t` is the slope over its standard error; and `t²`.
    fn slope(&self, at: f64, mean: f64) -> (f64, f64) {
        let n = self.pairs.len() as f64;
        let across = self.average(|(predicted, _)| (predicted - at).powi(2));
        if across <= 0.0 {
            return (0.0, 0.0);
        }
        let slope = self.average(|(predicted, cost)| (predicted - at) * (cost - mean)) / across;
        let left = self.average(|(predicted, cost)| (cost - mean - slope * (predicted - at)).powi(2));
        let error = left / (across * (n - 2.0).max(1.0));
        if slope <= 0.0 {
            return (0.0, 0.0);
        }
        let doubt = error / (slope * slope);
        ((slope * (1.0 - doubt).max(0.0)).min(STEEPEST), 1.0 / doubt.max(f64::MIN_POSITIVE))
    }

    fn steps(&self, map: &Map) -> Vec<(f64, f64)> {
        let mut lined: Vec<(f64, f64)> =
            self.pairs.iter().map(|&(predicted, cost)| (map.line(predicted), cost)).collect();
        lined.sort_by(|a, b| a.0.total_cmp(&b.0));
        let bin = |at: usize| &lined[at * lined.len() / BINS..(at + 1) * lined.len() / BINS];
        let blocks = (0..BINS).map(|at| {
            let pairs = bin(at);
            let n = pairs.len() as f64;
            let centre = pairs.iter().map(|(line, _)| line).sum::<f64>() / n;
            let cost = pairs.iter().map(|(_, cost)| cost).sum::<f64>();
            (centre, (cost + BIN_PRIOR * centre) / (n + BIN_PRIOR))
        });
        monotone(blocks)
    }
}

impl Map {
    fn line(&self, predicted: f64) -> f64 {
        self.mean + self.slope * (predicted - self.at)
    }

    fn at(&self, predicted: f64) -> f64 {
        let line = self.line(predicted);
        let right = self.steps.partition_point(|(centre, _)| *centre < line);
        match (right.checked_sub(1).map(|left| self.steps[left]), self.steps.get(right)) {
            (Some((x0, y0)), Some(&(x1, y1))) if x1 > x0 => y0 + (y1 - y0) * (line - x0) / (x1 - x0),
            (Some((_, y)), _) | (None, Some(&(_, y))) => y,
            (None, None) => line,
        }
    }
}

/// Pools neighbours until the second members ascend.
fn monotone(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut pools: Vec<(Vec<f64>, f64)> = Vec::new();
    for (x, y) in points {
        pools.push((vec![x], y));
        while let [.., (_, before), (_, last)] = pools.as_slice()
            && before > last
        {
            let (xs, last) = pools.pop().unwrap_or_default();
            if let Some((into, mean)) = pools.last_mut() {
                *mean = (*mean * into.len() as f64 + last * xs.len() as f64) / (into.len() + xs.len()) as f64;
                into.extend(xs);
            }
        }
    }
    pools.into_iter().flat_map(|(xs, y)| xs.into_iter().map(move |x| (x, y))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: impl Iterator<Item = (f64, f64)>) -> Calibration {
        let mut calibration = Calibration::default();
        for (predicted, cost) in pairs {
            calibration.take(predicted, cost);
            calibration.check();
        }
        calibration.refit();
        calibration
    }

    #[test]
    fn predictions_without_skill_give_the_mean() {
        let calibration = of((0..200).map(|i| (f64::from(i * 37 % 101), f64::from(i * 61 % 17))));
        let mean = calibration.mean();
        for predicted in [0.0, 50.0, 1000.0] {
            assert!((calibration.expected(predicted) - mean).abs() < 1.5, "{predicted}");
        }
        assert!(calibration.skill() < 0.05);
    }

    #[test]
    fn a_predictor_on_another_scale_is_brought_to_costs() {
        let calibration = of((0..60).map(|i| (f64::from(i), 3.0 + 0.5 * f64::from(i))));
        assert!((calibration.expected(20.0) - 13.0).abs() < 0.1);
        assert!(calibration.skill() > 0.99 && calibration.spread() < 0.1);
    }

    #[test]
    fn bins_follow_a_curve_and_stay_monotone() {
        let curve = |i: u32| if i < 150 { 1.0 } else { 9.0 };
        let calibration = of((0..200).map(|i| (f64::from(i), curve(i))));
        assert!(calibration.expected(20.0) < 2.0 && calibration.expected(190.0) > 7.0);
        let ups: Vec<f64> = (0..200).map(|i| calibration.expected(f64::from(i))).collect();
        assert!(ups.is_sorted());
    }

    #[test]
    fn neighbours_are_pooled() {
        let points = [(1.0, 1.0), (2.0, 4.0), (3.0, 2.0), (4.0, 5.0)];
        assert_eq!(monotone(points.into_iter()), [(1.0, 1.0), (2.0, 3.0), (3.0, 3.0), (4.0, 5.0)]);
    }

    #[test]
    fn an_amended_pair_counts_as_if_it_had_been_so_at_once() {
        let mut late = of((0..700).map(|i| (f64::from(i), 1.0)));
        late.amend(0, 5.0);
        assert!((late.mean() - 1.0).abs() < 1e-12, "forgotten pairs stay as they were");
        late.amend(699, 512.0);
        assert!((late.mean() - 2.0).abs() < 1e-12);
    }
}
