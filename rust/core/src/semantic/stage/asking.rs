//! What becomes of a request: the nearest entries, the judgement, and whom to wait for.

use super::{Candidate, Place, Proposal, Stage};
use crate::error::Error;
use crate::key::Key;
use crate::semantic::contradiction::{contradiction, instead};
use crate::semantic::facets::Facets;
use crate::semantic::features::{self, features};
use crate::semantic::judge::{Judge, Judgement, Verdict};
use crate::semantic::model::Record;
use crate::semantic::neighbours::{Neighbour, candidate, near};
use crate::semantic::partition::Near;
use crate::semantic::young;
use crate::sync::Ordering;

impl Stage {
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
        self.decide(&mut proposal, found, Judge::request);
        Ok(proposal)
    }

    /// Looks once more for a request that has waited meanwhile. It counts as one request with the first look.
    ///
    /// # Errors
    /// As for [`Self::newcomer`].
    pub fn propose_again(&self, first: &Proposal, alive: impl Fn(&Key) -> bool) -> Result<Proposal, Error> {
        let mut proposal = Proposal { candidate: None, ..first.clone() };
        if let Some(found) = self.found(&proposal, alive, false)? {
            self.decide(&mut proposal, found, |_| ());
        }
        Ok(proposal)
    }

    /// Has the tenant's judge, who counts the request first, say what becomes of what was found.
    fn decide(&self, proposal: &mut Proposal, found: Found, count: impl FnOnce(&mut Judge)) {
        let Found { mut candidate, record, asked } = found;
        let judged = self.evidence.with(&proposal.scope, asked, |judge| {
            count(judge);
            judged(judge, &candidate, &record)
        });
        self.weigh(&mut candidate, judged);
        proposal.candidate = Some(candidate);
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
            candidate.judgement = judged(&mut judge, &candidate, &record).0;
        }
        if candidate.quarantined {
            candidate.judgement.verdict = Verdict::Decline;
        }
        proposal.candidate = Some(candidate);
        Ok(proposal)
    }

    /// Gives a candidate its judgement, unless it is quarantined, and counts what becomes of it.
    fn weigh(&self, candidate: &mut Candidate, judged: Option<(Judgement, bool)>) {
        let (judgement, refused) = judged.unwrap_or((candidate.judgement, false));
        candidate.judgement = judgement;
        self.counts.contradictions.fetch_add(u64::from(refused), Ordering::Relaxed);
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
            let Some(first) = candidate(&neighbours) else { return Ok(None) };
            let contradicts = |place: usize| {
                let entry = partition.get(found[place].slot)?;
                contradiction(&facets.compare(&Facets::of(entry.text())))
            };
            let strict = !self.config.serves_contradictions;
            let mut refused = if strict { contradicts(first) } else { None };
            let other =
                refused.and_then(|_| instead(&neighbours, first, |place| contradicts(place).is_some()));
            if other.is_some() {
                refused = None;
            }
            let best = other.unwrap_or(first);
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
                refused,
                parts: Vec::new(),
                neighbours: named,
                near: found,
                answer,
                hash,
                slot,
                shared,
            };
            return Ok(Some(Found { candidate, record, asked }));
        }
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
}

/// What becomes of a candidate; and whether it is refused that would have been served, or audited.
fn judged(judge: &mut Judge, candidate: &Candidate, record: &Record) -> (Judgement, bool) {
    if candidate.refused.is_some() {
        judge.refuse(&candidate.features, record)
    } else {
        (judge.judge(&candidate.features, record), false)
    }
}

/// What a search came to.
struct Found {
    candidate: Candidate,
    record: Record,
    asked: u64,
}
