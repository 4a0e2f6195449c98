//! Shadows that choose the half-life: key-only caches, one a half-life, over a hash sample of the keys.
//!
//! Each shadow runs the rule of `evict/lec.rs` with its own half-life on the sampled requests and pays the
//! worth of each miss, discounted with age. The live shard decays like the shadow that paid least. Half-lives
//! and the discount scale with the number of residents, since that is the time in which a cache turns over.
//! Up to [`ALL_BELOW`] residents every key is sampled.

use hashbrown::HashTable;

use crate::evict::order::Order;

/// Half-lives in requests a resident, slowest first; the first never decays.
const HALF_LIVES: [f64; 5] = [f64::INFINITY, 250.0, 75.0, 25.0, 7.5];
const SHADOWS: usize = HALF_LIVES.len();
/// All keys are sampled up to this many residents …
pub const ALL_BELOW: usize = 1000;
/// … and about this many residents' worth of keys beyond.
const SAMPLED: usize = 500;
/// Keys known a sampled resident; beyond, those longest unseen are forgotten.
const KNOWN_A_RESIDENT: usize = 8;
/// The discount of past miss cost loses half its weight in this many requests a resident.
const MEMORY: f64 = 35.0;
/// Shadows that paid up to this much of the least are as good.
const TOLERANCE: f64 = 1.01;
const RESCALE_ABOVE: f64 = 1e30;

#[derive(Clone, Copy, Debug)]
struct Known {
    hash: u64,
    at: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    hash: u64,
    seen: u64,
    density: f64,
    counts: [f64; SHADOWS],
    resident: [bool; SHADOWS],
}

#[derive(Debug)]
struct Shadow {
    weight: f64,
    growth: f64,
    paid: f64,
    order: Order,
}

/// The shadows of one shard.
#[derive(Debug)]
pub struct Shadows {
    names: HashTable<Known>,
    rows: Vec<Row>,
    shadows: [Shadow; SHADOWS],
    /// Residents the scales were last set for.
    scaled_for: usize,
    /// Residents a shadow may hold.
    capacity: usize,
    /// A key is sampled when its top 16 bits fall below this; 65,536 samples all.
    below: u64,
    retain: f64,
    requests: u64,
    chosen: usize,
}

impl Default for Shadows {
    fn default() -> Self {
        let shadow = || Shadow { weight: 1.0, growth: 1.0, paid: 0.0, order: Order::default() };
        Self {
            names: HashTable::new(),
            rows: Vec::new(),
            shadows: std::array::from_fn(|_| shadow()),
            scaled_for: 0,
            capacity: 0,
            below: 1 << 16,
            retain: 1.0,
            requests: 0,
            chosen: 0,
        }
    }
}

impl Shadows {
    /// Whether the key of `hash` belongs to the sample.
    #[inline]
    pub fn samples(&self, hash: u64) -> bool {
        sampled_below(hash, self.below)
    }

    /// Replays one sampled request in every shadow; returns the half-life to use, in requests.
    pub fn request(&mut self, hash: u64, density: f64, residents: usize) -> f64 {
        if self.scaled_for * 4 < residents * 3 || residents * 4 < self.scaled_for * 3 {
            self.scale(residents);
        }
        self.requests += 1;
        let at = self.row(hash);
        self.rows[at as usize].density = density;
        for index in 0..SHADOWS {
            self.replay(index, at, density);
        }
        self.choose();
        HALF_LIVES[self.chosen] * self.scaled_for as f64
    }

    /// Heap bytes held.
    pub fn heap_bytes(&self) -> usize {
        self.names.allocation_size()
            + self.rows.capacity() * size_of::<Row>()
            + self.shadows.iter().map(|shadow| shadow.order.heap_bytes()).sum::<usize>()
    }

    fn replay(&mut self, index: usize, at: u32, density: f64) {
        let shadow = &mut self.shadows[index];
        shadow.weight *= shadow.growth;
        shadow.paid *= self.retain;
        let row = &mut self.rows[at as usize];
        row.counts[index] += shadow.weight;
        let score = row.counts[index] * density;
        if row.resident[index] {
            shadow.order.set(at, score);
        } else {
            shadow.paid += density;
            if shadow.order.len() < self.capacity {
                row.resident[index] = true;
                shadow.order.set(at, score);
            } else if let Some((lowest, floor)) = shadow.order.lowest()
                && score > floor
            {
                shadow.order.pop_lowest();
                shadow.order.set(at, score);
                self.rows[at as usize].resident[index] = true;
                self.rows[lowest as usize].resident[index] = false;
            }
        }
        if self.shadows[index].weight > RESCALE_ABOVE {
            self.rescale(index);
        }
    }

    fn rescale(&mut self, index: usize) {
        let shadow = &mut self.shadows[index];
        let factor = 1.0 / shadow.weight;
        shadow.weight = 1.0;
        shadow.order.rescale(factor);
        self.rows.iter_mut().for_each(|row| row.counts[index] *= factor);
    }

    /// The slowest half-life that paid about the least: noise alone must not throw counts away.
    fn choose(&mut self) {
        let least = self.shadows.iter().map(|shadow| shadow.paid).fold(f64::INFINITY, f64::min);
        let good = |shadow: &Shadow| shadow.paid <= TOLERANCE * least;
        self.chosen = self.shadows.iter().position(good).unwrap_or(0);
    }

    /// The row of `hash`, new when unknown.
    fn row(&mut self, hash: u64) -> u32 {
        if self.names.find(hash, |known| known.hash == hash).is_none() {
            if self.rows.len() >= KNOWN_A_RESIDENT * self.capacity.max(8) {
                self.forget_unseen();
            }
            let at = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            self.rows.push(Row { hash, ..Row::default() });
            self.names.insert_unique(hash, Known { hash, at }, |known| known.hash);
        }
        let at = self.names.find(hash, |known| known.hash == hash).map_or(0, |known| known.at);
        self.rows[at as usize].seen = self.requests;
        at
    }

    /// Keeps the residents of any shadow (at most 5 in 8 rows) and the quarter of the rows seen last.
    fn forget_unseen(&mut self) {
        let mut seen: Vec<u64> = self.rows.iter().map(|row| row.seen).collect();
        let oldest_kept = seen.len() - seen.len() / 4;
        let last = seen.len() - 1;
        let (_, &mut since, _) = seen.select_nth_unstable(oldest_kept.min(last));
        self.keep(|row| row.seen >= since || row.resident.contains(&true));
    }

    /// Drops the other rows and numbers the kept ones anew.
    fn keep(&mut self, kept: impl Fn(&Row) -> bool) {
        self.rows.retain(kept);
        self.names.clear();
        self.shadows.iter_mut().for_each(|shadow| shadow.order = Order::default());
        for (at, row) in (0u32..).zip(&self.rows) {
            self.names.insert_unique(row.hash, Known { hash: row.hash, at }, |known| known.hash);
            for (index, shadow) in self.shadows.iter_mut().enumerate().filter(|(index, _)| row.resident[*index]) {
                shadow.order.set(at, row.counts[index] * row.density);
            }
        }
    }

    /// Sets sample, capacity and half-lives for a shard of `residents`.
    fn scale(&mut self, residents: usize) {
        let share = if residents <= ALL_BELOW { 1.0 } else { SAMPLED as f64 / residents as f64 };
        self.scaled_for = residents;
        self.below = (share * 65_536.0).ceil() as u64;
        self.capacity = ((residents as f64 * share).round() as usize).max(1);
        let sampled = self.capacity as f64;
        self.retain = (-1.0 / (MEMORY * sampled)).exp2();
        let below = self.below;
        self.keep(|row| sampled_below(row.hash, below));
        for (index, shadow) in self.shadows.iter_mut().enumerate() {
            shadow.growth = (1.0 / (HALF_LIVES[index] * sampled)).exp2();
            while shadow.order.len() > self.capacity
                && let Some((at, _)) = shadow.order.pop_lowest()
            {
                self.rows[at as usize].resident[index] = false;
            }
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
        ((200.0 * x * x * x) as u64 + offset).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn stationary_requests_do_not_decay_and_drifting_ones_do() {
        let (mut still, mut moving) = (Shadows::default(), Shadows::default());
        let (mut a, mut b) = (1, 1);
        let (mut slow, mut fast) = (0, 0);
        for time in 0..40_000u64 {
            slow += u32::from(still.request(key(&mut a, 0), 1.0, 20) == f64::INFINITY);
            fast += u32::from(moving.request(key(&mut b, time / 1000 * 1000), 1.0, 20) < 5000.0);
        }
        assert!(slow > 30_000, "no decay in {slow} of 40,000 stationary requests");
        assert!(fast > 30_000, "decay in {fast} of 40,000 drifting requests");
    }

    #[test]
    fn memory_is_bounded_and_the_sample_thins_out() {
        let mut shadows = Shadows::default();
        let mut state = 3;
        let mut replayed = 0;
        for residents in [100, 1000, 50_000] {
            for _ in 0..30_000 {
                let hash = draw(&mut state);
                if shadows.samples(hash) {
                    replayed += u32::from(residents == 50_000);
                    shadows.request(hash, 1.0, residents);
                }
                assert!(shadows.rows.len() <= KNOWN_A_RESIDENT * shadows.capacity.max(8));
            }
        }
        assert!((100..1500).contains(&replayed), "{replayed} of 30,000 requests replayed at 1 %");
    }
}
