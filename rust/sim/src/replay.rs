//! One trace, one policy, one estimator → what it cost.
//!
//! A request is counted, then looked up; a miss chooses a model, pays its cost, observes it, and offers the
//! answer to the cache at the worth believed after that observation.

use lecmux_core::error::Error;
use lecmux_core::shard::{Cost, NEVER, NewEntry, Shard, ShardConfig};

use crate::curve::{Curve, Recorder};
use crate::knowledge::Knowledge;
use crate::settings::{Estimates, Settings};
use crate::static_set::StaticSet;
use crate::trace::{Trace, place};

/// Bytes the shard may spend on one count of a key that is not resident: enough to keep all of them exactly.
const HISTORY_BYTES_A_KEY: usize = 256;
/// The choice of a request that called no model. Models are at most 64, so an `i8` holds both.
pub(crate) const HIT: i8 = -1;

/// What a replay cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Cost of all misses.
    pub total_cost: f64,
    /// Requests served from the cache.
    pub hits: u64,
    /// For each request the model called, -1 for a hit.
    pub choices: Vec<i8>,
    /// How the cost grew.
    pub curve: Curve,
    /// Queries resident at the end, ascending.
    pub resident: Vec<i64>,
}

/// Replays `trace` from an empty cache, or from a set that is held for good.
///
/// # Errors
/// [`Error::Config`] for a capacity of 0, an `arm` that is not there, settings out of range, the
/// artifact's feedback on more than two models, advice that does not fit the trace, or a resident set larger than
/// the capacity.
pub fn replay(trace: &Trace<'_>, settings: &Settings<'_>) -> Result<Replay, Error> {
    let mut run = Run::new(trace, settings)?;
    let mut choices = Vec::with_capacity(trace.len());
    let (mut total_cost, mut hits) = (0.0, 0);
    let mut curve = Recorder::new(trace.len());
    for at in 0..trace.len() {
        if let Some(model) = run.step(at)? {
            total_cost += trace.costs(at)[model];
            choices.push(i8::try_from(model).unwrap_or(i8::MAX));
        } else {
            hits += 1;
            choices.push(HIT);
        }
        curve.served(at + 1, total_cost);
    }
    Ok(Replay { total_cost, hits, choices, curve: curve.finish(), resident: run.resident() })
}

struct Run<'a> {
    trace: &'a Trace<'a>,
    settings: &'a Settings<'a>,
    shard: Shard<i64, ()>,
    knowledge: Knowledge<'a>,
    set: Option<StaticSet>,
    removed: Vec<(i64, ())>,
}

impl<'a> Run<'a> {
    fn new(trace: &'a Trace<'a>, settings: &'a Settings<'a>) -> Result<Self, Error> {
        let fail = |what: String| Err(Error::Config { what });
        if settings.capacity == 0 {
            return fail("capacity must be at least 1, not 0".into());
        }
        if let Some(arm) = settings.arm.filter(|&arm| arm >= trace.models()) {
            return fail(format!("arm {arm} is not among the {} models", trace.models()));
        }
        if settings.estimates == Estimates::InShard && settings.arm.is_none() && trace.models() > 1 {
            return fail("a cache without a router has one model: name the arm".into());
        }
        // At least as many keys as the trace can name, so that nothing is forgotten for lack of room.
        let keys = trace.len().max(1);
        let knowledge = Knowledge::new(trace, settings, keys)?;
        let shard = Shard::new(ShardConfig {
            budget: settings.capacity,
            overhead: 0,
            history_bytes: keys.saturating_mul(HISTORY_BYTES_A_KEY),
            policy: settings.policy.validate()?,
            decay: settings.decay,
            rescore: settings.rescore && settings.estimates == Estimates::InShard,
            estimator: settings.estimator,
            range: settings.range,
            tenant_share: 1.0,
        });
        let set = settings.resident.map(|ids| StaticSet::new(ids, trace, settings.capacity)).transpose()?;
        Ok(Self { trace, settings, shard, knowledge, set, removed: Vec::new() })
    }

    /// Serves request `at`; the model that was called, `None` for a hit.
    #[inline]
    fn step(&mut self, at: usize) -> Result<Option<usize>, Error> {
        let id = self.trace.ids()[at];
        let hash = self.hash(id);
        if self.set.as_ref().is_some_and(|set| set.holds(self.trace.query(at))) {
            return Ok(None);
        }
        if self.shard.request(hash, |&key| key == id, 0).is_some() {
            return Ok(None);
        }
        let (model, cost) = match self.settings.estimates {
            Estimates::Routed => self.route(hash, at)?,
            Estimates::InShard => {
                let arm = self.settings.arm.unwrap_or(0);
                (arm, Cost::Observed(self.trace.costs(at)[arm]))
            }
        };
        if self.set.is_some() {
            return Ok(Some(model));
        }
        let entry = NewEntry {
            hash,
            key: id,
            value: (),
            bytes: self.trace.size(at),
            cost,
            hit_cost: 0.0,
            given: None,
            expires_ms: NEVER,
            scope: "",
        };
        self.shard.put(entry, |&key| key == id, 0, &mut self.removed);
        self.removed.clear();
        Ok(Some(model))
    }

    fn hash(&self, id: i64) -> u64 {
        mix(id.cast_unsigned() ^ self.settings.seed.rotate_left(32))
    }

    fn route(&mut self, hash: u64, at: usize) -> Result<(usize, Cost), Error> {
        let count = self.shard.count(hash, |_| false);
        let model = self.knowledge.pick(hash, count, self.trace, at)?;
        self.knowledge.observe(hash, model, self.trace, at)?;
        if self.settings.rescore {
            self.rescore()?;
        }
        Ok((model, Cost::Bound(self.knowledge.value(hash, count, self.trace.query(at))?)))
    }

    /// What is held, ascending.
    fn resident(&self) -> Vec<i64> {
        if let Some(set) = &self.set {
            return set.ids();
        }
        let mut resident: Vec<i64> = self.shard.residents().map(|(&id, ..)| id).collect();
        resident.sort_unstable();
        resident
    }

    /// Gives every resident its worth under the beliefs of now. O(residents).
    fn rescore(&mut self) -> Result<(), Error> {
        let residents: Vec<(i64, f64)> =
            self.shard.residents().map(|(&id, (), view)| (id, view.count)).collect();
        for (id, count) in residents {
            let hash = self.hash(id);
            let worth = self.knowledge.value(hash, count, place(id))?;
            self.shard.revalue(hash, |&key| key == id, worth, 0.0, None);
        }
        Ok(())
    }
}

/// Spreads ids over all 64 bits (the finaliser of `SplitMix64`), so that equal high bits do not collide.
#[inline]
fn mix(id: u64) -> u64 {
    let id = (id ^ (id >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let id = (id ^ (id >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    id ^ (id >> 31)
}
