//! Shadows that choose the half-life: key-only caches, one a half-life, over a hash sample of the keys.
//!
//! Each shadow runs the rule of `evict/lec.rs` with its own half-life on the sampled requests and pays the
//! worth of each miss, discounted with age. The live shard decays like the slowest shadow that paid about the
//! least. Half-lives and the discount scale with the number of residents, since that is the time in which a
//! cache turns over. Every key is sampled up to [`ALL_BELOW`] residents, where the memory allowed permits.

use hashbrown::HashTable;

use crate::number::{narrow, whole};

/// Half-lives in requests a resident, slowest first; the first never decays.
const HALF_LIVES: [f64; 5] = [f64::INFINITY, 250.0, 75.0, 25.0, 7.5];
const SHADOWS: usize = HALF_LIVES.len();
/// All keys are sampled up to this many residents …
pub const ALL_BELOW: usize = 1000;
/// … and about this many residents' worth of keys beyond.
const SAMPLED: usize = 500;
/// Keys known a sampled resident; beyond, those longest unseen are forgotten. Residents of all shadows fit.
const KNOWN_A_RESIDENT: usize = 8;
/// The discount of past miss cost loses half its weight in this many requests a resident.
const MEMORY: f64 = 35.0;
/// Shadows that paid up to this much of the least are as good.
const TOLERANCE: f64 = 1.003;
/// Weights above this are scaled back; f32 counts reach 3 · 10^38.
const RESCALE_ABOVE: f64 = 1e20;
/// Memory a sampled resident takes at most: its rows, their names, and a node in each shadow.
const BYTES_A_RESIDENT: usize = KNOWN_A_RESIDENT * (size_of::<Row>() + 12) + SHADOWS * size_of::<Node>();

/// A key of the sample.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    hash: u64,
    /// When it was asked for last, in sampled requests (wrapping).
    seen: u32,
    density: f32,
    counts: [f32; SHADOWS],
    /// Bit `i`: resident in shadow `i`.
    resident: u8,
}

/// A resident of a shadow; its score may have risen since.
#[derive(Clone, Copy, Debug)]
struct Node {
    score: f32,
    row: u32,
}

#[derive(Debug)]
struct Shadow {
    weight: f64,
    growth: f64,
    paid: f64,
    /// A binary heap, lowest score first.
    heap: Vec<Node>,
}

/// The shadows of one shard.
#[derive(Debug)]
pub struct Shadows {
    /// Row numbers by hash.
    names: HashTable<u32>,
    rows: Vec<Row>,
    caches: [Shadow; SHADOWS],
    /// Residents the scales were last set for.
    scaled_for: usize,
    /// Residents that memory allows in a shadow.
    affordable: usize,
    /// Residents a shadow may hold.
    capacity: usize,
    /// A key is sampled when its top 16 bits fall below this; 65,536 samples all.
    below: u64,
    retain: f64,
    requests: u32,
    chosen: usize,
}

impl Shadows {
    /// Shadows that take at most about `bytes`.
    #[must_use]
    pub fn within(bytes: usize) -> Self {
        let shadow = || Shadow { weight: 1.0, growth: 1.0, paid: 0.0, heap: Vec::new() };
        Self {
            names: HashTable::new(),
            rows: Vec::new(),
            caches: std::array::from_fn(|_| shadow()),
            scaled_for: 0,
            affordable: bytes / BYTES_A_RESIDENT,
            capacity: 0,
            below: 1 << 16,
            retain: 1.0,
            requests: 0,
            chosen: 0,
        }
    }

    /// Whether the key of `hash` belongs to the sample.
    #[inline]
    #[must_use]
    pub fn samples(&self, hash: u64) -> bool {
        sampled_below(hash, self.below)
    }

    /// Replays one sampled request in every shadow; returns the half-life to use, in requests.
    pub fn request(&mut self, hash: u64, density: f64, residents: usize) -> f64 {
        // A cache that was emptied has none for a moment; a sample of nothing would never be asked again.
        let residents = residents.max(1);
        if self.scaled_for * 4 < residents * 3 || residents * 4 < self.scaled_for * 3 {
            self.scale(residents);
        }
        if self.capacity == 0 {
            return f64::INFINITY;
        }
        self.requests = self.requests.wrapping_add(1);
        let row = self.row(hash);
        self.rows[row as usize].density = narrow(density);
        for index in 0..SHADOWS {
            self.replay(index, row);
        }
        self.choose();
        HALF_LIVES[self.chosen] * self.scaled_for as f64
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let nodes: usize = self.caches.iter().map(|shadow| shadow.heap.capacity()).sum();
        self.names.allocation_size() + self.rows.capacity() * size_of::<Row>() + nodes * size_of::<Node>()
    }

    fn replay(&mut self, index: usize, at: u32) {
        let Self { rows, caches, .. } = self;
        let shadow = &mut caches[index];
        shadow.weight *= shadow.growth;
        shadow.paid *= self.retain;
        let row = &mut rows[at as usize];
        row.counts[index] += narrow(shadow.weight);
        if row.resident & (1 << index) == 0 {
            shadow.paid += f64::from(row.density);
            let score = row.score(index);
            shadow.admit(rows, index, Node { score, row: at }, self.capacity);
        }
        if self.caches[index].weight > RESCALE_ABOVE {
            self.rescale(index);
        }
    }

    fn rescale(&mut self, index: usize) {
        let shadow = &mut self.caches[index];
        let factor = narrow(1.0 / shadow.weight);
        shadow.weight = 1.0;
        shadow.heap.iter_mut().for_each(|node| node.score *= factor);
        self.rows.iter_mut().for_each(|row| row.counts[index] *= factor);
    }

    /// The slowest half-life that paid about the least: noise alone must not throw counts away.
    fn choose(&mut self) {
        let least = self.caches.iter().map(|shadow| shadow.paid).fold(f64::INFINITY, f64::min);
        let good = |shadow: &Shadow| shadow.paid <= TOLERANCE * least;
        self.chosen = self.caches.iter().position(good).unwrap_or(0);
    }

    /// The row of `hash`, new when unknown.
    fn row(&mut self, hash: u64) -> u32 {
        let rows = &self.rows;
        if let Some(&at) = self.names.find(hash, |&at| rows[at as usize].hash == hash) {
            self.rows[at as usize].seen = self.requests;
            return at;
        }
        if self.rows.len() >= KNOWN_A_RESIDENT * self.capacity {
            self.forget_unseen();
        }
        let at = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push(Row { hash, seen: self.requests, ..Row::default() });
        let rows = &self.rows;
        self.names.insert_unique(hash, at, |&at| rows[at as usize].hash);
        at
    }

    /// Keeps the residents of any shadow (at most 5 in 8 rows) and the quarter of the rows seen last.
    fn forget_unseen(&mut self) {
        let now = self.requests;
        let mut ages: Vec<u32> = self.rows.iter().map(|row| now.wrapping_sub(row.seen)).collect();
        let quarter = ages.len() / 4;
        let (_, &mut oldest, _) = ages.select_nth_unstable(quarter);
        self.keep(|row| now.wrapping_sub(row.seen) < oldest || row.resident != 0);
    }

    /// Drops the other rows and numbers the kept ones anew.
    fn keep(&mut self, kept: impl Fn(&Row) -> bool) {
        self.rows.retain(kept);
        self.names.clear();
        self.caches.iter_mut().for_each(|shadow| shadow.heap.clear());
        for (at, row) in (0u32..).zip(&self.rows) {
            let rows = &self.rows;
            self.names.insert_unique(row.hash, at, |&at| rows[at as usize].hash);
            for (index, shadow) in self.caches.iter_mut().enumerate() {
                if row.resident & (1 << index) != 0 {
                    shadow.push(Node { score: row.score(index), row: at });
                }
            }
        }
    }

    /// Sets sample, capacity and half-lives for a shard of `residents`.
    fn scale(&mut self, residents: usize) {
        let wanted = if residents <= ALL_BELOW { residents } else { SAMPLED };
        self.scaled_for = residents;
        self.capacity = wanted.min(self.affordable);
        let share = self.capacity as f64 / residents.max(1) as f64;
        self.below = whole((share * 65_536.0).ceil());
        let sampled = self.capacity as f64;
        self.retain = (-1.0 / (MEMORY * sampled)).exp2();
        let below = self.below;
        self.keep(|row| sampled_below(row.hash, below));
        for (index, shadow) in self.caches.iter_mut().enumerate() {
            shadow.growth = (1.0 / (HALF_LIVES[index] * sampled)).exp2();
            while shadow.heap.len() > self.capacity {
                shadow.drop_lowest(&mut self.rows, index);
            }
        }
        self.take_room();
    }

    /// Takes exactly the memory that the capacity asks for: growth by doubling would exceed what is allowed.
    fn take_room(&mut self) {
        let Self { names, rows, .. } = self;
        let most = KNOWN_A_RESIDENT * self.capacity;
        rows.shrink_to(most);
        rows.reserve_exact(most.saturating_sub(rows.len()));
        names.shrink_to(most, |&at| rows[at as usize].hash);
        for Shadow { heap, .. } in &mut self.caches {
            heap.shrink_to(self.capacity);
            heap.reserve_exact(self.capacity.saturating_sub(heap.len()));
        }
    }
}

impl Row {
    fn score(&self, index: usize) -> f32 {
        self.counts[index] * self.density
    }
}

impl Shadow {
    /// The rule of the paper: room, or a score strictly above the lowest.
    fn admit(&mut self, rows: &mut [Row], index: usize, node: Node, capacity: usize) {
        if self.heap.len() >= capacity {
            if self.lowest(rows, index).is_none_or(|lowest| node.score <= lowest.score) {
                return;
            }
            self.drop_lowest(rows, index);
        }
        rows[node.row as usize].resident |= 1 << index;
        self.push(node);
    }

    /// The node with the lowest score of now: scores only rise with requests, so only the top needs a look.
    fn lowest(&mut self, rows: &[Row], index: usize) -> Option<Node> {
        loop {
            let top = self.heap.first_mut()?;
            let score = rows[top.row as usize].score(index);
            if score <= top.score {
                return Some(*top);
            }
            top.score = score;
            self.sink();
        }
    }

    fn drop_lowest(&mut self, rows: &mut [Row], index: usize) {
        let Some(lowest) = self.lowest(rows, index) else { return };
        rows[lowest.row as usize].resident &= !(1 << index);
        self.heap.swap_remove(0);
        self.sink();
    }

    fn push(&mut self, node: Node) {
        let mut at = self.heap.len();
        self.heap.push(node);
        while at > 0 && node.score < self.heap[(at - 1) / 2].score {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    /// Lets the top sink to its place.
    fn sink(&mut self) {
        let mut at = 0;
        loop {
            let children = [2 * at + 1, 2 * at + 2];
            let score = |at: usize| self.heap.get(at).map_or(f32::INFINITY, |node| node.score);
            let least = if score(children[1]) < score(children[0]) { children[1] } else { children[0] };
            if score(least) >= score(at) {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }
}

fn sampled_below(hash: u64, below: u64) -> bool {
    // Mixed again: the bits of the hash itself choose shard and bucket.
    hash.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 48 < below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// xorshift64*, enough to draw keys with.
    fn draw(state: &mut u64) -> u64 {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Keys of the skewed law i = floor(200 x^3), moved by `offset`.
    fn key(state: &mut u64, offset: u64) -> u64 {
        let x = (draw(state) >> 11) as f64 / (1u64 << 53) as f64;
        (whole(200.0 * x * x * x) + offset).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn stationary_requests_do_not_decay_and_drifting_ones_do() {
        let (mut still, mut moving) = (Shadows::within(1 << 20), Shadows::within(1 << 20));
        let (mut a, mut b) = (1, 1);
        let (mut slow, mut fast) = (0, 0);
        for time in 0..40_000u64 {
            slow += u32::from(still.request(key(&mut a, 0), 1.0, 20) >= 1500.0);
            fast += u32::from(moving.request(key(&mut b, time / 1000 * 1000), 1.0, 20) < 5000.0);
        }
        assert!(slow > 30_000, "little decay in {slow} of 40,000 stationary requests");
        assert!(fast > 30_000, "decay in {fast} of 40,000 drifting requests");
    }

    #[test]
    fn memory_is_bounded_and_the_sample_thins_out() {
        let bytes = 300_000;
        let mut shadows = Shadows::within(bytes);
        let mut state = 3;
        let mut replayed = 0;
        for residents in [100, 1000, 50_000] {
            for _ in 0..30_000 {
                let hash = draw(&mut state);
                if shadows.samples(hash) {
                    replayed += u32::from(residents == 50_000);
                    shadows.request(hash, 1.0, residents);
                }
                assert!(shadows.rows.len() <= KNOWN_A_RESIDENT * shadows.capacity);
                assert!(shadows.heap_bytes() <= 2 * bytes, "{} bytes", shadows.heap_bytes());
            }
        }
        assert!((100..1500).contains(&replayed), "{replayed} of 30,000 requests replayed at 1 %");
    }

    #[test]
    fn an_emptied_cache_is_tuned_again() {
        let mut shadows = Shadows::within(1 << 20);
        let mut state = 5;
        for residents in [20, 0, 20] {
            for _ in 0..200 {
                let hash = key(&mut state, 0);
                assert!(shadows.samples(hash), "{residents} residents");
                shadows.request(hash, 1.0, residents);
            }
        }
    }

    #[test]
    fn scores_stay_numbers_at_extreme_worths() {
        let mut shadows = Shadows::within(1 << 20);
        for round in 0..40_000_u64 {
            let (hash, density) = if round == 0 { (9, f64::MAX) } else { (round % 9, 0.0) };
            shadows.request(hash, density, 1 + usize::from(round < 100));
        }
        assert!(shadows.caches.iter().flat_map(|shadow| &shadow.heap).all(|node| !node.score.is_nan()));
    }
}
