//! Intervals on a line, each worth something: those worth most of which no more than `places` overlap.
//!
//! Successive shortest paths. A unit of flow walks the line from start to end, by steps that cost nothing or by
//! intervals that pay their worth; each of `places` augmentations adds the path that pays most, taking back
//! intervals where another unit makes better use of them. Potentials keep the lengths of arcs non-negative, so
//! that a path is one run of Dijkstra, which stops at the end of the line.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Worths become whole multiples of about their sum over 2^60: finer than that sum in f64, and exact to
/// compare and subtract.
const SUM_BITS: i32 = 60;
const NONE: u32 = u32::MAX;

/// A line of nodes and the intervals between them; at most one starts and one ends at a node.
pub(super) struct Line {
    intervals: Vec<(usize, usize, f64)>,
    nodes: usize,
}

impl Line {
    /// A line of `nodes` nodes.
    pub(super) fn new(nodes: usize) -> Self {
        Self { intervals: Vec::new(), nodes }
    }

    /// Adds an interval from node `start` to the later node `end`.
    pub(super) fn interval(&mut self, start: usize, end: usize, worth: f64) {
        if worth > 0.0 {
            self.intervals.push((start, end, worth));
        }
    }

    /// The ends of the best intervals with at most `places` over any step.
    pub(super) fn best(&self, places: usize) -> Vec<usize> {
        let mut flow = Flow::new(self);
        for _ in 0..places {
            if !flow.augment() {
                break;
            }
        }
        flow.chosen()
    }

    /// The number of each node where an interval starts or ends, in their order; and those nodes.
    fn numbered(&self) -> (Vec<u32>, Vec<usize>) {
        let mut number = vec![NONE; self.nodes];
        for &(start, end, _) in &self.intervals {
            (number[start], number[end]) = (0, 0);
        }
        let nodes: Vec<usize> = (0..self.nodes).filter(|&node| number[node] == 0).collect();
        for (place, &node) in (0_u32..).zip(&nodes) {
            number[node] = place;
        }
        (number, nodes)
    }
}

/// How a path came to a node.
#[derive(Clone, Copy)]
enum Arc {
    /// By the step from the node before.
    Step,
    /// By taking back a step to the node after.
    StepBack,
    /// By the interval that ends here.
    Take,
    /// By taking back the interval that starts here.
    Drop,
}

/// The flow over those nodes of a line where an interval starts or ends.
struct Flow {
    /// The node of the line.
    nodes: Vec<usize>,
    /// Where the interval that starts here ends.
    ends: Vec<u32>,
    /// Where the interval that ends here starts.
    starts: Vec<u32>,
    /// Worth of the interval that starts here.
    worth: Vec<i64>,
    /// Whether it is chosen.
    chosen: Vec<bool>,
    /// Units on the step to the next node.
    steps: Vec<u32>,
    /// Distance from the first node, all shifted alike; a negative length is a gain.
    potential: Vec<i64>,
    search: Search,
}

/// One search's distances under the potentials; kept between searches for its memory.
struct Search {
    distance: Vec<i64>,
    arc: Vec<Arc>,
    reached: Vec<u32>,
    heap: BinaryHeap<Reverse<(i64, u32)>>,
    /// Nodes no farther than the one at hand; most are, and need no heap.
    near: Vec<u32>,
}

impl Flow {
    fn new(line: &Line) -> Self {
        let (number, nodes) = line.numbered();
        let count = nodes.len();
        let mut flow = Self {
            nodes,
            ends: vec![NONE; count],
            starts: vec![NONE; count],
            worth: vec![0; count],
            chosen: vec![false; count],
            steps: vec![0; count],
            potential: vec![0; count],
            search: Search::new(count),
        };
        let sum: f64 = line.intervals.iter().map(|&(.., worth)| worth).sum();
        for &(start, end, worth) in &line.intervals {
            let (start, end) = (number[start], number[end]);
            flow.ends[start as usize] = end;
            flow.starts[end as usize] = start;
            flow.worth[start as usize] = whole(worth, sum);
        }
        flow.measure();
        flow
    }

    /// Distances while nothing flows, when all arcs lead forward.
    fn measure(&mut self) {
        for at in 1..self.nodes.len() {
            let mut least = self.potential[at - 1];
            if let Some(start) = place(self.starts[at]) {
                least = least.min(self.potential[start] - self.worth[start]);
            }
            self.potential[at] = least;
        }
    }

    /// Sends one more unit along the path that pays most; false when none pays.
    fn augment(&mut self) -> bool {
        let Some(last) = self.nodes.len().checked_sub(1) else { return false };
        self.shortest_path(last);
        if self.potential[last] >= self.potential[0] {
            return false;
        }
        let mut at = last;
        while at > 0 {
            at = self.follow_back(at);
        }
        true
    }

    /// Dijkstra from the first node to `last`; potentials become distances under the present flow.
    fn shortest_path(&mut self, last: usize) {
        self.search.start();
        while let Some((at, distance)) = self.search.nearest() {
            if at == last {
                break;
            }
            self.relax(at, distance);
        }
        let farthest = self.search.distance[last];
        // Shifted by the distance of `last`, so that nodes at least as far stay as they are.
        for &at in &self.search.reached {
            let distance = &mut self.search.distance[at as usize];
            self.potential[at as usize] += (*distance).min(farthest) - farthest;
            *distance = i64::MAX;
        }
    }

    #[inline]
    fn relax(&mut self, at: usize, distance: i64) {
        let height = distance + self.potential[at];
        if at + 1 < self.nodes.len() {
            self.search.reach(at + 1, height - self.potential[at + 1], distance, Arc::Step);
        }
        if at > 0 && self.steps[at - 1] > 0 {
            self.search.reach(at - 1, height - self.potential[at - 1], distance, Arc::StepBack);
        }
        if let Some(end) = place(self.ends[at])
            && !self.chosen[at]
        {
            self.search.reach(end, height - self.worth[at] - self.potential[end], distance, Arc::Take);
        }
        if let Some(start) = place(self.starts[at])
            && self.chosen[start]
        {
            self.search.reach(start, height + self.worth[start] - self.potential[start], distance, Arc::Drop);
        }
    }

    /// Moves a unit over the arc by which the search came to `at`, and goes to where that began.
    fn follow_back(&mut self, at: usize) -> usize {
        match self.search.arc[at] {
            Arc::Step => {
                self.steps[at - 1] += 1;
                at - 1
            }
            Arc::StepBack => {
                self.steps[at] -= 1;
                at + 1
            }
            Arc::Take => {
                let start = self.starts[at] as usize;
                self.chosen[start] = true;
                start
            }
            Arc::Drop => {
                self.chosen[at] = false;
                self.ends[at] as usize
            }
        }
    }

    fn chosen(&self) -> Vec<usize> {
        let starts = (0..self.nodes.len()).filter(|&start| self.chosen[start]);
        starts.map(|start| self.nodes[self.ends[start] as usize]).collect()
    }
}

impl Search {
    fn new(count: usize) -> Self {
        Self {
            distance: vec![i64::MAX; count],
            arc: vec![Arc::Step; count],
            reached: Vec::new(),
            heap: BinaryHeap::new(),
            near: Vec::new(),
        }
    }

    fn start(&mut self) {
        self.reached.clear();
        self.heap.clear();
        self.near.clear();
        self.distance[0] = 0;
        self.reached.push(0);
        self.near.push(0);
    }

    /// The nearest node not looked at yet, and its distance.
    #[inline]
    fn nearest(&mut self) -> Option<(usize, i64)> {
        if let Some(at) = self.near.pop() {
            return Some((at as usize, self.distance[at as usize]));
        }
        while let Some(Reverse((distance, at))) = self.heap.pop() {
            if self.distance[at as usize] == distance {
                return Some((at as usize, distance));
            }
        }
        None
    }

    /// Comes to `at` with `distance`, from a node at distance `now`.
    #[inline]
    fn reach(&mut self, at: usize, distance: i64, now: i64, arc: Arc) {
        debug_assert!(distance >= now, "potentials keep lengths non-negative");
        let known = self.distance[at];
        if distance >= known {
            return;
        }
        let node = u32::try_from(at).unwrap_or(NONE);
        if known == i64::MAX {
            self.reached.push(node);
        }
        self.distance[at] = distance;
        self.arc[at] = arc;
        if distance == now {
            self.near.push(node);
        } else {
            self.heap.push(Reverse((distance, node)));
        }
    }
}

fn place(node: u32) -> Option<usize> {
    (node != NONE).then_some(node as usize)
}

/// `worth` in units of `sum` over 2^60.
#[expect(clippy::cast_possible_truncation, reason = "at most 2^60, and a fraction is rounded off")]
fn whole(worth: f64, sum: f64) -> i64 {
    (worth / sum * 2.0_f64.powi(SUM_BITS)).round() as i64
}
