//! Requests whose answers are on their way: a question that is alike may wait for one instead of asking as well.

use super::facets::Facets;
use super::partition::Unit;
use crate::key::Key;
use crate::sync::Mutex;

/// The most that are looked through: beyond, a request asks for itself.
const MOST: usize = 256;

struct Flight {
    number: u64,
    partition: u128,
    unit: Unit,
    facets: Facets,
    key: Key,
}

/// See the module.
#[derive(Default)]
pub(super) struct Flights(Mutex<(u64, Vec<Flight>)>);

/// The nearest of those under way.
pub(super) struct Nearest {
    pub(super) key: Key,
    pub(super) similarity: f64,
    pub(super) facets: Facets,
}

impl Flights {
    /// Notes a request; returns the number to give back when its answer is there, or will not come.
    pub(super) fn depart(&self, partition: u128, unit: &Unit, text: &str, key: Key) -> u64 {
        let facets = Facets::of(text);
        let Ok(mut held) = self.0.lock() else { return 0 };
        held.0 += 1;
        let number = held.0;
        if held.1.len() < MOST {
            held.1.push(Flight { number, partition, unit: unit.clone(), facets, key });
        }
        number
    }

    pub(super) fn arrive(&self, number: u64) {
        if let Ok(mut held) = self.0.lock() {
            held.1.retain(|flight| flight.number != number);
        }
    }

    pub(super) fn nearest(&self, partition: u128, unit: &Unit) -> Option<Nearest> {
        let held = self.0.lock().ok()?;
        let near = held.1.iter().filter(|flight| flight.partition == partition);
        let scored = near.map(|flight| (flight.unit.dot(unit), flight));
        let (similarity, flight) = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
        let (key, facets) = (flight.key.clone(), flight.facets.clone());
        Some(Nearest { key, similarity: f64::from(similarity), facets })
    }
}
