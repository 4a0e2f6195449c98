//! Who leaves? One trait, one file a policy.
//!
//! A policy sees slots and worths: no keys, values, clocks or locks.

use crate::error::Error;

pub mod gdsf;
pub mod given;
mod heap;
pub mod lec;
pub mod lfu;
pub mod lru;
pub mod order;
pub mod s3_fifo;

/// Index of a resident entry in its shard.
pub type Slot = u32;

/// Victims that are looked for ahead.
pub const LOOK_AHEAD: usize = 5;

/// What a policy may know of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Keyed hash of the key; policies with a memory of evicted entries use it as the name.
    pub hash: u64,
    /// Requests seen, this one included, decayed where the shard decays.
    pub count: f64,
    /// Lower bound of the cost of a miss less the cost of a hit; any unit, at least 0.
    pub value: f64,
    /// Size the entry is charged for.
    pub bytes: u64,
    /// A score from outside, finite; `None` for residents that are looked at, since only a policy keeps it.
    pub given: Option<f64>,
}

/// Orders resident slots by how little they would be missed.
pub trait Eviction: Send {
    /// `slot` became resident; it was not before.
    fn on_insert(&mut self, slot: Slot, worth: &Worth);
    /// `slot` served a hit. Called only where [`Eviction::watches_hits`].
    fn on_hit(&mut self, slot: Slot, worth: &Worth);
    /// Something was learnt about `slot` (a cost, not a request); `worth` is its new estimate.
    fn on_learn(&mut self, slot: Slot, worth: &Worth);
    /// Another share of the requests of `slot` would be answered without it; `worth` says what it is worth now. A policy
    /// that goes by something else than worth need not care.
    fn on_cover(&mut self, slot: Slot, worth: &Worth) {
        let _ = (slot, worth);
    }
    /// `slot` left for another reason than `victim`.
    fn on_remove(&mut self, slot: Slot);
    /// Takes the least valuable slot out of the order. `worth_of` gives the current worth of a resident.
    ///
    /// `None` when the order is empty, or when the policy holds every resident to be worth at least as much
    /// as `newcomer`, which is then bypassed. What becomes of a victim is told by [`Eviction::on_evict`] or
    /// [`Eviction::on_return`] before anything else is.
    fn victim(&mut self, newcomer: &Worth, worth_of: &dyn Fn(Slot) -> Worth) -> Option<Slot>;
    /// Slots that may well be the next victims, the likeliest first: a guess, by which memory is fetched ahead.
    fn upcoming(&self) -> [Option<Slot>; LOOK_AHEAD] {
        [None; LOOK_AHEAD]
    }
    /// The victim `slot` leaves.
    fn on_evict(&mut self, slot: Slot) {
        let _ = slot;
    }
    /// The victim `slot` stays after all, where it was; the last victim returns first.
    fn on_return(&mut self, slot: Slot);
    /// Every count was multiplied by `factor` (decay keeps its weights in range by this).
    fn rescale(&mut self, factor: f64) {
        let _ = factor;
    }
    /// Whether a hit must be told at once. A policy whose scores only rise with hits need not know: it asks
    /// for the worth of the few slots that come up for eviction, and hits stay cheap.
    fn watches_hits(&self) -> bool;
    /// Whether counts of entries that are not resident matter to this policy.
    fn remembers(&self) -> bool;
    /// A copy of the order, to try things on.
    fn copied(&self) -> Box<dyn Eviction>;
    /// Heap bytes held.
    fn heap_bytes(&self) -> usize;
    /// Panics unless the order holds exactly the `resident` slots.
    fn check(&self, resident: &[Slot]);
}

/// Which policy, and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Policy {
    /// Least expected cost.
    Lec {
        /// Decline a newcomer that is worth less than the entry it would replace. Ties are for the estimator:
        /// [`crate::estimate::Estimator::ties_to_newcomer`].
        bypass: bool,
    },
    /// Greedy dual size frequency.
    Gdsf {
        /// Remember counts of entries that left.
        keep_counts: bool,
        /// Decline a newcomer whose priority would be the lowest.
        bypass: bool,
    },
    /// Least frequently used, counts remembered.
    Lfu {
        /// Decline a newcomer that was asked for no more often than the entry it would replace.
        bypass: bool,
    },
    /// Scores given from outside; that of LEC where none is. For counts that do not decay.
    Given {
        /// Decline a newcomer whose score is no higher than that of the entry it would replace.
        bypass: bool,
    },
    /// Least recently used.
    Lru,
    /// Three first-in-first-out queues.
    S3Fifo {
        /// Share of the bytes that the probationary queue may hold, in (0, 1).
        small_share: f64,
    },
}

impl Policy {
    /// Returns the policy when its settings make sense.
    ///
    /// # Errors
    /// [`Error::Config`] naming the setting.
    pub fn validate(self) -> Result<Self, Error> {
        match self {
            Self::S3Fifo { small_share } if !(small_share > 0.0 && small_share < 1.0) => Err(Error::Config {
                what: format!("small_share must lie strictly between 0 and 1, got {small_share}"),
            }),
            _ => Ok(self),
        }
    }

    /// An empty order for this policy. `ties_to_newcomer`: under [`Policy::Lec`] a score equal to the lowest
    /// replaces it.
    #[must_use]
    pub fn build(self, ties_to_newcomer: bool) -> Box<dyn Eviction> {
        match self {
            Self::Lec { bypass } => Box::new(lec::Lec::new(bypass, ties_to_newcomer)),
            Self::Gdsf { keep_counts, bypass } => Box::new(gdsf::Gdsf::new(keep_counts, bypass)),
            Self::Lfu { bypass } => Box::new(lfu::Lfu::new(bypass)),
            Self::Given { bypass } => Box::new(given::Given::new(bypass)),
            Self::Lru => Box::new(lru::Lru::default()),
            Self::S3Fifo { small_share } => Box::new(s3_fifo::S3Fifo::new(small_share)),
        }
    }
}
