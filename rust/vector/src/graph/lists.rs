//! Lists of node numbers, of one length at most, in as few bytes a number as the largest node needs.
//!
//! Links are the largest part of a graph beside its rows: three bytes a number do for 16 million nodes.

use std::array;
use std::iter::Take;
use std::ops::Deref;

use prefetch_index::prefetch_index;

use crate::room;

/// Numbers of a list, at most.
pub(crate) const MOST: usize = super::BOUND;
const CACHE_LINE: usize = 64;

/// A list a place, each with room for `bound` numbers.
pub(crate) struct Lists {
    bound: usize,
    /// Bytes a number, 1 to 4.
    width: usize,
    /// The numbers of a list first, then the number that stands for none, up to its room.
    bytes: Vec<u8>,
}

/// The numbers of a list.
pub(crate) struct List {
    numbers: [u32; MOST],
    len: usize,
}

impl Lists {
    pub(crate) fn new(bound: usize) -> Self {
        assert!((1..=MOST).contains(&bound), "a list has room, and not too much");
        Self { bound, width: 1, bytes: Vec::new() }
    }

    pub(crate) fn bound(&self) -> usize {
        self.bound
    }

    /// Lists.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / self.each()
    }

    /// Appends an empty list.
    pub(crate) fn push(&mut self) {
        let each = self.each();
        room::grow(&mut self.bytes, each);
        self.bytes.resize(self.bytes.len() + each, u8::MAX);
    }

    /// Lets lists hold `number`, and all below it.
    pub(crate) fn fit(&mut self, number: u32) {
        if number < none(self.width) {
            return;
        }
        let width = (self.width + 1..=size_of::<u32>()).find(|&width| number < none(width));
        let mut wider = Self { width: width.expect("the index checks its size"), ..Self::new(self.bound) };
        wider.bytes.reserve_exact(self.len() * wider.each());
        for place in 0..self.len() {
            wider.push();
            for (at, &number) in self.list(place).iter().enumerate() {
                wider.set(place, at, Some(number));
            }
        }
        *self = wider;
    }

    #[inline]
    pub(crate) fn list(&self, place: usize) -> List {
        let mut numbers = [u32::MAX; MOST];
        let bytes = &self.bytes[place * self.each()..(place + 1) * self.each()];
        match self.width {
            1 => read::<1>(bytes, &mut numbers),
            2 => read::<2>(bytes, &mut numbers),
            3 => read::<3>(bytes, &mut numbers),
            _ => read::<4>(bytes, &mut numbers),
        }
        let none = none(self.width);
        let len = numbers.iter().filter(|&&number| number < none).count();
        List { numbers, len }
    }

    /// Puts a number, or none, into a list.
    pub(crate) fn set(&mut self, place: usize, at: usize, number: Option<u32>) {
        debug_assert!(number.is_none_or(|number| number < none(self.width)), "it was made to fit");
        let from = place * self.each() + at * self.width;
        let bytes = number.unwrap_or(u32::MAX).to_le_bytes();
        self.bytes[from..from + self.width].copy_from_slice(&bytes[..self.width]);
    }

    /// The last list takes the place of one.
    pub(crate) fn swap_remove(&mut self, place: usize) {
        let (each, last) = (self.each(), self.bytes.len() - self.each());
        self.bytes.copy_within(last.., place * each);
        self.bytes.truncate(last);
        room::shrink(&mut self.bytes);
    }

    /// Asks for a list that will be read soon.
    #[inline]
    pub(crate) fn prefetch(&self, place: usize) {
        let (from, each) = (place * self.each(), self.each());
        (from..from + each).step_by(CACHE_LINE).for_each(|at| prefetch_index(&self.bytes, at));
        prefetch_index(&self.bytes, from + each - 1);
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        room::bytes(&self.bytes)
    }

    /// Bytes a list.
    #[inline]
    fn each(&self) -> usize {
        self.bound * self.width
    }
}

impl Deref for List {
    type Target = [u32];

    #[inline]
    fn deref(&self) -> &[u32] {
        &self.numbers[..self.len]
    }
}

impl IntoIterator for List {
    type Item = u32;
    type IntoIter = Take<array::IntoIter<u32, MOST>>;

    fn into_iter(self) -> Self::IntoIter {
        self.numbers.into_iter().take(self.len)
    }
}

/// The number that stands for none.
#[inline]
fn none(width: usize) -> u32 {
    u32::MAX >> (32 - 8 * width)
}

#[inline]
fn read<const WIDTH: usize>(bytes: &[u8], numbers: &mut [u32; MOST]) {
    for (number, some) in numbers.iter_mut().zip(bytes.as_chunks::<WIDTH>().0) {
        let mut whole = [0; size_of::<u32>()];
        whole[..WIDTH].copy_from_slice(some);
        *number = u32::from_le_bytes(whole);
    }
}

#[cfg(test)]
mod tests {
    use super::Lists;

    #[test]
    fn lists_keep_their_numbers_as_these_grow_wider() {
        let mut lists = Lists::new(5);
        for (place, number) in [0, 254, 255, 65_534, 65_535, 16_777_214, 16_777_215].into_iter().enumerate() {
            lists.push();
            lists.fit(number);
            lists.set(place, 0, Some(number));
            lists.set(place, 1, Some(7));
            let held = (0..=place).map(|place| lists.list(place).to_vec());
            let first = [0, 254, 255, 65_534, 65_535, 16_777_214, 16_777_215];
            held.zip(first).for_each(|(list, first)| assert_eq!(list, [first, 7]));
        }
        assert_eq!(lists.memory_bytes(), 7 * 5 * 4);
    }

    #[test]
    fn a_list_that_is_full_and_one_that_is_empty() {
        let mut lists = Lists::new(3);
        lists.push();
        lists.push();
        (0..3).for_each(|at| lists.set(1, at, Some(9)));
        assert_eq!((lists.list(0).len(), lists.list(1).to_vec()), (0, vec![9, 9, 9]));
        lists.swap_remove(0);
        assert_eq!((lists.len(), lists.list(0).len()), (1, 3));
    }
}
