//! Any sequence of operations against a naive model (`model.rs`), under every policy.
//!
//! After each operation the invariants hold, and the cache holds, counts, charges and books what the model
//! does. Where nothing decays and the estimator is the plain mean, the model also names the victims.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the model rounds where the cache does, by the plainest means"
)]

mod model;
mod subject;

use lecmux_core::estimate::Estimator;
use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::evict::Policy;
use proptest::prelude::*;
use subject::{Setting, Subject, op};

const PLAIN: Setting = Setting {
    policy: Policy::Lec { bypass: true },
    decay: DecayRule::None,
    rescore: false,
    estimator: Estimator::PlugIn,
    tenant_share: 1.0,
};
const LEC: Setting = PLAIN;
const ADMITTING: Setting = Setting { policy: Policy::Lec { bypass: false }, ..PLAIN };
const GDSF: Setting = Setting { policy: Policy::Gdsf { keep_counts: false, bypass: false }, ..PLAIN };
const LFU: Setting = Setting { policy: Policy::Lfu { bypass: true }, ..PLAIN };
const GIVEN: Setting = Setting { policy: Policy::Given { bypass: true }, ..PLAIN };
const LRU: Setting = Setting { policy: Policy::Lru, ..PLAIN };
const S3_FIFO: Setting = Setting { policy: Policy::S3Fifo { small_share: 0.1 }, ..PLAIN };
const VALUE_OF_INFORMATION: Estimator =
    Estimator::ValueOfInformation { z: 2.0, s0: None, forecast: 1.0, least_share: 0.3 };

/// The same with a share of the budget for each tenant.
const fn shared(setting: Setting) -> Setting {
    Setting { tenant_share: 0.4, ..setting }
}

/// One test a line.
macro_rules! against_the_model {
    ($($name:ident: $setting:expr,)*) => {$(
        proptest! {
            #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
            #[test]
            fn $name(ops in prop::collection::vec(op(), 1..200)) {
                let mut subject = Subject::new($setting);
                for op in &ops {
                    subject.run(op);
                }
            }
        }
    )*};
}

against_the_model! {
    lec: LEC,
    lec_with_shares: shared(LEC),
    lec_always_admitting: ADMITTING,
    lec_rescored: Setting { rescore: true, ..LEC },
    lec_half_life: Setting { decay: DecayRule::HalfLife(20.0), ..LEC },
    lec_short_half_life: Setting { decay: DecayRule::HalfLife(2.0), ..LEC },
    lec_self_tuned: Setting { decay: DecayRule::SelfTuned, ..LEC },
    lec_value_of_information: Setting { estimator: VALUE_OF_INFORMATION, ..LEC },
    lec_value_of_information_rescored: Setting { estimator: VALUE_OF_INFORMATION, rescore: true, ..shared(LEC) },
    gdsf: GDSF,
    gdsf_with_shares: shared(GDSF),
    gdsf_keeping_counts: Setting { policy: Policy::Gdsf { keep_counts: true, bypass: false }, ..PLAIN },
    gdsf_with_bypass: Setting { policy: Policy::Gdsf { keep_counts: true, bypass: true }, ..PLAIN },
    lfu: LFU,
    lfu_with_shares: shared(LFU),
    lfu_always_admitting: Setting { policy: Policy::Lfu { bypass: false }, ..PLAIN },
    given: GIVEN,
    given_with_shares: shared(GIVEN),
    given_always_admitting: Setting { policy: Policy::Given { bypass: false }, ..PLAIN },
    lru: LRU,
    lru_with_shares: shared(LRU),
    s3_fifo: S3_FIFO,
    s3_fifo_with_shares: shared(S3_FIFO),
}
