//! [`Beliefs`] ↔ little-endian bytes. No envelope: `snapshot.rs` adds version and checksum.

use super::table::{Arm, Table};
use super::value_of_information::{LEAST_SHARE, NOWHERE, Recent};
use super::{Beliefs, CostRange, Estimator, Pooled, finite_cost};
use crate::error::Error;

/// Squares of costs as large as they may be, and many of them.
const MOST_SQUARES: f64 = 1e300;

impl Beliefs {
    /// The whole state, settings included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Vec::with_capacity(256 + self.table.len() * (9 + 29 * self.models()));
        put_settings(&mut to, self);
        put_pooled(&mut to, &self.pooled, self.deviation);
        put_u64(&mut to, self.table.len() as u64);
        put_u64(&mut to, self.table.hand as u64);
        for row in 0..self.table.len() {
            put_u64(&mut to, self.table.keys[row]);
            to.push(u8::from(self.table.spared[row]));
            for arm in self.table.row(row) {
                put_arm(&mut to, arm);
            }
        }
        for recent in &self.recent {
            to.extend([u8::try_from(recent.len()).unwrap_or(0), recent.next()]);
            for (mean, row) in recent.entries() {
                put_f64(&mut to, mean);
                to.extend(row.to_le_bytes());
            }
        }
        to
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when the bytes are cut, changed or not of this kind.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut from = Reader(bytes);
        let mut beliefs = from.settings()?;
        (beliefs.pooled, beliefs.deviation) = from.pooled()?;
        from.table(&mut beliefs.table)?;
        for model in 0..beliefs.models() {
            let recent = from.recent(&beliefs.table)?;
            for (place, (mean, row)) in recent.entries().enumerate() {
                if row == Recent::NO_ROW {
                    continue;
                }
                let arm = &mut beliefs.table.row_mut(row as usize)[model];
                if arm.n == 0 || arm.place != NOWHERE || arm.mean.to_bits() != mean.to_bits() {
                    return Err(broken("a window does not match its rows"));
                }
                arm.place = u8::try_from(place).map_err(|_| broken("a window is too long"))?;
            }
            beliefs.recent[model] = recent;
        }
        if from.0.is_empty() { Ok(beliefs) } else { Err(broken("bytes are left over")) }
    }
}

fn broken(what: &str) -> Error {
    Error::Snapshot { what: format!("the router's state is damaged: {what}") }
}

fn put_u64(to: &mut Vec<u8>, value: u64) {
    to.extend(value.to_le_bytes());
}

fn put_f64(to: &mut Vec<u8>, value: f64) {
    to.extend(value.to_le_bytes());
}

fn put_option(to: &mut Vec<u8>, value: Option<f64>) {
    to.push(u8::from(value.is_some()));
    put_f64(to, value.unwrap_or(0.0));
}

fn put_settings(to: &mut Vec<u8>, beliefs: &Beliefs) {
    put_u64(to, beliefs.models() as u64);
    put_u64(to, beliefs.table.max_keys() as u64);
    put_f64(to, beliefs.range.floor);
    put_option(to, beliefs.range.ceiling);
    match beliefs.estimator {
        Estimator::ValueOfInformation { z, s0, forecast: 1.0, least_share: LEAST_SHARE } => {
            put_spread(to, 0, z, s0);
        }
        Estimator::ValueOfInformation { z, s0, forecast, least_share: LEAST_SHARE } => {
            put_spread(to, 6, z, s0);
            put_f64(to, forecast);
        }
        Estimator::ValueOfInformation { z, s0, forecast, least_share } => {
            put_spread(to, 7, z, s0);
            put_f64(to, forecast);
            put_f64(to, least_share);
        }
        Estimator::PooledVariance { z, s0 } => put_spread(to, 1, z, s0),
        Estimator::Hoeffding { delta, horizon, queries } => put_range(to, 2, delta, horizon, queries),
        Estimator::EmpiricalBernstein { delta, horizon, queries } => {
            put_range(to, 3, delta, horizon, queries);
        }
        Estimator::SqrtBonus { queries } => {
            to.push(4);
            put_u64(to, queries);
        }
        Estimator::PlugIn => to.push(5),
    }
}

fn put_spread(to: &mut Vec<u8>, tag: u8, z: f64, s0: Option<f64>) {
    to.push(tag);
    put_f64(to, z);
    put_option(to, s0);
}

fn put_range(to: &mut Vec<u8>, tag: u8, delta: f64, horizon: u64, queries: u64) {
    to.push(tag);
    put_f64(to, delta);
    put_u64(to, horizon);
    put_u64(to, queries);
}

fn put_pooled(to: &mut Vec<u8>, pooled: &Pooled, deviation: f64) {
    put_f64(to, pooled.squares);
    put_u64(to, pooled.freedom);
    put_u64(to, pooled.count);
    put_f64(to, pooled.mean);
    put_f64(to, pooled.largest);
    put_f64(to, deviation);
}

/// The place in the window is not written: the window names its rows.
fn put_arm(to: &mut Vec<u8>, arm: &Arm) {
    to.extend(arm.n.to_le_bytes());
    put_f64(to, arm.mean);
    put_f64(to, arm.squares);
    put_f64(to, arm.last);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| broken("bytes are missing"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take::<1>()?[0])
    }

    fn flag(&mut self) -> Result<bool, Error> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(broken("a flag is neither 0 nor 1")),
        }
    }

    fn word(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn size(&mut self) -> Result<usize, Error> {
        usize::try_from(self.word()?).map_err(|_| broken("a size does not fit this machine"))
    }

    fn real(&mut self) -> Result<f64, Error> {
        Ok(f64::from_le_bytes(self.take()?))
    }

    fn cost(&mut self) -> Result<f64, Error> {
        finite_cost(self.real()?).map_err(|error| broken(&error.to_string()))
    }

    /// A sum of squares of costs, or its root.
    fn spread(&mut self) -> Result<f64, Error> {
        let value = self.real()?;
        if (0.0..=MOST_SQUARES).contains(&value) { Ok(value) } else { Err(broken("a spread is not >= 0")) }
    }

    fn option(&mut self) -> Result<Option<f64>, Error> {
        let some = self.flag()?;
        let value = self.real()?;
        Ok(some.then_some(value))
    }

    fn settings(&mut self) -> Result<Beliefs, Error> {
        let (models, max_keys) = (self.size()?, self.size()?);
        let range = CostRange { floor: self.real()?, ceiling: self.option()? };
        let estimator = match self.byte()? {
            0 => {
                let (z, s0) = (self.real()?, self.option()?);
                Estimator::ValueOfInformation { z, s0, forecast: 1.0, least_share: LEAST_SHARE }
            }
            6 => {
                let (z, s0, forecast) = (self.real()?, self.option()?, self.real()?);
                Estimator::ValueOfInformation { z, s0, forecast, least_share: LEAST_SHARE }
            }
            7 => Estimator::ValueOfInformation {
                z: self.real()?,
                s0: self.option()?,
                forecast: self.real()?,
                least_share: self.real()?,
            },
            1 => Estimator::PooledVariance { z: self.real()?, s0: self.option()? },
            2 => Estimator::Hoeffding { delta: self.real()?, horizon: self.word()?, queries: self.word()? },
            3 => Estimator::EmpiricalBernstein {
                delta: self.real()?,
                horizon: self.word()?,
                queries: self.word()?,
            },
            4 => Estimator::SqrtBonus { queries: self.word()? },
            5 => Estimator::PlugIn,
            _ => return Err(broken("the estimator is unknown")),
        };
        Beliefs::new(models, estimator, range, max_keys).map_err(|error| broken(&error.to_string()))
    }

    fn pooled(&mut self) -> Result<(Pooled, f64), Error> {
        let pooled = Pooled {
            squares: self.spread()?,
            freedom: self.word()?,
            count: self.word()?,
            mean: self.cost()?,
            largest: self.cost()?,
        };
        if pooled.freedom > pooled.count {
            return Err(broken("more degrees of freedom than costs"));
        }
        Ok((pooled, self.spread()?))
    }

    fn table(&mut self, table: &mut Table) -> Result<(), Error> {
        let (rows, hand) = (self.size()?, self.size()?);
        for _ in 0..rows {
            table.keys.push(self.word()?);
            table.spared.push(self.flag()?);
            for _ in 0..table.models() {
                table.arms.push(self.arm()?);
            }
        }
        table.hand = hand;
        if table.reindex() { Ok(()) } else { Err(broken("its rows disagree")) }
    }

    fn arm(&mut self) -> Result<Arm, Error> {
        let n = u32::from_le_bytes(self.take()?);
        let arm = Arm { n, place: NOWHERE, mean: self.cost()?, squares: self.spread()?, last: self.cost()? };
        if n == 0 && arm != Arm::UNTRIED { Err(broken("an untried arm has costs")) } else { Ok(arm) }
    }

    fn recent(&mut self, table: &Table) -> Result<Recent, Error> {
        let (len, next) = (self.byte()?, self.byte()?);
        let mut entries = Vec::with_capacity(usize::from(len));
        for _ in 0..len {
            let (mean, row) = (self.cost()?, u32::from_le_bytes(self.take()?));
            if row != Recent::NO_ROW && row as usize >= table.len() {
                return Err(broken("a window names a row that is not there"));
            }
            entries.push((mean, row));
        }
        Recent::restore(&entries, next).ok_or_else(|| broken("a window is out of shape"))
    }
}
