//! What an entry is worth beside its near twins: the cost of the requests that no other would answer if it left.
//!
//! When an entry serves by meaning, what would have served without it is judged as well. Where that is another entry, the
//! two cover each other, and the less worthy of them counts for the share of wrong answers alone that the other would
//! give in its place: the rest would be answered all the same. When that other leaves, it counts in full again.

use super::stage::{Proposal, Stage};
use crate::cache::Cache;

/// Looks for a twin of the entry that has just served `proposal`, and has the less worthy of the two count for less. Only
/// where entries compete for room; one lock at a time.
pub fn cover<V>(stage: &Stage, cache: &Cache<V>, proposal: &Proposal) {
    let Some(served) = proposal.served().filter(|_| stage.config().near_twins) else { return };
    let Some(worth) = cache.density(served) else { return };
    let Some(twins) = stage.twins(proposal) else { return };
    let Some(other) = cache.density(twins.ids[1]) else { return };
    let which = usize::from(other <= worth);
    if twins.lean(which) {
        cache.cover(twins.ids[which], 1.0 - twins.wrong);
        // The other may have left, and been told of, meanwhile.
        if !twins.leans(which) {
            cache.cover(twins.ids[which], 0.0);
        }
    }
}

/// Has those count in full again whose twin has left: after each request and put, and whenever entries leave.
pub fn uncover<V>(stage: &Stage, cache: &Cache<V>) {
    for id in stage.alone() {
        cache.cover(id, 0.0);
    }
}
