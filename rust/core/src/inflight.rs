//! One leader a key; followers wait.
//!
//! The first to claim a key leads. Later claims leave a waiter and are told one thing, once: that the answer
//! is there, or that they lead now, since the leader failed. Waiters are handed out, never called, in here.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::sync::Mutex;

/// Flights by the hash of their key; `W` wakes a follower.
pub struct Inflight<W> {
    flights: Mutex<HashMap<u64, VecDeque<W>>>,
}

impl<W> Default for Inflight<W> {
    fn default() -> Self {
        Self { flights: Mutex::new(HashMap::new()) }
    }
}

impl<W> Inflight<W> {
    /// Whether the caller leads; if not, `waiter` is kept for [`Inflight::done`] or [`Inflight::failed`].
    pub fn claim(&self, hash: u64, waiter: W) -> bool {
        let mut flights = self.lock();
        if let Some(waiters) = flights.get_mut(&hash) {
            waiters.push_back(waiter);
            return false;
        }
        flights.insert(hash, VecDeque::new());
        true
    }

    /// The leader has answered: everybody to wake.
    pub fn done(&self, hash: u64) -> Vec<W> {
        self.lock().remove(&hash).map(Vec::from).unwrap_or_default()
    }

    /// The leader has failed: the one who leads now, if anybody waits.
    pub fn failed(&self, hash: u64) -> Option<W> {
        let mut flights = self.lock();
        let next = flights.get_mut(&hash).and_then(VecDeque::pop_front);
        if next.is_none() {
            flights.remove(&hash);
        }
        next
    }

    /// A follower stopped waiting: forget those waiters of `hash` that `gone` accepts.
    pub fn abandon(&self, hash: u64, gone: impl Fn(&W) -> bool) -> Vec<W> {
        let mut flights = self.lock();
        let Some(waiters) = flights.get_mut(&hash) else { return Vec::new() };
        let (left, kept) = std::mem::take(waiters).into_iter().partition::<Vec<_>, _>(|waiter| gone(waiter));
        *waiters = kept.into();
        left
    }

    /// Keys in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all flights, as a forked child must: their leaders are not here.
    pub fn reset(&self) -> Vec<W> {
        self.lock().drain().flat_map(|(_, waiters)| waiters).collect()
    }

    fn lock(&self) -> crate::sync::MutexGuard<'_, HashMap<u64, VecDeque<W>>> {
        // Nothing in here can panic half-way through a change, so a poisoned map is still whole.
        self.flights.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_leader_hands_over_to_exactly_one() {
        let flights = Inflight::default();
        assert!(flights.claim(1, "a"));
        assert!(!flights.claim(1, "b"));
        assert!(!flights.claim(1, "c"));
        assert!(flights.claim(2, "other"));
        assert_eq!(flights.failed(1), Some("b"));
        assert_eq!(flights.done(1), vec!["c"]);
        assert!(flights.claim(1, "d"), "the flight is over");
        assert_eq!(flights.failed(1), None);
        assert_eq!(flights.len(), 1);
    }

    #[test]
    fn who_leaves_is_not_woken() {
        let flights = Inflight::default();
        assert!(flights.claim(1, 0));
        assert!(!flights.claim(1, 1));
        assert!(!flights.claim(1, 2));
        assert_eq!(flights.abandon(1, |&waiter| waiter == 1), vec![1]);
        assert_eq!(flights.done(1), vec![2]);
    }
}
