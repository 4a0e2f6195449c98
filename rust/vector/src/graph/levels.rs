//! How high a node stands: a coin thrown by a hash, so that the same ids make the same graph.

use crate::rotation::mixed;

/// One node in so many stands a level higher.
const ONE_IN: f64 = 16.0;
/// Higher than any collection needs: 16^12 nodes.
pub(crate) const MOST: usize = 12;
const SEED: u64 = 0x6c65_636d_7578;

/// The highest level of the node of `id`, from 0 up; each level holds a sixteenth of the one below.
pub(crate) fn level(id: i64) -> usize {
    let bits = mixed(mixed(id.cast_unsigned()) ^ SEED);
    // In (0, 1], as a coin that never comes to rest has no level.
    let uniform = ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 14")]
    let level = (-uniform.ln() / ONE_IN.ln()) as usize;
    level.min(MOST)
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn each_level_holds_a_sixteenth_of_the_one_below() {
        let mut count = [0_u32; 4];
        for id in -50_000..50_000 {
            (0..=level(id).min(3)).for_each(|at| count[at] += 1);
        }
        assert_eq!(count[0], 100_000);
        assert!((5_900..6_600).contains(&count[1]), "{count:?}");
        assert!((340..440).contains(&count[2]), "{count:?}");
    }
}
