//! A bounded table: key hash → one arm a model.
//!
//! A full table makes room by the clock rule: a hand walks the rows, spares one that was observed again since
//! its last visit, once, and takes the first that was not. An observation pays for one step of the hand, so
//! room costs O(1) amortised, and what goes was observed once, or not for a whole round.

use hashbrown::HashTable;

use super::ArmView;
use super::value_of_information::NOWHERE;

/// Costs of one model on one key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arm {
    pub(super) n: u32,
    /// Where the arm's mean stands in its model's window, or [`NOWHERE`].
    pub(super) place: u8,
    pub(super) mean: f64,
    /// Sum of squares about the mean.
    pub(super) squares: f64,
    /// The cost observed last, so that it can be amended.
    pub(super) last: f64,
}

impl Arm {
    pub(super) const UNTRIED: Self = Self { n: 0, place: NOWHERE, mean: 0.0, squares: 0.0, last: 0.0 };

    fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.squares / f64::from(self.n - 1))
    }

    pub(super) fn view(&self) -> ArmView {
        ArmView { n: self.n, mean: self.mean, variance: self.variance() }
    }
}

/// A row as the index keeps it.
#[expect(clippy::cast_possible_truncation, reason = "a table has at most `max_keys` rows, which fits u32")]
pub(super) fn narrow(row: usize) -> u32 {
    row as u32
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    models: usize,
    max_keys: usize,
    index: HashTable<u32>,
    pub(super) keys: Vec<u64>,
    /// Whether the key was observed again since it came or the hand last passed.
    pub(super) spared: Vec<bool>,
    /// Row-major, `models` arms a key.
    pub(super) arms: Vec<Arm>,
    pub(super) hand: usize,
}

impl Table {
    pub(super) fn new(models: usize, max_keys: usize) -> Self {
        Self {
            models,
            max_keys,
            index: HashTable::new(),
            keys: Vec::new(),
            spared: Vec::new(),
            arms: Vec::new(),
            hand: 0,
        }
    }

    pub(super) fn models(&self) -> usize {
        self.models
    }

    pub(super) fn max_keys(&self) -> usize {
        self.max_keys
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    pub(super) fn find(&self, hash: u64) -> Option<usize> {
        self.index.find(hash, |&row| self.keys[row as usize] == hash).map(|&row| row as usize)
    }

    #[inline]
    pub(super) fn row(&self, row: usize) -> &[Arm] {
        &self.arms[row * self.models..][..self.models]
    }

    #[inline]
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [Arm] {
        &mut self.arms[row * self.models..][..self.models]
    }

    /// The row of a key that is not in the table; in a full table `leave` sees the arms of the key that goes.
    pub(super) fn insert(&mut self, hash: u64, leave: impl FnOnce(&[Arm])) -> usize {
        let row = if self.keys.len() < self.max_keys {
            self.keys.push(hash);
            self.spared.push(false);
            self.arms.resize(self.keys.len() * self.models, Arm::UNTRIED);
            self.keys.len() - 1
        } else {
            let row = self.oldest();
            leave(self.row(row));
            self.remove_from_index(row);
            self.keys[row] = hash;
            self.row_mut(row).fill(Arm::UNTRIED);
            row
        };
        let keys = &self.keys;
        self.index.insert_unique(hash, narrow(row), |&other| keys[other as usize]);
        row
    }

    fn oldest(&mut self) -> usize {
        loop {
            let row = self.hand;
            self.hand = (row + 1) % self.keys.len();
            if !std::mem::take(&mut self.spared[row]) {
                return row;
            }
        }
    }

    fn remove_from_index(&mut self, row: usize) {
        let found = self.index.find_entry(self.keys[row], |&other| other as usize == row);
        if let Ok(entry) = found {
            entry.remove();
        }
    }

    /// Bytes held, index included.
    pub(super) fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u64>()
            + self.spared.capacity()
            + self.arms.capacity() * size_of::<Arm>()
            + self.index.capacity() * (size_of::<u32>() + 1) * 8 / 7
    }

    /// Rebuilds the index over decoded rows; `false` when a key occurs twice or the shapes disagree.
    pub(super) fn reindex(&mut self) -> bool {
        let shaped = self.keys.len() <= self.max_keys
            && self.spared.len() == self.keys.len()
            && self.arms.len() == self.keys.len() * self.models
            && self.hand < self.keys.len().max(1);
        if !shaped {
            return false;
        }
        self.index.clear();
        for row in 0..self.keys.len() {
            let hash = self.keys[row];
            if self.find(hash).is_some() {
                return false;
            }
            let keys = &self.keys;
            self.index.insert_unique(hash, narrow(row), |&other| keys[other as usize]);
        }
        true
    }

    pub(super) fn check(&self) {
        assert!(self.len() <= self.max_keys, "{} keys of {}", self.len(), self.max_keys);
        assert_eq!(self.index.len(), self.len(), "index and rows differ");
        assert_eq!(self.arms.len(), self.len() * self.models, "arms and rows differ");
        assert_eq!(self.spared.len(), self.len(), "marks and rows differ");
        for (row, &hash) in self.keys.iter().enumerate() {
            assert_eq!(self.find(hash), Some(row), "key of row {row} is not found");
        }
        for arm in &self.arms {
            assert!(arm.mean.is_finite() && arm.mean >= 0.0, "mean {}", arm.mean);
            assert!(arm.squares.is_finite() && arm.squares >= 0.0, "squares {}", arm.squares);
            assert!(arm.n > 0 || *arm == Arm::UNTRIED, "an untried arm holds {arm:?}");
        }
    }
}
