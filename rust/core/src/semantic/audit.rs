//! A share of the hits is answered by a model all the same, so that hits are judged too.
//!
//! The share is known and above 0 for every hit, so each audited hit stands for 1/share hits.

/// Share of hits at the threshold that are audited, once there are audits.
const SHARE: f64 = 0.025;
/// Even the surest hits are looked at: drift begins with them.
const LEAST_SHARE: f64 = 0.005;
const MOST_SHARE: f64 = 0.3;
/// Audits after which the share has halved from its start.
const FIRST_AUDITS: f64 = 50.0;

/// The chance that a hit is audited: by the root of its risk, which makes the estimate of the wrong hits the most
/// certain for its price (Neyman allocation), and more often at the start.
#[must_use]
pub fn share(wrong: f64, threshold: f64, audits: u64) -> f64 {
    let risky = (wrong / threshold.max(1e-9)).min(1.0).sqrt();
    (SHARE * risky * (1.0 + FIRST_AUDITS / (1.0 + audits as f64))).clamp(LEAST_SHARE, MOST_SHARE)
}

/// A number in [0, 1) that depends on the seed and the number of the request alone (`SplitMix64`).
#[must_use]
pub fn coin(seed: u64, request: u64) -> f64 {
    let mut word = seed ^ request.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((word ^ (word >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
