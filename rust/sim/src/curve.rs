//! How the cost grew: cumulative cost at even places of the trace.

/// Steps a curve has at most; one more place than steps.
const STEPS: usize = 1000;

/// Cumulative cost at even places, from the start to the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Requests served by then; ascending from 0.
    pub requests: Vec<i64>,
    /// What they cost in all.
    pub costs: Vec<f64>,
}

/// Notes the cost as requests pass.
#[derive(Debug)]
pub(crate) struct Recorder {
    total: usize,
    steps: usize,
    /// The next place to note at.
    due: usize,
    curve: Curve,
}

impl Recorder {
    /// Of a trace of `total` requests, before its first.
    pub(crate) fn new(total: usize) -> Self {
        let steps = total.min(STEPS);
        let mut recorder = Self { total, steps, due: 0, curve: Curve::default() };
        recorder.served(0, 0.0);
        recorder
    }

    /// `requests` were served, at `cost` in all.
    #[inline]
    pub(crate) fn served(&mut self, requests: usize, cost: f64) {
        if requests == self.due {
            self.note(requests, cost);
        }
    }

    #[cold]
    fn note(&mut self, requests: usize, cost: f64) {
        self.curve.requests.push(i64::try_from(requests).unwrap_or(i64::MAX));
        self.curve.costs.push(cost);
        let next = self.curve.costs.len() as u128;
        // Past the end no place is due any more.
        let place = next * self.total as u128 / self.steps.max(1) as u128;
        self.due =
            if next > self.steps as u128 { usize::MAX } else { usize::try_from(place).unwrap_or(usize::MAX) };
    }

    pub(crate) fn finish(self) -> Curve {
        self.curve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(total: usize) -> Vec<i64> {
        let mut recorder = Recorder::new(total);
        (1..=total).for_each(|served| recorder.served(served, served as f64));
        let curve = recorder.finish();
        assert!(curve.requests.iter().zip(&curve.costs).all(|(&at, &cost)| (cost - at as f64).abs() < 1e-9));
        curve.requests
    }

    #[test]
    fn it_goes_from_the_start_to_the_end_in_even_steps() {
        assert_eq!(places(0), [0]);
        assert_eq!(places(3), [0, 1, 2, 3]);
        for total in [1000, 1001, 2500, 100_003] {
            let places = places(total);
            assert_eq!(places.len(), STEPS + 1);
            assert_eq!(places.last(), Some(&i64::try_from(total).unwrap()));
            let steps: Vec<i64> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(steps.iter().max().unwrap() - steps.iter().min().unwrap() <= 1);
        }
    }
}
