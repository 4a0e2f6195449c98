//! Pairs that were reported wrong, and what is refused because of them.

use super::{MOST_REPORTS, Proposal, Report, Shared, Stage, TWIN};
use crate::semantic::model::Record;

impl Stage {
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

    pub(super) fn is_reported(&self, proposal: &Proposal, shared: &Shared, slot: u32) -> bool {
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
}
