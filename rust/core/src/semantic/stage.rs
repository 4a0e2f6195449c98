//! The semantic stage of a cache: proposes an entry that may answer for another question, and learns whether it could.
//!
//! It holds vectors and evidence, never values: what it proposes is a key, and the answer is taken from the exact store.
//! A partition (scope, fingerprint, context) has an index of its own, so no search ever sees another's entries. No
//! lock is held while anything foreign runs, and never two of different kinds, but a partition's around a judge's.

use std::sync::Arc;

use hashbrown::{HashMap, HashTable};

use super::evidence::Evidence;
use super::facets::Comparison;
use super::features::FEATURES;
use super::flights::Flights;
use super::gate::Gate;
pub use super::gate::Waiting;
use super::judge::{Judgement, Verdict};
use super::partition::{Near, Partition, Unit};
use crate::error::Error;
use crate::key::Key;
use crate::sync::{AtomicU64, Mutex, RwLock};

mod asking;
mod counted;
mod entries;
mod gated;
mod kept;
mod reports;
mod twins;

/// Share of the budget for the judges, as one part in so many.
const EVIDENCE_SHARE: u64 = 32;
/// What an entry takes here beside its row: its slot, its place in the index and in the tables at their worst load, and
/// its partition's own part, as though it were alone there.
const SLOT_BYTES: u64 = 360;
/// How near a query, and an entry, must come to a pair that was reported wrong to be refused as it.
const TWIN: f32 = 0.9;
/// Pairs that are remembered as wrong, at most.
const MOST_REPORTS: usize = 256;

/// Settings of the stage.
#[derive(Clone, Copy, Debug)]
pub struct StageConfig {
    /// Tolerated share of wrong hits.
    pub max_error: f64,
    /// Decides which hits are audited.
    pub seed: u64,
    /// Budget of the whole cache.
    pub capacity_bytes: u64,
    /// A fast embedder looks first, and the other one's vectors come where that finds something near.
    pub gated: bool,
    /// An entry may answer for a text that contradicts its own, where labels say that this is right.
    pub serves_contradictions: bool,
    /// An entry counts for less where its near twin would answer in its place.
    pub near_twins: bool,
}

impl StageConfig {
    /// Bytes of the budget that are set aside for what is no entry's: the judges.
    #[must_use]
    pub fn evidence_bytes(&self) -> u64 {
        self.capacity_bytes / EVIDENCE_SHARE
    }
}

/// What must be equal for one entry to answer for another.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The tenant.
    pub scope: &'a str,
    /// What else changes the answer.
    pub fingerprint: &'a str,
    /// The rest of the text, such as earlier turns.
    pub context: &'a str,
}

type PartitionId = u128;
type Shared = Arc<Named>;

/// A partition and its name, which is read without its lock.
struct Named {
    /// Two halves, so that no byte is lost to alignment.
    id: [u64; 2],
    partition: RwLock<Partition>,
}

impl Named {
    /// What it takes beside the partition: the lock, the name, two counts and the allocator's word.
    const BYTES: usize = size_of::<Self>() - size_of::<Partition>() + 3 * size_of::<usize>();

    fn new(id: PartitionId, dim: u32) -> Self {
        Self { id: halves(id), partition: RwLock::new(Partition::new(dim)) }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "that is what halves are")]
fn halves(id: PartitionId) -> [u64; 2] {
    [id as u64, (id >> 64) as u64]
}

fn whole([low, high]: [u64; 2]) -> PartitionId {
    PartitionId::from(high) << 64 | PartitionId::from(low)
}

/// See the module.
pub struct Stage {
    config: StageConfig,
    /// Coordinates of a vector: those of the first one.
    dim: AtomicU64,
    /// 1: that dimension was read from a snapshot, and nothing has confirmed it.
    from_snapshot: AtomicU64,
    /// By the lower half of the name, which is a digest.
    partitions: RwLock<HashTable<Shared>>,
    /// Where the entry of a hit id lies.
    homes: Mutex<HashMap<u64, (Shared, u32)>>,
    evidence: Evidence,
    reports: Mutex<Vec<Report>>,
    gate: Gate,
    flights: Flights,
    counts: Counts,
    /// Ids of entries whose twin has left, until they are told of.
    alone: Mutex<Vec<u64>>,
}

/// A pair that was reported wrong.
#[derive(Clone)]
pub(super) struct Report {
    pub(super) partition: PartitionId,
    pub(super) asked: Unit,
    pub(super) served: Unit,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    hits: AtomicU64,
    audits: AtomicU64,
    wrong_audits: AtomicU64,
    labels: AtomicU64,
    quarantined: AtomicU64,
    contradictions: AtomicU64,
    /// 1: there are some in [`Stage::alone`].
    alone: AtomicU64,
}

/// What the stage has done so far, and holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageStatistics {
    /// Requests that came here.
    pub requests: u64,
    /// Of them served.
    pub hits: u64,
    /// Hits that a model answered all the same.
    pub audits: u64,
    /// Of them wrong.
    pub wrong_audits: u64,
    /// Labels learnt, audits among them.
    pub labels: u64,
    /// Hits refused because of a report.
    pub quarantined: u64,
    /// Hits refused because the two texts contradict each other.
    pub contradictions: u64,
    /// Entries held.
    pub entries: u64,
    /// Entries behind the gate: nothing has come near them yet, and they have the fast embedder's vector alone.
    pub waiting: u64,
    /// Partitions held.
    pub partitions: u64,
    /// Bytes of vectors, tables and partitions.
    pub index_bytes: u64,
    /// Bytes of the judges and reports.
    pub evidence_bytes: u64,
}

/// The entry that may answer.
#[derive(Clone)]
pub struct Candidate {
    /// Its key in the exact store.
    pub key: Key,
    /// What likeness goes by.
    pub text: Box<str>,
    /// Cosine similarity.
    pub similarity: f64,
    /// How the two texts compare.
    pub words: Comparison,
    /// What the model weighed.
    pub features: [f64; FEATURES],
    /// What came of it.
    pub judgement: Judgement,
    /// The pair, or a twin of it, was reported wrong.
    pub quarantined: bool,
    /// The facet of a contradiction because of which it is declined, whatever its risk.
    pub refused: Option<&'static str>,
    /// What each feature adds to the logit of a right answer, in a preview; empty otherwise.
    pub parts: Vec<f64>,
    /// The neighbours, best first: text and similarity; in a preview alone.
    pub neighbours: Vec<(Box<str>, f64)>,
    near: Vec<Near>,
    answer: u64,
    hash: u64,
    slot: u32,
    shared: Shared,
}

/// A request here: what was found, and what its answer will be stored with.
#[derive(Clone)]
pub struct Proposal {
    /// The best of the nearest entries; `None` where there is none.
    pub candidate: Option<Candidate>,
    scope: Box<str>,
    partition: PartitionId,
    unit: Unit,
    text: Box<str>,
    /// The surprise of its label.
    arrival: f64,
    /// The answer that it turned out to share.
    answer: Option<u64>,
    /// The fast embedder's vector, where there is a gate.
    quick: Option<Unit>,
    /// There is no other vector yet.
    waits: bool,
}

impl Proposal {
    /// The id of the entry that serves it.
    pub(super) fn served(&self) -> Option<u64> {
        let found = self.candidate.as_ref();
        found.filter(|found| found.judgement.verdict == Verdict::Serve).map(|found| found.hash)
    }

    /// What becomes of the request.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.candidate.as_ref().map_or(Verdict::Decline, |found| found.judgement.verdict)
    }
}

impl Stage {
    /// A stage that holds nothing.
    ///
    /// # Errors
    /// [`Error::Config`] as for [`Judge::new`](super::judge::Judge::new).
    pub fn new(config: StageConfig) -> Result<Self, Error> {
        let bytes = usize::try_from(config.evidence_bytes()).unwrap_or(usize::MAX);
        Ok(Self {
            config,
            dim: AtomicU64::new(0),
            from_snapshot: AtomicU64::new(0),
            partitions: RwLock::default(),
            homes: Mutex::default(),
            evidence: Evidence::new(config.max_error, config.seed, bytes)?,
            reports: Mutex::default(),
            gate: Gate::default(),
            flights: Flights::default(),
            counts: Counts::default(),
            alone: Mutex::default(),
        })
    }

    /// The settings it was made with.
    #[must_use]
    pub fn config(&self) -> &StageConfig {
        &self.config
    }

    /// What an entry is charged for being here.
    #[must_use]
    pub fn charge(&self, proposal: &Proposal, key_text: &str) -> u64 {
        let apart = if *proposal.text == *key_text { 0 } else { proposal.text.len() as u64 };
        let quick = proposal.quick_bytes().map_or(0, |bytes| SLOT_BYTES + bytes + apart);
        Self::charge_at(self.dim()) + apart + quick
    }

    pub(super) fn charge_at(dim: u64) -> u64 {
        let width = dim.next_multiple_of(64);
        SLOT_BYTES + 2 * width + width / 4
    }

    /// A request whose answer is to be stored here, and for which nothing is looked up.
    ///
    /// # Errors
    /// [`Error::Config`] for a vector of another dimension than the first, or without a direction.
    pub fn newcomer(&self, place: &Place<'_>, text: &str, vector: &[f32]) -> Result<Proposal, Error> {
        let unit = Unit::of(vector)?;
        self.settle_dim(vector.len() as u64)?;
        Ok(Proposal {
            candidate: None,
            scope: place.scope.into(),
            partition: Self::name(place),
            unit,
            text: text.into(),
            arrival: 0.0,
            answer: None,
            quick: None,
            waits: false,
        })
    }

    /// Counts a request of `scope` that was answered from the exact store: `max_error` is a share of all requests.
    pub fn answered(&self, scope: &str) {
        self.evidence.answered(scope);
    }

    /// Forgets the evidence of one scope, or of all; the entries leave with those of the store.
    pub fn clear(&self, scope: Option<&str>) {
        self.evidence.clear(scope);
    }
}
