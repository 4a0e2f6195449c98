//! Near twins: which entry leans on which other, that would answer in its place.
//!
//! An entry leans on one other at most, and one that others lean on leans on none: so whoever leaves, what leaned on it
//! stands alone again, and nobody was counted out twice. Those that lean on the same entry are a list through the slots.

use super::partition::Partition;
use crate::room;

const NOBODY: u32 = u32::MAX;

/// The place of an entry among those that lean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaning {
    /// The slot it leans on.
    on: u32,
    /// The first of those that lean on it.
    first: u32,
    /// The next, and the one before, of those that lean on the same.
    next: u32,
    before: u32,
}

impl Default for Leaning {
    fn default() -> Self {
        Self { on: NOBODY, first: NOBODY, next: NOBODY, before: NOBODY }
    }
}

impl Partition {
    /// Lets the entry in `slot` lean on the one in `other`. Returns whether it does now: not where it leans on another
    /// already, where others lean on it, or where `other` leans itself.
    pub(super) fn lean(&mut self, slot: u32, other: u32) -> bool {
        if slot == other || self.get(slot).is_none() || self.get(other).is_none() {
            return false;
        }
        let (mine, its) = (self.place(slot), self.place(other));
        if mine.on == other {
            return true;
        }
        if [mine.on, mine.first, its.on] != [NOBODY; 3] {
            return false;
        }
        let Some(all) = self.leaning_mut() else { return false };
        let most = slot.max(other) as usize + 1;
        if all.len() < most {
            room::fill(all, most, Leaning::default());
        }
        self.at(slot, |mine| (mine.on, mine.next) = (other, its.first));
        self.at(its.first, |next| next.before = slot);
        self.at(other, |its| its.first = slot);
        true
    }

    /// Whether the entry in `slot` leans on that in `other`.
    pub(super) fn leans(&self, slot: u32, other: u32) -> bool {
        self.place(slot).on == other
    }

    /// Ends what the entry in `slot`, which leaves, has to do with others. Returns the ids of those that leaned on it.
    pub(super) fn stand_alone(&mut self, slot: u32) -> Vec<u64> {
        let Leaning { on, first, next, before } = self.place(slot);
        self.at(slot, |mine| *mine = Leaning::default());
        if before == NOBODY {
            self.at(on, |its| its.first = next);
        } else {
            self.at(before, |its| its.next = next);
        }
        self.at(next, |its| its.before = before);
        let mut alone = Vec::new();
        let mut leaner = first;
        while leaner != NOBODY {
            alone.extend(self.get(leaner).map(|entry| entry.hash));
            let next = self.place(leaner).next;
            self.at(leaner, |its| *its = Leaning::default());
            leaner = next;
        }
        alone
    }

    /// The ids of those that lean, each with that of the entry it leans on.
    pub(super) fn leaners(&self) -> impl Iterator<Item = (u64, u64)> {
        self.slots().filter_map(|(slot, entry)| Some((entry.hash, self.get(self.place(slot).on)?.hash)))
    }

    fn place(&self, slot: u32) -> Leaning {
        self.leaning().get(slot as usize).copied().unwrap_or_default()
    }

    /// Changes the place of the entry in a slot; nothing where there is none, as in [`NOBODY`].
    fn at(&mut self, slot: u32, change: impl FnOnce(&mut Leaning)) {
        if let Some(place) = self.leaning_mut().and_then(|all| all.get_mut(slot as usize)) {
            change(place);
        }
    }

    /// Panics unless every list is whole.
    pub(super) fn check_leaning(&self) {
        let mut listed = 0;
        for (slot, _) in self.slots() {
            let place = self.place(slot);
            assert!(place.first == NOBODY || place.on == NOBODY, "what others lean on leans on none");
            let (mut before, mut leaner) = (NOBODY, place.first);
            while leaner != NOBODY {
                assert!(self.get(leaner).is_some(), "those that lean are there");
                let its = self.place(leaner);
                assert_eq!((slot, before), (its.on, its.before), "a list of those that lean");
                (before, leaner) = (leaner, its.next);
                listed += 1;
            }
        }
        let leaning = self.leaning().iter().filter(|place| place.on != NOBODY).count();
        assert_eq!(listed, leaning, "each that leans is listed once");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::key::{Key, KeyRef};
    use crate::semantic::partition::{Indexed, Unit};

    #[derive(Clone, Debug)]
    enum Op {
        Come,
        Lean(u32, u32),
        Leave(u32),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            2 => Just(Op::Come),
            4 => (0..12_u32, 0..12_u32).prop_map(|(slot, other)| Op::Lean(slot, other)),
            1 => (0..12_u32).prop_map(Op::Leave),
        ]
    }

    proptest! {
        #[test]
        fn leans_as_a_map_does(ops in prop::collection::vec(op(), 0..200)) {
            let unit = Unit::of(&[1.0; 64]).expect("a direction");
            let mut partition = Partition::new(64);
            let (mut slots, mut on, mut comers): (HashMap<u32, u64>, HashMap<u64, u64>, u64) = Default::default();
            for op in ops {
                match op {
                    Op::Come if slots.len() < 12 => {
                        let key = Key::new(KeyRef { scope: "", fingerprint: "", text: "a" }).expect("short");
                        comers += 1;
                        let entry = Indexed::new(comers, key, None, 0, 0.0);
                        slots.insert(partition.insert(entry, &unit).expect("sound"), comers);
                    }
                    Op::Come => {}
                    Op::Lean(slot, other) => {
                        let ids = slots.get(&slot).zip(slots.get(&other));
                        let free = |(mine, its): &(&u64, &u64)| {
                            mine != its && !on.contains_key(mine) && !on.contains_key(its)
                                && on.values().all(|leant| leant != *mine)
                        };
                        let new = ids.filter(free);
                        let already = ids.is_some_and(|(mine, its)| on.get(mine) == Some(its));
                        prop_assert_eq!(partition.lean(slot, other), new.is_some() || already);
                        on.extend(new);
                    }
                    Op::Leave(slot) => {
                        let mut alone = partition.stand_alone(slot);
                        let left = slots.remove(&slot);
                        if let Some(id) = left {
                            prop_assert!(partition.remove(slot, id).is_some());
                        }
                        let mut known: Vec<u64> =
                            on.iter().filter(|(_, leant)| Some(**leant) == left).map(|(mine, _)| *mine).collect();
                        alone.sort_unstable();
                        known.sort_unstable();
                        prop_assert_eq!(alone, known);
                        on.retain(|mine, leant| Some(*mine) != left && Some(*leant) != left);
                    }
                }
                partition.check();
                prop_assert_eq!(partition.leaners().collect::<HashMap<_, _>>(), on.clone());
            }
        }
    }
}
