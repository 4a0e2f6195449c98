//! The stage behind a gate: what the fast embedder's vectors decide, and how an entry gets its other vector.

use super::{Place, Proposal, Stage};
use crate::error::Error;
use crate::key::Key;
use crate::semantic::gate::Waiting;
use crate::semantic::partition::{Indexed, Unit};
use crate::sync::Ordering;

impl Stage {
    /// Whether any entry is as similar to `quick` as `threshold`: the near ones that have no slow vector yet, or
    /// `None` where nothing is near. Entries that came without a quick vector count as near.
    ///
    /// # Errors
    /// [`Error::Config`] for a vector without a direction.
    pub fn knock(
        &self,
        place: &Place<'_>,
        quick: &[f32],
        threshold: f64,
    ) -> Result<Option<Vec<Waiting>>, Error> {
        self.gate.near(Self::name(place), &Unit::of(quick)?, threshold)
    }

    /// A request that nothing is near to: its answer will wait. Counts it, where it `asks`.
    ///
    /// # Errors
    /// [`Error::Config`] for a vector without a direction.
    pub fn turned_away(
        &self,
        place: &Place<'_>,
        text: &str,
        quick: &[f32],
        asks: bool,
    ) -> Result<Proposal, Error> {
        let unit = Unit::of(quick)?;
        if asks {
            self.counts.requests.fetch_add(1, Ordering::Relaxed);
            self.evidence.request(place.scope);
        }
        Ok(Proposal {
            candidate: None,
            scope: place.scope.into(),
            partition: Self::name(place),
            unit: unit.clone(),
            text: text.into(),
            arrival: 0.0,
            answer: None,
            quick: Some(unit),
            waits: true,
        })
    }

    /// Gives an entry that waits its slow vector: it can be proposed from now on. Returns its key; `None` where it
    /// does not wait any more.
    ///
    /// # Errors
    /// [`Error::Config`] for a vector of another dimension than the first, or without a direction.
    pub fn admit(&self, hash: u64, vector: &[f32]) -> Result<Option<Key>, Error> {
        let unit = Unit::of(vector)?;
        self.settle_dim(vector.len() as u64)?;
        let Some(found) = self.gate.admit(hash) else { return Ok(None) };
        let salient = (found.text.as_bytes() != found.key.parts().2).then(|| found.text.clone());
        let entry = Indexed::new(hash, found.key.clone(), salient, found.answer, found.arrival);
        self.place(found.partition, &unit, entry)?;
        Ok(Some(found.key))
    }

    /// Lets the gate know of an entry that comes in.
    pub(super) fn pass(&self, proposal: &Proposal, entry: &Indexed) -> Result<(), Error> {
        if let Some(quick) = &proposal.quick {
            self.gate.insert(proposal.partition, entry.clone(), quick, proposal.waits)?;
        } else if self.config.gated {
            self.gate.insert_stranger(proposal.partition, entry.hash);
        }
        if proposal.waits {
            self.remove_known(entry.hash);
        }
        Ok(())
    }
}

impl Proposal {
    /// What the quick vector takes: numbers as f16, and their code.
    pub(super) fn quick_bytes(&self) -> Option<u64> {
        let width = u64::from(self.quick.as_ref()?.dim());
        Some(2 * width + width / 8)
    }

    /// With the fast embedder's vector, by which the gate will know the entry.
    ///
    /// # Errors
    /// [`Error::Config`] for a vector without a direction.
    pub fn known_by(mut self, quick: &[f32]) -> Result<Self, Error> {
        self.quick = Some(Unit::of(quick)?);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{StageConfig, Verdict};
    use super::*;
    use crate::key::KeyRef;

    const HERE: Place<'static> = Place { scope: "tenant", fingerprint: "", context: "" };

    fn stage() -> Stage {
        let config = StageConfig {
            max_error: 0.05,
            seed: 1,
            capacity_bytes: 1 << 20,
            gated: true,
            serves_contradictions: true,
            near_twins: true,
        };
        Stage::new(config).expect("settings in range")
    }

    fn key(text: &str) -> Key {
        Key::new(KeyRef { scope: "tenant", fingerprint: "", text }).expect("short")
    }

    fn stored(stage: &Stage, hash: u64, text: &str, quick: &[f32]) {
        let proposal = stage.turned_away(&HERE, text, quick, true).expect("a direction");
        stage.insert(&proposal, hash, key(text), hash).expect("it fits");
        stage.check();
    }

    #[test]
    fn nothing_near_keeps_the_gate_shut_and_the_entry_waits() {
        let stage = stage();
        assert_eq!(stage.knock(&HERE, &[1.0, 0.0], 0.6), Ok(None));
        stored(&stage, 7, "reset my password", &[1.0, 0.0]);
        assert_eq!(stage.knock(&HERE, &[0.0, 1.0], 0.6), Ok(None));
        assert_eq!((stage.statistics().waiting, stage.statistics().entries), (1, 0));
    }

    #[test]
    fn something_near_opens_and_names_who_waits() {
        let stage = stage();
        stored(&stage, 7, "reset my password", &[1.0, 0.0]);
        let near = stage.knock(&HERE, &[0.9, 0.1], 0.6).expect("a direction").expect("open");
        assert_eq!(near, [Waiting { hash: 7, text: "reset my password".into() }]);

        let admitted = stage.admit(7, &[0.0, 0.0, 1.0]).expect("a direction");
        assert_eq!(admitted, Some(key("reset my password")));
        assert_eq!(stage.admit(7, &[0.0, 0.0, 1.0]), Ok(None));
        assert_eq!(stage.knock(&HERE, &[0.9, 0.1], 0.6), Ok(Some(Vec::new())));
        let asked = stage.propose(&HERE, "reset my password!", &[0.0, 0.0, 1.0], |_| true).expect("it fits");
        assert_eq!(asked.candidate.expect("the one admitted").key, key("reset my password"));
        stage.check();
    }

    #[test]
    fn another_partition_does_not_open_it() {
        let stage = stage();
        stored(&stage, 7, "reset my password", &[1.0, 0.0]);
        for there in [Place { scope: "other", ..HERE }, Place { context: "earlier", ..HERE }] {
            assert_eq!(stage.knock(&there, &[1.0, 0.0], 0.6), Ok(None));
        }
    }

    #[test]
    fn who_leaves_leaves_the_gate() {
        let stage = stage();
        stored(&stage, 7, "reset my password", &[1.0, 0.0]);
        stage.remove(7);
        stage.check();
        assert_eq!(stage.knock(&HERE, &[1.0, 0.0], 0.6), Ok(None));
        assert_eq!(stage.admit(7, &[0.0, 0.0, 1.0]), Ok(None));
        assert_eq!(stage.statistics().waiting, 0);
    }

    #[test]
    fn one_that_came_without_a_quick_vector_keeps_its_partition_open() {
        let stage = stage();
        let proposal = stage.newcomer(&HERE, "loaded", &[0.0, 0.0, 1.0]).expect("a direction");
        stage.insert(&proposal, 9, key("loaded"), 9).expect("it fits");
        stage.check();
        assert_eq!(stage.knock(&HERE, &[0.0, 1.0], 0.6), Ok(Some(Vec::new())));
        stage.remove(9);
        stage.check();
        assert_eq!(stage.knock(&HERE, &[0.0, 1.0], 0.6), Ok(None));
    }

    #[test]
    fn a_vector_of_another_dimension_lets_nobody_in() {
        let stage = stage();
        stored(&stage, 7, "reset my password", &[1.0, 0.0]);
        stage.newcomer(&HERE, "first", &[0.0, 0.0, 1.0]).expect("a direction");
        assert!(stage.admit(7, &[0.0, 1.0]).is_err());
        assert_eq!(stage.statistics().waiting, 1);
    }

    #[test]
    fn an_entry_stored_anew_waits_anew() {
        let stage = stage();
        stored(&stage, 7, "reset my password", &[1.0, 0.0]);
        stage.admit(7, &[0.0, 0.0, 1.0]).expect("a direction");
        stored(&stage, 7, "reset my password", &[1.0, 0.0]);
        assert_eq!((stage.statistics().waiting, stage.statistics().entries), (1, 0));
        let asked = stage.propose(&HERE, "password", &[0.0, 0.0, 1.0], |_| true).expect("it fits");
        assert_eq!(asked.verdict(), Verdict::Decline);
        assert!(asked.candidate.is_none());
    }
}
