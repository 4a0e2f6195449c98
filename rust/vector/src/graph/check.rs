//! What holds after every operation.

use crate::graph::Graph;
use crate::graph::links::Links;
use crate::rows::Rows;

impl Graph {
    /// Panics unless every invariant holds.
    pub(crate) fn check(&self, rows: &Rows) {
        if let Err(what) = self.sound() {
            panic!("{what}");
        }
        if let Some(coded) = &self.coded {
            assert_eq!(coded.codes.len(), self.len(), "a code a node");
            coded.codes.check(rows, self.len());
            let mut apart = coded.sum.clone();
            let mut row = vec![0.0; rows.width()];
            for node in 0..self.len() {
                rows.read(node, &mut row);
                apart.iter_mut().zip(&row).for_each(|(sum, &value)| *sum -= f64::from(value));
            }
            assert!(apart.iter().all(|apart| apart.abs() < 1e-6), "the sum is that of the rows");
        }
    }

    /// What is wrong with the links, if anything.
    pub(crate) fn sound(&self) -> Result<(), &'static str> {
        let expect = |holds, what| if holds { Ok(()) } else { Err(what) };
        for (at, links) in self.levels.iter().enumerate() {
            links.sound(self.len())?;
            expect(at == 0 || links.len() > 0, "a level has nodes")?;
            let below = at.checked_sub(1).map(|below| &self.levels[below]);
            let known = |node| below.is_none_or(|below| below.contains(node));
            expect(links.nodes().all(known), "a node is on the levels below its own")?;
        }
        let top = self.levels.last().ok_or("there is a lowest level")?;
        expect(top.contains(self.entry) || self.len() == 0, "the entry is a node of the highest level")
    }
}

impl Links {
    /// What is wrong on this level, if anything, where nodes are numbered below `count`.
    fn sound(&self, count: usize) -> Result<(), &'static str> {
        let expect = |holds, what| if holds { Ok(()) } else { Err(what) };
        for node in self.nodes() {
            expect((node as usize) < count, "a node is a row")?;
            let list = self.of(node);
            for (at, &other) in list.iter().enumerate() {
                expect(self.contains(other), "a link points at a node of its level")?;
                expect(other != node, "no node is linked with itself")?;
                expect(!list[..at].contains(&other), "a link is there once")?;
                expect(self.linked(other, node), "a link goes both ways")?;
            }
        }
        expect(self.reached() == self.len(), "every node can be reached")
    }

    /// How many nodes any of them reaches.
    fn reached(&self) -> usize {
        let Some(start) = self.any() else { return 0 };
        let mut seen: hashbrown::HashSet<u32> = [start].into_iter().collect();
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            open.extend(self.of(node).into_iter().filter(|&next| seen.insert(next)));
        }
        seen.len()
    }
}
