//! The normal law, as far as a look at a cost needs it.

/// `E[(m - X)+]` for a normal X: how far it is expected to fall below `m`.
#[must_use]
pub fn shortfall(m: f64, mean: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 {
        return (m - mean).max(0.0);
    }
    let z = (m - mean) / deviation;
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    ((m - mean) * below(z, density) + deviation * density).max(0.0)
}

/// Normal distribution function, to 7 digits (Zelen and Severo 1964, 26.2.17).
fn below(z: f64, density: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let terms = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let tail = density * terms.iter().rev().fold(0.0, |sum, term| t * (term + sum));
    if z < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortfall_of_a_normal_cost() {
        // With X normal about 0 with deviation 1: E[(0 - X)+] = 1/sqrt(2 pi), E[(1 - X)+] = 1.0833155.
        assert!((shortfall(0.0, 0.0, 1.0) - 0.398_942_28).abs() < 1e-6);
        assert!((shortfall(3.0, 1.0, 2.0) - 2.0 * 1.083_315_5).abs() < 1e-5);
        assert!((shortfall(1.0, 3.0, 2.0) - 2.0 * 0.083_315_5).abs() < 1e-5);
        assert!((shortfall(3.0, 1.0, 0.0) - 2.0).abs() < 1e-12);
    }
}
