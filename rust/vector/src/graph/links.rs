//! Who is linked with whom on one level: undirected, and never more than so many a node.
//!
//! A link has no direction, so a node that leaves knows all who point at it, and no second list has to agree with
//! the first. Every change keeps the level in one piece; the operations that take a link away say how.

use std::collections::VecDeque;

use hashbrown::HashSet;

use crate::graph::lists::{List, Lists};
use crate::ids::Ids;

/// Links between the nodes of one level.
pub(crate) struct Links {
    /// Its nodes; on the lowest level, where every node is, they need no list.
    members: Option<Ids>,
    /// By place: those that the node is linked with.
    lists: Lists,
}

impl Links {
    /// The lowest level.
    pub(crate) fn of_all(bound: usize) -> Self {
        Self { members: None, lists: Lists::new(bound) }
    }

    /// A level above it.
    pub(crate) fn of_some(bound: usize) -> Self {
        Self { members: Some(Ids::default()), lists: Lists::new(bound) }
    }

    /// Links a node has at most.
    pub(crate) fn bound(&self) -> usize {
        self.lists.bound()
    }

    /// Places for nodes: on the lowest level those count as well whose node is being moved.
    pub(crate) fn len(&self) -> usize {
        self.lists.len()
    }

    pub(crate) fn contains(&self, node: u32) -> bool {
        self.members.as_ref().map_or((node as usize) < self.len(), |ids| ids.slot(i64::from(node)).is_some())
    }

    /// Any node, the same for the same history.
    pub(crate) fn any(&self) -> Option<u32> {
        let first = self.members.as_ref().map_or(Some(&0), |ids| ids.as_slice().first());
        first.filter(|_| self.len() > 0).map(|&node| u32::try_from(node).expect("a node was put in"))
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|place| self.node_at(place))
    }

    /// Takes in a node without links; on the lowest level it is the next number.
    pub(crate) fn push(&mut self, node: u32) {
        match &mut self.members {
            None => debug_assert_eq!(node as usize, self.lists.len(), "nodes come in order"),
            Some(ids) => ids.push(i64::from(node)),
        }
        self.lists.fit(node);
        self.lists.push();
    }

    #[inline]
    pub(crate) fn of(&self, node: u32) -> List {
        self.lists.list(self.place(node))
    }

    /// Asks for the links of a node that will be read soon; the lowest level only.
    #[inline]
    pub(crate) fn prefetch(&self, node: u32) {
        if self.members.is_none() {
            self.lists.prefetch(node as usize);
        }
    }

    pub(crate) fn has_room(&self, node: u32) -> bool {
        self.of(node).len() < self.bound()
    }

    pub(crate) fn linked(&self, a: u32, b: u32) -> bool {
        self.of(a).contains(&b)
    }

    /// Links two nodes that have room and are not linked.
    pub(crate) fn link(&mut self, a: u32, b: u32) {
        debug_assert!(a != b && !self.linked(a, b), "a link is there once");
        for (node, other) in [(a, b), (b, a)] {
            let held = self.of(node).len();
            assert!(held < self.bound(), "a node has room for its links");
            self.lists.set(self.place(node), held, Some(other));
        }
    }

    /// Takes a link away. The caller knows of another way between the two, or is about to make one.
    pub(crate) fn unlink(&mut self, a: u32, b: u32) {
        for (node, other) in [(a, b), (b, a)] {
            let list = self.of(node);
            let end = list.len() - 1;
            let at = list.iter().position(|&each| each == other).expect("the two are linked");
            let place = self.place(node);
            self.lists.set(place, at, Some(list[end]));
            self.lists.set(place, end, None);
        }
    }

    /// Whether both are linked with a third node: then nothing comes apart when their own link goes.
    pub(crate) fn have_common(&self, a: u32, b: u32) -> bool {
        let others = self.of(b);
        self.of(a).iter().any(|third| others.contains(third))
    }

    /// Takes all links of a node away, and returns them; the level may be in pieces until they are joined.
    pub(crate) fn isolate(&mut self, node: u32) -> Vec<u32> {
        let others = self.of(node).to_vec();
        for &other in &others {
            self.unlink(node, other);
        }
        others
    }

    /// Takes out a node that has no links, on the lowest level the last.
    pub(crate) fn drop(&mut self, node: u32) {
        let place = self.place(node);
        debug_assert!(self.of(node).is_empty(), "links go before their node");
        if let Some(ids) = &mut self.members {
            ids.swap_remove(i64::from(node));
        } else {
            debug_assert_eq!(place + 1, self.len(), "the last goes");
        }
        self.lists.swap_remove(place);
    }

    /// Gives a node another number: on the lowest level one whose place is empty, above it one that is free.
    pub(crate) fn rename(&mut self, from: u32, to: u32) {
        let others = self.isolate(from);
        if self.members.is_some() {
            self.drop(from);
            self.push(to);
        }
        for other in others {
            self.link(to, other);
        }
    }

    /// Makes two nodes reach each other, whether or not they did. Whatever was linked before still is, by some way.
    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let a = self.room_near(a);
        let b = self.room_near(b);
        // The same node, or two that are linked: then they were in one piece.
        if a != b && !self.linked(a, b) {
            self.link(a, b);
        }
    }

    /// A node with room that `start` reaches. Where all are full there is a circle, and one of its links is let go.
    fn room_near(&mut self, start: u32) -> u32 {
        let mut seen: HashSet<u32> = [start].into_iter().collect();
        let mut queue = VecDeque::from([(start, start)]);
        while let Some((node, parent)) = queue.pop_front() {
            if self.has_room(node) {
                return node;
            }
            let closing = self.of(node).iter().find(|&&next| next != parent && seen.contains(&next)).copied();
            if let Some(next) = closing {
                self.unlink(node, next);
                return node;
            }
            for next in self.of(node) {
                seen.insert(next);
                queue.push_back((next, node));
            }
        }
        unreachable!("full lists of two and more close a circle")
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.lists.memory_bytes() + self.members.as_ref().map_or(0, Ids::memory_bytes)
    }

    pub(crate) fn members(&self) -> Option<&Ids> {
        self.members.as_ref()
    }

    /// A level of `members`, and by place who is linked with whom; [`super::check`] says whether that is sound.
    pub(crate) fn restored(mut self, members: Option<Ids>, links: &[Vec<u32>]) -> Self {
        self.members = members;
        let most = links.iter().flatten().max().copied().max(u32::try_from(links.len()).ok());
        self.lists.fit(most.unwrap_or(0));
        for (place, links) in links.iter().enumerate() {
            self.lists.push();
            for (at, &other) in links.iter().enumerate() {
                self.lists.set(place, at, Some(other));
            }
        }
        self
    }

    fn node_at(&self, place: usize) -> u32 {
        let node = self.members.as_ref().map(|ids| ids.as_slice()[place]);
        node.map_or_else(|| u32::try_from(place), u32::try_from).expect("a node was put in")
    }

    #[inline]
    fn place(&self, node: u32) -> usize {
        let Some(ids) = &self.members else { return node as usize };
        ids.slot(i64::from(node)).expect("the node is on this level")
    }
}
