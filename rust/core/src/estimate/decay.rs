//! How fast old requests stop counting.
//!
//! Counts are kept in units that grow: a request at time t weighs 2^(t/half-life), so old keys keep their
//! order without being touched, and a count in requests is the stored count over the current weight. Where
//! the weight passes 10^20 all counts are divided by it once.

use super::shadow::Shadows;

/// How counts decay.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DecayRule {
    /// Every request counts for ever: the rule of arXiv 2306.02003.
    None,
    /// A request counts half after this many further requests.
    HalfLife(f64),
    /// The half-life with the least recent miss cost among shadows (`shadow.rs`).
    #[default]
    SelfTuned,
}

/// Weights above this are scaled back to 1; f32 counts reach 3 · 10^38, so they have room for 10^18 requests.
const RESCALE_ABOVE: f64 = 1e20;

/// The weight of a request now.
#[derive(Debug)]
pub struct Decay {
    weight: f64,
    growth: f64,
    shadows: Option<Box<Shadows>>,
}

impl Decay {
    /// Starts with a weight of 1; the shadows of a self-tuned decay take at most about `bytes`.
    #[must_use]
    pub fn new(rule: DecayRule, bytes: usize) -> Self {
        let growth = match rule {
            DecayRule::HalfLife(requests) => growth(requests),
            DecayRule::None | DecayRule::SelfTuned => 1.0,
        };
        let shadows = (rule == DecayRule::SelfTuned).then(|| Box::new(Shadows::within(bytes)));
        Self { weight: 1.0, growth, shadows }
    }

    /// What one request weighs now.
    #[inline]
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The half-life in force, in requests; infinite where nothing decays.
    #[must_use]
    pub fn half_life(&self) -> f64 {
        1.0 / self.growth.log2()
    }

    /// A request passes; returns the factor to multiply every count with, when that is due.
    #[inline]
    pub fn tick(&mut self) -> Option<f64> {
        self.weight *= self.growth;
        if self.weight <= RESCALE_ABOVE {
            return None;
        }
        let factor = 1.0 / self.weight;
        self.weight = 1.0;
        Some(factor)
    }

    /// Whether [`Decay::watch`] wants to see requests for `hash`.
    #[inline]
    #[must_use]
    pub fn watches(&self, hash: u64) -> bool {
        self.shadows.as_ref().is_some_and(|shadows| shadows.samples(hash))
    }

    /// Shows the shadows a request whose answer is worth `density` (cost per byte) while the shard holds
    /// `residents` entries and is full.
    #[inline]
    pub fn watch(&mut self, hash: u64, density: f64, residents: usize) {
        if let Some(shadows) = &mut self.shadows
            && shadows.samples(hash)
        {
            self.growth = growth(shadows.request(hash, density, residents));
        }
    }

    /// Takes over weight and half-life from a snapshot.
    pub fn restore(&mut self, weight: f64, half_life: f64) {
        self.weight = weight;
        self.growth = growth(half_life);
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.shadows.as_ref().map_or(0, |shadows| shadows.heap_bytes())
    }
}

/// Growth of the weight a request; 1 for an infinite half-life.
fn growth(half_life: f64) -> f64 {
    (1.0 / half_life).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_life_two_requests_at_0_2_4() {
        let mut decay = Decay::new(DecayRule::HalfLife(2.0), 0);
        let mut count = 0.0;
        for time in 0..=4 {
            if time > 0 {
                assert_eq!(decay.tick(), None);
            }
            if time % 2 == 0 {
                count += decay.weight();
            }
        }
        assert!((count / decay.weight() - 1.75).abs() < 1e-12);
    }

    #[test]
    fn rescaling_keeps_counts_in_requests() {
        let mut decay = Decay::new(DecayRule::HalfLife(1.0), 0);
        let mut count = decay.weight();
        for _ in 0..120 {
            if let Some(factor) = decay.tick() {
                count *= factor;
            }
            count += decay.weight();
        }
        assert!((count / decay.weight() - 2.0).abs() < 1e-9);
        assert!(decay.weight() <= RESCALE_ABOVE);
    }
}
