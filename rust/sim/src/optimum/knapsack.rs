//! The 0-1 knapsack, exactly: whole sizes, real profits.
//!
//! Dynamic programming over an expanding core (Pisinger 1997, "A minimal algorithm for the 0-1 knapsack
//! problem", Operations Research 45(5)). Sorted by density, the optimum differs from the greedy filling near
//! the first item that does not fit; so items are decided outwards from there, one at a time on either side,
//! and a partial choice is dropped once even a fractional filling of the rest cannot make it the best.

use lecmux_core::error::Error;

/// Partial choices kept at once, of 16 bytes each: some 100 MB with those they are made from.
const MOST_STATES: usize = 1 << 21;

/// Something that may be taken whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Item {
    /// At least 0.
    pub(super) profit: f64,
    /// At least 1.
    pub(super) size: u64,
}

/// Totals of a partial choice: all items before the core are in, all behind it are out.
#[derive(Clone, Copy, Debug)]
struct State {
    size: u64,
    profit: f64,
}

/// The largest profit of items that fit into `capacity` together. Equal sizes take O(n); else instances are
/// fast unless many densities are nearly equal.
///
/// # Errors
/// [`Error::Config`] when more than 2 million partial choices would have to be kept.
pub(super) fn most_profit(mut items: Vec<Item>, capacity: u64) -> Result<f64, Error> {
    items.retain(|item| item.profit > 0.0 && item.size <= capacity);
    let Some(&Item { size, .. }) = items.first() else { return Ok(0.0) };
    if items.iter().all(|item| item.size == size) {
        let room = usize::try_from(capacity / size).unwrap_or(usize::MAX);
        return Ok(best_of_equal(items, room));
    }
    items.sort_unstable_by(|a, b| density(b).total_cmp(&density(a)).then(a.size.cmp(&b.size)));
    Core::new(&items, capacity).solve()
}

fn density(item: &Item) -> f64 {
    item.profit / item.size as f64
}

fn best_of_equal(mut items: Vec<Item>, room: usize) -> f64 {
    if room < items.len() {
        items.select_nth_unstable_by(room, |a, b| b.profit.total_cmp(&a.profit));
        items.truncate(room);
    }
    items.iter().map(|item| item.profit).sum()
}

struct Core<'a> {
    items: &'a [Item],
    capacity: u64,
    /// The items decided so far: `items[from..to]`.
    from: usize,
    to: usize,
    /// Ascending in size and in profit.
    states: Vec<State>,
    best: f64,
}

impl<'a> Core<'a> {
    fn new(items: &'a [Item], capacity: u64) -> Self {
        let (mut size, mut profit, mut split) = (0, 0.0, 0);
        for item in items {
            if item.size > capacity - size {
                break;
            }
            size += item.size;
            profit += item.profit;
            split += 1;
        }
        Self { items, capacity, from: split, to: split, states: vec![State { size, profit }], best: profit }
    }

    fn solve(mut self) -> Result<f64, Error> {
        while !self.states.is_empty() && (self.from > 0 || self.to < self.items.len()) {
            if self.to < self.items.len() {
                let item = self.items[self.to];
                self.to += 1;
                self.branch(|state| State {
                    size: state.size.saturating_add(item.size),
                    profit: state.profit + item.profit,
                })?;
            }
            if self.from > 0 {
                self.from -= 1;
                let item = self.items[self.from];
                self.branch(|state| State {
                    size: state.size - item.size,
                    profit: state.profit - item.profit,
                })?;
            }
        }
        Ok(self.best)
    }

    /// Keeps each state and its `change`d twin, less those that another beats and those past hope.
    fn branch(&mut self, change: impl Fn(&State) -> State) -> Result<(), Error> {
        let changed: Vec<State> = self.states.iter().map(change).collect();
        let fitting = changed.iter().filter(|state| state.size <= self.capacity);
        self.best = fitting.fold(self.best, |best, state| best.max(state.profit));
        let merged = merge(&self.states, &changed);
        self.states = merged.into_iter().filter(|state| self.bound(state) > self.best).collect();
        if self.states.len() > MOST_STATES {
            return Err(Error::Config {
                what: format!(
                    "this knapsack of {} queries is too hard to solve exactly: their values a unit of size are \
                     too alike. Round the sizes up to coarser units, with the capacity in the same units",
                    self.items.len()
                ),
            });
        }
        Ok(())
    }

    /// At most what a state can still come to, were the next item outside the core divisible and endless.
    fn bound(&self, state: &State) -> f64 {
        if state.size <= self.capacity {
            let gain = self.items.get(self.to).map_or(0.0, density);
            return state.profit + (self.capacity - state.size) as f64 * gain;
        }
        match self.from.checked_sub(1) {
            Some(last) => state.profit - (state.size - self.capacity) as f64 * density(&self.items[last]),
            None => f64::NEG_INFINITY,
        }
    }
}

/// Merges two lists ascending in size and profit, keeping what no other state of at most its size beats.
fn merge(a: &[State], b: &[State]) -> Vec<State> {
    let mut merged: Vec<State> = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let from_a = match (a.peek(), b.peek()) {
            (None, None) => return merged,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(a), Some(b)) => (a.size, -a.profit) <= (b.size, -b.profit),
        };
        if let Some(&state) = if from_a { a.next() } else { b.next() }
            && merged.last().is_none_or(|last| state.profit > last.profit)
        {
            merged.push(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_trying_all(items: &[Item], capacity: u64) -> f64 {
        let totals = (0..1_u32 << items.len()).map(|taken| {
            let chosen = items.iter().enumerate().filter(|(place, _)| taken >> place & 1 == 1);
            chosen.fold((0, 0.0), |(size, profit), (_, item)| (size + item.size, profit + item.profit))
        });
        totals.filter(|(size, _)| *size <= capacity).map(|(_, profit)| profit).fold(0.0, f64::max)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
        #[test]
        fn it_is_the_best_of_all_choices(
            items in prop::collection::vec((0..40_u32, 1..30_u64), 0..13), capacity in 1..120_u64,
        ) {
            let items: Vec<Item> = items
                .into_iter()
                .map(|(profit, size)| Item { profit: f64::from(profit), size })
                .collect();
            let found = most_profit(items.clone(), capacity).unwrap();
            prop_assert!((found - by_trying_all(&items, capacity)).abs() < 1e-9);
        }
    }

    /// Whole numbers from 1 to `most`, the same each time.
    fn draws(most: u64) -> impl Iterator<Item = u64> {
        let next = |last: &u64| {
            Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        };
        std::iter::successors(Some(1), next).map(move |number| (number >> 20) % most + 1)
    }

    #[test]
    fn many_items_beat_the_greedy_filling_and_no_divisible_one() {
        let drawn = draws(1000).zip(draws(5000).skip(50_000)).take(50_000);
        let items: Vec<Item> =
            drawn.map(|(profit, size)| Item { profit: profit as f64 / 7.0, size }).collect();
        let exact = most_profit(items.clone(), 10_000_000).unwrap();
        let mut sorted = items;
        sorted.sort_by(|a, b| density(b).total_cmp(&density(a)));
        let (mut room, mut greedy, mut divisible) = (10_000_000, 0.0, None);
        for item in &sorted {
            if item.size <= room {
                room -= item.size;
                greedy += item.profit;
            } else {
                divisible.get_or_insert(greedy + room as f64 * density(item));
            }
        }
        assert!(greedy <= exact && exact <= divisible.unwrap(), "{greedy} {exact} {divisible:?}");
    }

    #[test]
    fn one_that_is_too_hard_is_refused() {
        // Even sizes cannot fill an odd capacity, and with equal densities every bound says that they might.
        let sizes = draws(1 << 40).map(|size| 2 * size).take(60);
        let items: Vec<Item> = sizes.map(|size| Item { profit: size as f64, size }).collect();
        let capacity = (items.iter().map(|item| item.size).sum::<u64>() / 2) | 1;
        let refused = most_profit(items, capacity).unwrap_err().to_string();
        assert!(refused.contains("too hard"), "{refused}");
    }
}
