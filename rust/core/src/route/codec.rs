//! [`Multiplexer`] ↔ little-endian bytes. No envelope: `snapshot.rs` adds version and checksum.

use super::calibration::WINDOW;
use super::features::MAX_DIMS;
use super::multiplexer::{Learner, Multiplexer, Settings};
use crate::error::Error;
use crate::estimate::finite_cost;

/// Raised when the same text would get other features, or the bytes another meaning.
const FORMAT: u64 = 1;

impl Multiplexer {
    /// The whole state, settings included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Settings { models, dims, penalty, strength } = self.settings;
        let mut to = Writer(Vec::with_capacity(64 + self.bytes() / 2));
        to.word(FORMAT);
        to.word(models as u64);
        to.word(dims as u64);
        to.real(penalty);
        to.word(u64::from(strength.is_some()));
        to.real(strength.unwrap_or(0.0));
        for Learner { ridge, calibration } in &self.arms {
            to.reals(&ridge.weights);
            for (row, cells) in ridge.inverse.chunks(ridge.side()).enumerate() {
                // Symmetric: the lower triangle says it all.
                for &cell in &cells[..=row] {
                    to.real(cell);
                }
            }
            to.word(calibration.seen);
            to.word(calibration.pairs.len() as u64);
            for &(predicted, cost) in &calibration.pairs {
                to.real(predicted);
                to.real(cost);
            }
        }
        to.0
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when the bytes are cut, changed or not of this kind.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut from = Reader(bytes);
        if from.word()? != FORMAT {
            return Err(broken("it is of another format"));
        }
        let (models, dims, penalty) = (from.size()?, from.size()?, from.real()?);
        let strength = (from.word()? != 0).then_some(from.real()?);
        let settings = Settings { models, dims, penalty, strength };
        let mut read = Self::new(settings).map_err(|error| broken(&error.to_string()))?;
        for arm in &mut read.arms {
            from.learner(arm)?;
        }
        if from.0.is_empty() { Ok(read) } else { Err(broken("bytes are left over")) }
    }
}

fn broken(what: &str) -> Error {
    Error::Snapshot { what: format!("the multiplexer's state is damaged: {what}") }
}

struct Writer(Vec<u8>);

impl Writer {
    fn word(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    fn real(&mut self, value: f64) {
        self.word(value.to_bits());
    }

    fn reals(&mut self, values: &[f64]) {
        self.word(values.len() as u64);
        for &value in values {
            self.real(value);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn word(&mut self) -> Result<u64, Error> {
        let (head, rest) = self.0.split_first_chunk().ok_or_else(|| broken("bytes are missing"))?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*head))
    }

    fn size(&mut self) -> Result<usize, Error> {
        usize::try_from(self.word()?).map_err(|_| broken("a size does not fit this machine"))
    }

    fn real(&mut self) -> Result<f64, Error> {
        self.word().map(f64::from_bits)
    }

    fn learner(&mut self, into: &mut Learner) -> Result<(), Error> {
        let Learner { ridge, calibration } = into;
        let (side, weights) = (ridge.side(), self.size()?);
        if weights != 0 && weights != side || side > MAX_DIMS + 1 {
            return Err(broken("a regression has another number of weights"));
        }
        if weights > 0 {
            // Nothing is reserved by a number that was read before as many bytes are there.
            if self.0.len() < 8 * (side + side * (side + 1) / 2) {
                return Err(broken("bytes are missing"));
            }
            ridge.weights = (0..side).map(|_| self.real()).collect::<Result<_, _>>()?;
            ridge.inverse = vec![0.0; side * side];
            for row in 0..side {
                for column in 0..=row {
                    let cell = self.real()?;
                    (ridge.inverse[row * side + column], ridge.inverse[column * side + row]) = (cell, cell);
                }
            }
        }
        calibration.seen = self.word()?;
        let pairs = self.size()?;
        if pairs > WINDOW || pairs as u64 > calibration.seen {
            return Err(broken("it remembers more than it saw"));
        }
        for _ in 0..pairs {
            let pair = (self.real()?, self.real()?);
            if finite_cost(pair.0.abs()).and_then(|_| finite_cost(pair.1)).is_err() {
                return Err(broken("a label is no cost"));
            }
            calibration.pairs.push_back(pair);
        }
        calibration.refit();
        if ridge.is_sound() { Ok(()) } else { Err(broken("a regression holds what no labels give")) }
    }
}
