//! AVX2, AVX-512 with BW, and with VPOPCNTDQ.
#![allow(clippy::wildcard_imports, reason = "intrinsics name their instruction set themselves")]

mod avx2;
mod avx512;

use super::Kernels;

/// The tables this CPU can run, the fastest last.
pub(super) fn available() -> impl Iterator<Item = &'static Kernels> {
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("popcnt");
    let avx512 = avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    let popcount = avx512 && is_x86_feature_detected!("avx512vpopcntdq");
    [
        avx2.then_some(&avx2::KERNELS),
        avx512.then_some(&avx512::NIBBLES),
        popcount.then_some(&avx512::POPCOUNT),
    ]
    .into_iter()
    .flatten()
}
