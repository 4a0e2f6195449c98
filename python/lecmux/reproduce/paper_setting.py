"""One of the paper's set-ups, and what each rule and bound costs in it on one stream."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lecmux import Lec, Lfu, ValueOfInformation
from lecmux.policies import PlugIn
from lecmux.reproduce.offline import offline_cost, serve
from lecmux.reproduce.published import Published
from lecmux.reproduce.rule import COUNTED_FOR_EVER
from lecmux.sim import Artifact, ByCost, Guess, optimum, simulate
from lecmux.sim.traces import Trace
from lecmux.sim.traces._numpy import Floats, Models, np

__all__ = ["ARMS", "SELECTOR", "Setting", "Totals", "guesses"]

ARMS = (1, 0, None)
"""The models behind the paper's columns: the large one (model 1), the small one (model 2), the selector."""

SELECTOR = 2
"""The place of the last of them."""

_BOUNDS: dict[str, dict[str, Any]] = {
    "static": {},
    "cold": {"kind": "static_cold"},
    "dynamic": {"kind": "dynamic"},
    "warm": {"kind": "dynamic", "warm": True},
}
_BOUNDS_BY_MEANS: dict[str, dict[str, Any]] = {"static mean": {}, "cold mean": {"kind": "static_cold"}}

Totals = dict[str, float]
"""Total costs of one stream, by what was measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A set-up of the paper.

    Attributes:
        rows: the published ones.
        capacity: how many answers the cache holds.
        columns: what the paper calls its three ways to answer.
        law: draws the stream of a seed for a row.
        estimator: what "ours" learns with.
        evict: how "ours" ranks.
        cost_floor: what "ours" is told of the least cost.
        flags: whether the artifact sees which answers are right, as it does in its data sets.
        floor: what a policy would pay that knows nearly all; None where no such figure is known.
    """

    rows: tuple[Published, ...]
    capacity: int
    columns: tuple[str, str, str]
    law: Callable[[int, Published], Trace]
    estimator: ValueOfInformation
    evict: Lec = COUNTED_FOR_EVER
    cost_floor: float = 0.0
    flags: bool = False
    floor: Callable[[Trace, int], float] | None = None

    def totals(self, seed: int) -> Totals:
        """Replays the stream of `seed` for each law under each rule.

        Named "<row> | <rule> + <column>", or "<law> | <bound> + <column>".
        """
        found: Totals = {}
        laws: dict[str, Trace] = {}
        for row in self.rows:
            if row.law not in laws:
                trace = laws[row.law] = self.law(seed, row)
                found |= {f"{row.law} | {name}": cost for name, cost in self._bounds(trace).items()}
            trace = laws[row.law]
            for arm, column in zip(ARMS, self.columns, strict=True):
                costs = self._theirs(trace, row, arm, seed) | self._ours(trace, row, arm, seed)
                found |= {f"{row.name} | {rule} + {column}": cost for rule, cost in costs.items()}
        return found

    def _theirs(self, trace: Trace, row: Published, arm: int | None, seed: int) -> Totals:
        """The unchanged rule, with all that it sees."""
        if row.scenario == "offline":
            settings: dict[str, Any] = {"arm": arm, "accuracy": row.accuracy, "seed": seed}
            return {
                name: offline_cost(trace, self.capacity, by_count=by_count, **settings)
                for name, by_count in (("LFU", True), ("LEC", False))
            }
        seen = Artifact(trace.success if self.flags else None)  # type: ignore[arg-type]
        return {
            name: self._serve(trace, evict=evict, estimator=PlugIn(), feedback=seen, arm=arm)
            for name, evict in (("LFU", Lfu()), ("LEC", COUNTED_FOR_EVER))
        }

    def _ours(self, trace: Trace, row: Published, arm: int | None, seed: int) -> Totals:
        """LEC-V, which pays for what it sees, told of costs what the setting says; and as it comes."""
        told = {"evict": self.evict, "estimator": self.estimator, "cost_floor": self.cost_floor}
        if row.scenario == "online":
            return {
                "ours": self._serve(trace, arm=arm, **told),
                "default": self._serve(trace, arm=arm),
            }
        if arm is not None or row.accuracy >= 1:  # nothing is left to learn
            best = optimum(trace.queries, _of(trace, arm), self.capacity)  # type: ignore[arg-type]
            return {"ours": best, "default": best}
        advised: dict[str, Any] = {
            "resident": serve(trace, self.capacity, ByCost()).resident,
            "multiplexer": Guess(guesses(trace, row.accuracy, seed)),  # type: ignore[arg-type]
        }
        return {
            "ours": self._serve(trace, **told, **advised),
            "default": self._serve(trace, **advised),
        }

    def _serve(self, trace: Trace, **settings: Any) -> float:
        queries: Any = trace.queries
        costs: Any = trace.costs
        return simulate(queries, costs, capacity=self.capacity, **settings).total_cost

    def _bounds(self, trace: Trace) -> Totals:
        """In hindsight, with each request's cheapest model; "mean": with the model cheapest for its query."""
        found: Totals = {}
        for arm, column in zip(ARMS, self.columns, strict=True):
            asked: dict[str, Any] = {
                "queries": trace.queries,
                "costs": _of(trace, arm),
                "capacity": self.capacity,
            }
            found |= {f"{name} + {column}": optimum(**asked, **kind) for name, kind in _BOUNDS.items()}
        asked["means"] = trace.means
        for name, kind in _BOUNDS_BY_MEANS.items():
            found[f"{name} + {column}"] = optimum(**asked, **kind)
        if self.floor is not None:
            found[f"floor + {column}"] = self.floor(trace, self.capacity)
        return found


def guesses(trace: Trace, accuracy: float, seed: int) -> Models:
    """A selector's word on each query, int8 (Q,): the cheaper model for that share of them, drawn once."""
    assert trace.means is not None
    right = np.random.default_rng((seed, round(1000 * accuracy))).random(len(trace.means)) < accuracy
    word: Models = np.where(right, trace.means.argmin(axis=1), trace.means.argmax(axis=1)).astype(np.int8)
    return word


def _of(trace: Trace, arm: int | None) -> Floats:
    """Costs of the models that may be called."""
    return trace.costs if arm is None else np.ascontiguousarray(trace.costs[:, arm])
