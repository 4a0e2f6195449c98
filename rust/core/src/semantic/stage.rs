//! The semantic stage of a cache: proposes an entry that may answer for another question, and learns whether it could.
//!
//! It holds vectors and evidence, never values: what it proposes is a key, and the answer is taken from the exact store.
//! A partition (scope, fingerprint, context) has an index of its own, so no search ever sees another's entries. No
//! lock is held while anything foreign runs, and never two of different kinds, but a partition's around a judge's.

use std::sync::Arc;

use hashbrown::{HashMap, HashTable};

use super::evidence::Evidence;
use super::facets::{Compared, Comparison, Facets};
use super::features::{self, FEATURES, features};
use super::flights::Flights;
use super::gate::Gate;
pub use super::gate::Waiting;
use super::judge::{Judgement, Verdict};
use super::model::Record;
use super::neighbours::{Neighbour, candidate, near};
use super::partition::{Indexed, Near, Partition, Unit};
use super::snapshot::SavedEntry;
use super::young;
use crate::error::Error;
use crate::key::Key;
use crate::sync::{AtomicU64, Mutex, Ordering, RwLock};

mod gated;

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
    /// What each feature adds to the logit of a right answer, in a preview; empty otherwise.
    pub parts: Vec<f64>,
    /// The neighbours, best first: text and similarity; in a preview alone.
    pub neighbours: Vec<(Box<str>, f64)>,
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

    /// Looks for an entry that may answer `text`, whose embedding is `vector`, and judges it.
    ///
    /// `alive` says whether an entry can still be served; one that cannot is dropped, and the next best judged.
    ///
    /// # Errors
    /// As for [`Self::newcomer`].
    pub fn propose(
        &self,
        place: &Place<'_>,
        text: &str,
        vector: &[f32],
        alive: impl Fn(&Key) -> bool,
    ) -> Result<Proposal, Error> {
        let mut proposal = self.newcomer(place, text, vector)?;
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let Some(found) = self.found(&proposal, alive, false)? else {
            self.evidence.request(place.scope);
            return Ok(proposal);
        };
        let Found { mut candidate, record, asked } = found;
        let judged = self.evidence.with(place.scope, asked, |judge| {
            judge.request();
            judge.judge(&candidate.features, &record)
        });
        self.weigh(&mut candidate, judged);
        proposal.candidate = Some(candidate);
        Ok(proposal)
    }

    /// Looks once more for a request that has waited meanwhile. It counts as one request with the first look.
    ///
    /// # Errors
    /// As for [`Self::newcomer`].
    pub fn propose_again(&self, first: &Proposal, alive: impl Fn(&Key) -> bool) -> Result<Proposal, Error> {
        let mut proposal = Proposal { candidate: None, ..first.clone() };
        if let Some(Found { mut candidate, record, asked }) = self.found(&proposal, alive, false)? {
            let judged =
                self.evidence.with(&proposal.scope, asked, |judge| judge.judge(&candidate.features, &record));
            self.weigh(&mut candidate, judged);
            proposal.candidate = Some(candidate);
        }
        Ok(proposal)
    }

    /// Notes that an answer to the request of a proposal is on its way, to be stored under `key`; the number is to be
    /// handed to [`Self::arrive`], whatever becomes of it.
    #[must_use]
    pub fn depart(&self, proposal: &Proposal, key: Key) -> u64 {
        if proposal.waits {
            return 0; // it has the fast embedder's vector alone, which is compared with no other's
        }
        self.flights.depart(proposal.partition, &proposal.unit, &proposal.text, key)
    }

    /// The answer is there, or will not come.
    pub fn arrive(&self, number: u64) {
        self.flights.arrive(number);
    }

    /// The key of a request under way whose answer would be served for this one if it were stored.
    #[must_use]
    pub fn awaited(&self, proposal: &Proposal) -> Option<Key> {
        if proposal.waits {
            return None;
        }
        let flight = self.flights.nearest(proposal.partition, &proposal.unit)?;
        let words = Facets::of(&proposal.text).compare(&flight.facets);
        let entries = self.homes.lock().map_or(1, |homes| homes.len() + 1);
        let near = features::Near {
            similarity: flight.similarity,
            around: None,
            surprise: [0.0; 2],
            entries,
            agreement: None,
        };
        let mut judge = self.evidence.copy(&proposal.scope)?;
        let judgement = judge.judge(&features(&near, &words), &Record::default());
        let serves = judgement.verdict != Verdict::Decline && young::veto(&words).is_none();
        serves.then_some(flight.key)
    }

    /// What [`Self::propose`] would find and decide. Counts nothing and changes nothing.
    ///
    /// # Errors
    /// As for [`Self::newcomer`].
    pub fn preview(
        &self,
        place: &Place<'_>,
        text: &str,
        vector: &[f32],
        alive: impl Fn(&Key) -> bool,
    ) -> Result<Proposal, Error> {
        let mut proposal = self.newcomer(place, text, vector)?;
        let Some(Found { mut candidate, record, .. }) = self.found(&proposal, alive, true)? else {
            return Ok(proposal);
        };
        if let Some(mut judge) = self.evidence.copy(place.scope) {
            judge.request();
            let weigh = |(weight, value): (&f64, &f64)| weight * value;
            candidate.parts = judge.weights().iter().zip(&candidate.features).map(weigh).collect();
            candidate.judgement = judge.judge(&candidate.features, &record);
        }
        if candidate.quarantined {
            candidate.judgement.verdict = Verdict::Decline;
        }
        proposal.candidate = Some(candidate);
        Ok(proposal)
    }

    /// Gives a candidate its judgement, unless it is quarantined, and counts what becomes of it.
    fn weigh(&self, candidate: &mut Candidate, judged: Option<Judgement>) {
        candidate.judgement = judged.unwrap_or(candidate.judgement);
        if candidate.quarantined {
            if candidate.judgement.verdict != Verdict::Decline {
                self.counts.quarantined.fetch_add(1, Ordering::Relaxed);
            }
            candidate.judgement.verdict = Verdict::Decline;
        }
        match candidate.judgement.verdict {
            Verdict::Serve => self.counts.hits.fetch_add(1, Ordering::Relaxed),
            Verdict::Audit(_) => self.counts.audits.fetch_add(1, Ordering::Relaxed),
            Verdict::Decline => 0,
        };
    }

    /// The candidate with its record, and the requests that its partition has seen before this one.
    fn found(
        &self,
        proposal: &Proposal,
        alive: impl Fn(&Key) -> bool,
        preview: bool,
    ) -> Result<Option<Found>, Error> {
        let Some(shared) = self.partition(proposal.partition) else { return Ok(None) };
        let facets = Facets::of(&proposal.text);
        loop {
            let Ok(partition) = shared.partition.read() else { return Ok(None) };
            let found = partition.nearest(&proposal.unit)?;
            let neighbours: Vec<Neighbour> = found.iter().map(|near| near.neighbour).collect();
            let Some(best) = candidate(&neighbours) else { return Ok(None) };
            let slot = found[best].slot;
            let Some(entry) = partition.get(slot) else { return Ok(None) };
            let (hash, key, text) = (entry.hash, entry.key.clone(), Box::<str>::from(entry.text()));
            let (record, answer) = (entry.record, entry.answer);
            let next = found.get(usize::from(best == 0)).map(|near| near.slot);
            let mutual = next.and_then(|next| partition.mutual(slot, next));
            let similarity = neighbours[best].similarity;
            let named =
                |near: &Near| Some((partition.get(near.slot)?.text().into(), near.neighbour.similarity));
            let named = if preview { found.iter().filter_map(named).collect() } else { Vec::new() };
            let entries = partition.len() as usize;
            let asked = u64::from(partition.asked.fetch_add(u32::from(!preview), Ordering::Relaxed));
            drop(partition);
            if !alive(&key) {
                self.remove(hash);
                continue;
            }
            let words = facets.compare(&Facets::of(&text));
            let features = features(&near(&neighbours, best, entries, mutual), &words);
            let judgement =
                Judgement { verdict: Verdict::Decline, wrong: 1.0, predicted: 1.0, threshold: 0.0 };
            let quarantined = self.is_reported(proposal, &shared, slot);
            let candidate = Candidate {
                key,
                text,
                similarity,
                words,
                features,
                judgement,
                quarantined,
                parts: Vec::new(),
                neighbours: named,
                answer,
                hash,
                slot,
                shared,
            };
            return Ok(Some(Found { candidate, record, asked }));
        }
    }

    /// Takes in what the model's answer says of the candidate: `right` where the two answers say the same.
    pub fn learn(&self, proposal: &mut Proposal, right: bool) {
        let Some(found) = &proposal.candidate else { return };
        self.counts.labels.fetch_add(1, Ordering::Relaxed);
        if matches!(found.judgement.verdict, Verdict::Audit(_)) && !right {
            self.counts.wrong_audits.fetch_add(1, Ordering::Relaxed);
        }
        let Ok(mut partition) = found.shared.partition.write() else { return };
        let mut elsewhere = Record::default();
        let entry = partition.get_mut(found.slot).filter(|entry| entry.hash == found.hash);
        let record = entry.map_or(&mut elsewhere, |entry| &mut entry.record);
        let learnt = self
            .evidence
            .with(&proposal.scope, 0, |judge| judge.learn(&found.features, record, &found.judgement, right));
        drop(partition);
        proposal.arrival = learnt.unwrap_or_default();
        proposal.answer = right.then_some(found.answer);
    }

    /// Takes in the entry `key`, which was stored under the id `hash`. `answer` names its value: equal values have
    /// equal names; where the label said that it is the candidate's answer, it takes that one's name.
    ///
    /// # Errors
    /// [`Error::Config`] as for [`Self::newcomer`].
    pub fn insert(&self, proposal: &Proposal, hash: u64, key: Key, answer: u64) -> Result<(), Error> {
        let salient = (proposal.text.as_bytes() != key.parts().2).then(|| proposal.text.clone());
        let entry = Indexed::new(hash, key, salient, proposal.answer.unwrap_or(answer), proposal.arrival);
        self.pass(proposal, &entry)?;
        if proposal.waits { Ok(()) } else { self.place(proposal.partition, &proposal.unit, entry) }
    }

    fn place(&self, id: PartitionId, unit: &Unit, entry: Indexed) -> Result<(), Error> {
        let hash = entry.hash;
        loop {
            let Some(shared) = self.partition_or_new(id) else { return Ok(()) };
            let Ok(mut partition) = shared.partition.write() else { return Ok(()) };
            if partition.is_gone() {
                continue;
            }
            let slot = partition.insert(entry, unit)?;
            drop(partition);
            let replaced = self.homes.lock().ok().and_then(|mut homes| homes.insert(hash, (shared, slot)));
            if let Some((shared, slot)) = replaced {
                self.take(&shared, slot, hash);
            }
            return Ok(());
        }
    }

    /// Forgets the entry of the id `hash`: it has left the store. Returns whether it was here.
    pub fn remove(&self, hash: u64) -> bool {
        self.gate.remove(hash);
        self.remove_known(hash)
    }

    fn remove_known(&self, hash: u64) -> bool {
        let home = self.homes.lock().ok().and_then(|mut homes| homes.remove(&hash));
        home.is_some_and(|(shared, slot)| self.take(&shared, slot, hash))
    }

    /// Takes an entry out of its partition, and the partition out of the table with its last entry.
    fn take(&self, shared: &Shared, slot: u32, hash: u64) -> bool {
        let Ok(mut partition) = shared.partition.write() else { return false };
        let taken = partition.remove(slot, hash).is_some();
        let gone = partition.len() == 0;
        if gone {
            partition.leave();
        }
        drop(partition);
        if gone && let Ok(mut partitions) = self.partitions.write() {
            if let Ok(held) = partitions.find_entry(shared.id[0], |held| Arc::ptr_eq(held, shared)) {
                held.remove();
            }
            if partitions.len() < partitions.capacity() / 4 {
                partitions.shrink_to_fit(|held| held.id[0]);
            }
        }
        taken
    }

    /// Records the pair of a proposal as wrong, and teaches it. Its twins are refused from now on: queries as near to
    /// this one, from entries as near to the one that was served.
    pub fn report(&self, proposal: &Proposal) {
        let Some(found) = &proposal.candidate else { return };
        let served = found.shared.partition.read().ok().and_then(|partition| {
            partition.get(found.slot).filter(|entry| entry.hash == found.hash)?;
            partition.unit(found.slot)
        });
        self.evidence.with(&proposal.scope, 0, |judge| {
            judge.learn(&found.features, &mut Record::default(), &found.judgement, false);
        });
        if let Ok(mut reports) = self.reports.lock() {
            if reports.len() >= MOST_REPORTS {
                reports.remove(0);
            }
            // Gone already: then what is refused is whatever is as near to the query as it was.
            let served = served.unwrap_or_else(|| proposal.unit.clone());
            reports.push(Report { partition: proposal.partition, asked: proposal.unit.clone(), served });
        }
    }

    fn is_reported(&self, proposal: &Proposal, shared: &Shared, slot: u32) -> bool {
        let Ok(reports) = self.reports.lock() else { return true };
        let asked = |report: &&Report| {
            report.partition == proposal.partition && report.asked.dot(&proposal.unit) >= TWIN
        };
        let mut reports = reports.iter().filter(asked).peekable();
        if reports.peek().is_none() {
            return false;
        }
        let served = shared.partition.read().ok().and_then(|partition| partition.unit(slot));
        served.is_none_or(|served| reports.any(|report| report.served.dot(&served) >= TWIN))
    }

    /// Forgets the evidence of one scope, or of all; the entries leave with those of the store.
    pub fn clear(&self, scope: Option<&str>) {
        self.evidence.clear(scope);
    }

    /// Ids of the entries held, in no order. O(n); for tests and snapshots.
    #[must_use]
    pub fn ids(&self) -> Vec<u64> {
        self.homes.lock().map_or_else(|_| Vec::new(), |homes| homes.keys().copied().collect())
    }

    /// Counters and sizes now. O(partitions).
    #[must_use]
    pub fn statistics(&self) -> StageStatistics {
        let Counts { requests, hits, audits, wrong_audits, labels, quarantined } = &self.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let all = self.shared();
        let held = all.iter().filter_map(|shared| shared.partition.read().ok());
        let partitions: usize = held.map(|partition| partition.memory_bytes() + Named::BYTES).sum();
        let tables = self.partitions.read().map_or(0, |table| table.allocation_size())
            + self.homes.lock().map_or(0, |homes| homes.allocation_size());
        let reports = self.reports.lock().map_or(0, |reports| reports.len());
        let unit = 4 * self.dim.load(Ordering::Relaxed).next_multiple_of(64);
        StageStatistics {
            requests: read(requests),
            hits: read(hits),
            audits: read(audits),
            wrong_audits: read(wrong_audits),
            labels: read(labels),
            quarantined: read(quarantined),
            entries: self.homes.lock().map_or(0, |homes| homes.len() as u64),
            waiting: self.gate.waiting(),
            partitions: all.len() as u64,
            index_bytes: (partitions + tables + self.gate.memory_bytes()) as u64,
            evidence_bytes: self.evidence.memory_bytes() as u64 + reports as u64 * 2 * unit,
        }
    }

    /// Checks every invariant. O(n); nobody else may work here meanwhile.
    ///
    /// # Panics
    /// When one is broken.
    pub fn check(&self) {
        let homes = self.homes.lock().expect("the table of homes is sound");
        let mut held = 0;
        for shared in self.shared() {
            let partition = shared.partition.read().expect("a partition is sound");
            partition.check();
            assert!(partition.len() > 0 && !partition.is_gone(), "a partition goes with its last entry");
            held += partition.len() as usize;
            for (slot, entry) in partition.slots() {
                let home = homes.get(&entry.hash);
                let at_home = home.is_some_and(|(home, place)| Arc::ptr_eq(home, &shared) && *place == slot);
                assert!(at_home, "an entry is found by its id");
            }
        }
        assert_eq!(held, homes.len(), "an entry an id");
        self.gate.check();
        self.evidence.check();
    }

    /// A name that no two places have in common, in this process and the next.
    fn name(place: &Place<'_>) -> PartitionId {
        let mut hasher = blake3::Hasher::new_derive_key("lecmux semantic partition");
        for part in [place.scope, place.fingerprint, place.context] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest = hasher.finalize();
        u128::from_le_bytes(*digest.as_bytes().first_chunk().expect("a digest has 32 bytes"))
    }

    /// Holds every vector to the dimension of the first.
    pub(super) fn settle_dim(&self, dim: u64) -> Result<(), Error> {
        let known = self.dim.compare_exchange(0, dim, Ordering::Relaxed, Ordering::Relaxed).err();
        let Some(known) = known.filter(|&known| known != dim) else {
            self.from_snapshot.store(0, Ordering::Relaxed);
            return Ok(());
        };
        let mut what = format!("embeddings have {known} numbers here, and this one has {dim}");
        if self.from_snapshot.swap(0, Ordering::Relaxed) > 0 {
            self.empty();
            self.dim.store(dim, Ordering::Relaxed);
            what += ": what the snapshot held of them is dropped";
        }
        Err(Error::Config { what })
    }

    /// The dimension is that of a snapshot, and no embedding has confirmed it yet.
    pub(super) fn doubt_dim(&self) {
        self.from_snapshot.store(1, Ordering::Relaxed);
    }

    /// Drops every entry and all evidence.
    fn empty(&self) {
        for hash in self.ids() {
            self.remove(hash);
        }
        self.evidence.clear(None);
        if let Ok(mut reports) = self.reports.lock() {
            reports.clear();
        }
    }

    pub(super) fn dim(&self) -> u64 {
        self.dim.load(Ordering::Relaxed)
    }

    /// Copies of all entries: id, partition, what is known, vector.
    pub(super) fn exported(&self) -> Vec<(u64, PartitionId, Indexed, Unit)> {
        let mut entries = Vec::new();
        for shared in self.shared() {
            let Ok(partition) = shared.partition.read() else { continue };
            entries.extend(partition.slots().filter_map(|(slot, entry)| {
                Some((entry.hash, whole(shared.id), entry.without_row(), partition.unit(slot)?))
            }));
        }
        entries
    }

    pub(super) fn reports(&self) -> Vec<Report> {
        self.reports.lock().map_or_else(|_| Vec::new(), |reports| reports.clone())
    }

    pub(super) fn take_reports(&self, reports: Vec<Report>) {
        if let Ok(mut held) = self.reports.lock() {
            held.extend(reports);
            held.truncate(MOST_REPORTS);
        }
    }

    pub(super) fn evidence(&self) -> Vec<(Box<str>, Vec<f64>)> {
        self.evidence.saved()
    }

    pub(super) fn take_evidence(&self, scope: &str, numbers: &[f64]) {
        self.evidence.load(scope, numbers);
    }

    /// Takes in an entry from a snapshot.
    pub(super) fn put_back(&self, saved: SavedEntry<'_>, hash: u64, key: Key) -> Result<(), Error> {
        let SavedEntry { partition, salient, answer, arrival, record, unit } = saved;
        let mut entry = Indexed::new(hash, key, salient.map(Into::into), answer, arrival);
        entry.record = record;
        if self.config.gated {
            self.gate.insert_stranger(partition, hash);
        }
        self.place(partition, &unit, entry)
    }

    fn partition(&self, id: PartitionId) -> Option<Shared> {
        let id = halves(id);
        self.partitions.read().ok()?.find(id[0], |held| held.id == id).cloned()
    }

    fn shared(&self) -> Vec<Shared> {
        self.partitions.read().map_or_else(|_| Vec::new(), |table| table.iter().cloned().collect())
    }

    fn partition_or_new(&self, id: PartitionId) -> Option<Shared> {
        let dim = u32::try_from(self.dim.load(Ordering::Relaxed)).ok()?;
        let mut partitions = self.partitions.write().ok()?;
        let (made, name) = (|| Arc::new(Named::new(id, dim)), halves(id));
        let held = partitions.entry(name[0], |held| held.id == name, |held| held.id[0]).or_insert_with(made);
        let shared = held.into_mut();
        if shared.partition.read().is_ok_and(|partition| partition.is_gone()) {
            *shared = made();
        }
        Some(shared.clone())
    }
}

/// Whether two answers say the same, as far as texts tell: their embeddings are as alike as `bound`, and no facet of one
/// contradicts the other.
///
/// # Errors
/// [`Error::Config`] for a vector without a direction, and for two of unequal length.
pub fn same_texts(texts: [&str; 2], vectors: [&[f32]; 2], bound: f64) -> Result<bool, Error> {
    let [one, other] = [Unit::of(vectors[0])?, Unit::of(vectors[1])?];
    if vectors[0].len() != vectors[1].len() {
        return Err(Error::Config { what: "two embeddings of unequal length cannot be compared".to_owned() });
    }
    let words = Facets::of(texts[0]).compare(&Facets::of(texts[1]));
    let equal = [words.numbers, words.units, words.dates, words.names, words.codes];
    let contradicts = equal.contains(&Compared::Different)
        || words.numbers == Compared::OneSided
        || words.negation
        || words.opposite
        || words.roles;
    Ok(!contradicts && f64::from(one.dot(&other)) >= bound)
}

/// What a search came to.
struct Found {
    candidate: Candidate,
    record: Record,
    asked: u64,
}
