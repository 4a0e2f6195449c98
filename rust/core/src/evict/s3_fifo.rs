//! S3-FIFO: a small probationary queue, a main queue, and a ghost queue of names.
//!
//! Yang et al. 2023, "FIFO Queues are All You Need for Cache Eviction" (SOSP '23), Algorithm 1. Queue shares
//! are of bytes. Frequencies saturate at 3; an entry asked for more than once on probation moves to main, one
//! whose name is in the ghost queue enters main at once. Always admits.

use std::collections::VecDeque;

use hashbrown::HashSet;

use super::{Eviction, Slot, Worth};
use crate::room;

const MAX_FREQUENCY: u8 = 3;

#[derive(Clone, Copy, Debug, Default)]
struct Member {
    hash: u64,
    bytes: u64,
    /// Tells a queue node of this stay from one of an earlier stay in the same slot; 0 when absent.
    ticket: u32,
    frequency: u8,
    in_main: bool,
}

/// State of the policy.
#[derive(Clone, Debug)]
pub struct S3Fifo {
    small_share: f64,
    small: VecDeque<(Slot, u32)>,
    main: VecDeque<(Slot, u32)>,
    ghosts: VecDeque<u64>,
    ghost_names: HashSet<u64>,
    members: Vec<Member>,
    /// Victims whose fate is not known yet.
    victims: Vec<(Slot, Member)>,
    small_bytes: u64,
    main_bytes: u64,
    len: usize,
    next_ticket: u32,
}

impl S3Fifo {
    /// `small_share`: share of the bytes on probation, in (0, 1); the paper uses 0.1.
    #[must_use]
    pub fn new(small_share: f64) -> Self {
        Self {
            small_share,
            small: VecDeque::new(),
            main: VecDeque::new(),
            ghosts: VecDeque::new(),
            ghost_names: HashSet::new(),
            members: Vec::new(),
            victims: Vec::new(),
            small_bytes: 0,
            main_bytes: 0,
            len: 0,
            next_ticket: 0,
        }
    }

    /// Adds a member at the end of its queue.
    fn enqueue(&mut self, slot: Slot, member: Member) {
        let ticket = self.enter(slot, member);
        let queue = if member.in_main { &mut self.main } else { &mut self.small };
        queue.push_back((slot, ticket));
    }

    /// Enters a member everywhere but in its queue; returns its ticket there.
    fn enter(&mut self, slot: Slot, member: Member) -> u32 {
        self.sweep_if_stale();
        self.next_ticket = self.next_ticket.wrapping_add(1).max(1);
        let bytes = if member.in_main { &mut self.main_bytes } else { &mut self.small_bytes };
        *bytes += member.bytes;
        self.members[slot as usize] = Member { ticket: self.next_ticket, ..member };
        self.next_ticket
    }

    /// Removed entries leave their queue node behind; drop such nodes once they outnumber the members.
    fn sweep_if_stale(&mut self) {
        if self.small.len() + self.main.len() > 2 * self.len + 64 {
            let members = &self.members;
            let live = |&(slot, ticket): &(Slot, u32)| members[slot as usize].ticket == ticket;
            self.small.retain(live);
            self.main.retain(live);
        }
    }

    fn leave(&mut self, slot: Slot) -> Option<Member> {
        let member = self.members.get_mut(slot as usize).filter(|member| member.ticket != 0)?;
        let left = std::mem::take(member);
        let bytes = if left.in_main { &mut self.main_bytes } else { &mut self.small_bytes };
        *bytes -= left.bytes;
        Some(left)
    }

    /// The oldest live member of a queue, dequeued.
    fn dequeue(&mut self, from_main: bool) -> Option<(Slot, Member)> {
        loop {
            let queue = if from_main { &mut self.main } else { &mut self.small };
            let (slot, ticket) = queue.pop_front()?;
            if self.members[slot as usize].ticket == ticket {
                return self.leave(slot).map(|member| (slot, member));
            }
        }
    }

    fn remember(&mut self, hash: u64) {
        if self.ghost_names.insert(hash) {
            self.ghosts.push_back(hash);
        }
        while self.ghosts.len() > self.len.max(1) {
            if let Some(oldest) = self.ghosts.pop_front() {
                self.ghost_names.remove(&oldest);
            }
        }
    }

    /// Gives a member that has left its queue as a victim.
    fn give(&mut self, slot: Slot, member: Member) -> Slot {
        self.len -= 1;
        self.victims.push((slot, member));
        slot
    }

    /// Forgets a victim.
    fn take(&mut self, slot: Slot) -> Option<Member> {
        let at = self.victims.iter().rposition(|&(victim, _)| victim == slot)?;
        Some(self.victims.swap_remove(at).1)
    }

    fn evict_small(&mut self) -> Option<Slot> {
        while let Some((slot, mut member)) = self.dequeue(false) {
            if member.frequency > 1 {
                member.in_main = true;
                member.frequency = 0;
                self.enqueue(slot, member);
            } else {
                return Some(self.give(slot, member));
            }
        }
        None
    }

    fn evict_main(&mut self) -> Option<Slot> {
        while let Some((slot, mut member)) = self.dequeue(true) {
            if member.frequency == 0 {
                return Some(self.give(slot, member));
            }
            member.frequency -= 1;
            self.enqueue(slot, member);
        }
        None
    }
}

impl Eviction for S3Fifo {
    fn on_insert(&mut self, slot: Slot, worth: &Worth) {
        let at = slot as usize;
        if at >= self.members.len() {
            room::fill(&mut self.members, at + 1, Member::default());
        }
        self.len += 1;
        let in_main = self.ghost_names.contains(&worth.hash);
        let member = Member { hash: worth.hash, bytes: worth.bytes, ticket: 0, frequency: 0, in_main };
        self.enqueue(slot, member);
    }

    fn on_learn(&mut self, _: Slot, _: &Worth) {}

    fn on_hit(&mut self, slot: Slot, _: &Worth) {
        let member = &mut self.members[slot as usize];
        member.frequency = (member.frequency + 1).min(MAX_FREQUENCY);
    }

    fn on_remove(&mut self, slot: Slot) {
        if self.leave(slot).is_some() {
            self.len -= 1;
        }
    }

    fn victim(&mut self, _: &Worth, _: &dyn Fn(Slot) -> Worth) -> Option<Slot> {
        let held = (self.small_bytes + self.main_bytes) as f64;
        if self.small_bytes as f64 >= self.small_share * held {
            self.evict_small().or_else(|| self.evict_main())
        } else {
            self.evict_main().or_else(|| self.evict_small())
        }
    }

    fn on_evict(&mut self, slot: Slot) {
        if let Some(member) = self.take(slot).filter(|member| !member.in_main) {
            self.remember(member.hash);
        }
    }

    fn on_return(&mut self, slot: Slot) {
        if let Some(member) = self.take(slot) {
            self.len += 1;
            let ticket = self.enter(slot, member);
            let queue = if member.in_main { &mut self.main } else { &mut self.small };
            queue.push_front((slot, ticket));
        }
    }

    fn watches_hits(&self) -> bool {
        true
    }

    fn remembers(&self) -> bool {
        false
    }

    fn copied(&self) -> Box<dyn Eviction> {
        Box::new(self.clone())
    }

    fn heap_bytes(&self) -> usize {
        (self.small.capacity() + self.main.capacity()) * size_of::<(Slot, u32)>()
            + self.ghosts.capacity() * 8
            + self.ghost_names.allocation_size()
            + self.members.capacity() * size_of::<Member>()
            + self.victims.capacity() * size_of::<(Slot, Member)>()
    }

    fn check(&self, resident: &[Slot]) {
        let live = self.members.iter().filter(|member| member.ticket != 0);
        assert!(self.victims.is_empty(), "a victim neither left nor stayed");
        assert_eq!(live.clone().count(), resident.len(), "members and residents disagree");
        assert_eq!(self.len, resident.len(), "length and residents disagree");
        let bytes = |main: bool| live.clone().filter(|m| m.in_main == main).map(|m| m.bytes).sum::<u64>();
        assert_eq!((self.small_bytes, self.main_bytes), (bytes(false), bytes(true)), "queue bytes");
        let queued = self.small.iter().chain(&self.main);
        let live_nodes = queued.filter(|(slot, ticket)| self.members[*slot as usize].ticket == *ticket);
        assert_eq!(live_nodes.count(), resident.len(), "each resident is queued once");
        assert_eq!(self.ghosts.len(), self.ghost_names.len(), "ghost names");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(hash: u64) -> Worth {
        Worth { hash, count: 1.0, value: 1.0, bytes: 1, given: None }
    }

    #[test]
    fn one_hit_wonders_leave_first_and_return_to_main() {
        let mut s3 = S3Fifo::new(0.1);
        for slot in 0..4 {
            s3.on_insert(slot, &worth(u64::from(slot)));
        }
        s3.on_hit(0, &worth(0));
        s3.on_hit(0, &worth(0));
        assert_eq!(s3.victim(&worth(9), &|_| worth(0)), Some(1), "0 was asked for twice and moved to main");
        s3.on_evict(1);
        s3.on_insert(1, &worth(1));
        assert!(s3.members[1].in_main, "its name was remembered");
        s3.check(&[0, 1, 2, 3]);
    }
    #[test]
    fn a_victim_that_stays_is_the_next_victim() {
        let mut s3 = S3Fifo::new(0.1);
        for slot in 0..3 {
            s3.on_insert(slot, &worth(u64::from(slot)));
        }
        let victim = |s3: &mut S3Fifo| s3.victim(&worth(9), &|_| worth(0));
        assert_eq!((victim(&mut s3), victim(&mut s3)), (Some(0), Some(1)));
        s3.on_return(1);
        s3.on_return(0);
        s3.check(&[0, 1, 2]);
        assert!(s3.ghosts.is_empty(), "nobody left");
        assert_eq!((victim(&mut s3), victim(&mut s3)), (Some(0), Some(1)));
        s3.on_evict(0);
        s3.on_evict(1);
        s3.check(&[2]);
    }
}
