//! What was spent and saved since a ledger was last read: whole billionths, summed by unit, day, scope and model.
//!
//! A ledger takes part in every request and is read now and then; so requests add here, in one step, and the
//! ledger takes the sums over before anybody looks at it.

use hashbrown::HashTable;

use crate::key::{KeyHasher, KeyRef};

/// Columns of an account, in the order of its fields.
pub const COLUMNS: usize = 9;
/// Sums beyond which a tally asks to be taken over.
const MANY: usize = 256;
const NANO: f64 = 1e9;

/// Sums of one unit, day, scope and model, in billionths.
pub type Sums = [i128; COLUMNS];

/// Which sums are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Name of the unit.
    pub unit: &'a str,
    /// Days since 1970.
    pub day: i64,
    /// The tenant.
    pub scope: &'a str,
    /// Who answered.
    pub model: &'a str,
}

/// Sums and where they belong.
#[derive(Clone, Debug)]
pub struct Row {
    unit: Box<str>,
    day: i64,
    scope: Box<str>,
    model: Box<str>,
    /// In the order of the columns.
    pub sums: Sums,
}

impl Row {
    /// Where the sums belong.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        Place { unit: &self.unit, day: self.day, scope: &self.scope, model: &self.model }
    }
}

/// Sums by place.
#[derive(Debug)]
pub struct Tally {
    rows: Vec<Row>,
    index: HashTable<usize>,
    hasher: KeyHasher,
}

impl Default for Tally {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashTable::new(), hasher: KeyHasher::new(0) }
    }
}

impl Tally {
    /// The sums of `place`, to add to.
    pub fn at(&mut self, place: Place<'_>) -> &mut Sums {
        let Self { rows, index, hasher } = self;
        let hash = |place: Place<'_>| {
            let Place { unit, day, scope, model } = place;
            hasher.hash(KeyRef { scope, fingerprint: unit, text: model }) ^ day.cast_unsigned()
        };
        let at = index.entry(hash(place), |&at| rows[at].place() == place, |&at| hash(rows[at].place()));
        let at = *at.or_insert_with(|| rows.len()).get();
        if at == rows.len() {
            let Place { unit, day, scope, model } = place;
            let (unit, scope, model) = (unit.into(), scope.into(), model.into());
            rows.push(Row { unit, day, scope, model, sums: [0; COLUMNS] });
        }
        &mut rows[at].sums
    }

    /// Whether it should be taken over soon: memory is bounded by the ledger.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows.len() >= MANY
    }

    /// Takes everything out.
    pub fn drain(&mut self) -> Vec<Row> {
        self.index.clear();
        std::mem::take(&mut self.rows)
    }
}

/// An amount in whole billionths, rounded half to even; `None` where it is NaN or infinite.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates from floats, at 10^29 units")]
pub fn nano(amount: f64) -> Option<i128> {
    let nano = (amount * NANO).round_ties_even();
    nano.is_finite().then_some(nano as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(day: i64, scope: &'a str, model: &'a str) -> Place<'a> {
        Place { unit: "usd", day, scope, model }
    }

    #[test]
    fn sums_by_place_until_taken_over() {
        let mut tally = Tally::default();
        let places = [place(1, "a", "b"), place(2, "a", "b"), place(1, "ab", ""), place(1, "", "ab")];
        for round in 1..=3 {
            for (column, &place) in places.iter().enumerate() {
                tally.at(place)[column] += round;
            }
        }
        let rows = tally.drain();
        assert_eq!(rows.iter().map(Row::place).collect::<Vec<_>>(), places);
        for (column, row) in rows.iter().enumerate() {
            assert_eq!((row.sums[column], row.sums.iter().sum::<i128>()), (6, 6));
        }
        assert!(tally.drain().is_empty());
        assert_eq!(tally.at(places[0]), &[0; COLUMNS]);
    }

    #[test]
    fn many_places_ask_to_be_taken_over() {
        let mut tally = Tally::default();
        for day in 0..256 {
            assert!(!tally.is_full());
            tally.at(place(day, "", ""));
        }
        assert!(tally.is_full());
    }

    #[test]
    fn amounts_are_rounded_once_half_to_even() {
        assert_eq!(
            [nano(1.5e-9), nano(2.5e-9), nano(-0.5e-9), nano(1e10)].map(Option::unwrap),
            [2, 2, 0, 10_000_000_000_000_000_000]
        );
        assert_eq!((nano(f64::NAN), nano(f64::INFINITY)), (None, None));
    }
}
