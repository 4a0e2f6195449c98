"""What a log costs over the size of the cache, and the best size once a stored byte has a price."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lecmux.sim._compare import POLICIES, Outcome, Progress, asked, in_parallel, replayed
from lecmux.sim._optimum import lower_bound

if TYPE_CHECKING:
    from lecmux.sim.traces import Log, Trace

__all__ = ["Point", "Sizing", "everything", "sizing"]

_POINTS = 12
_FINER_POINTS = 8


@dataclass(frozen=True, slots=True)
class Point:
    """One capacity, and what the log costs with it, with the router or the only model.

    Attributes:
        capacity: in the log's unit of size.
        policies: what calls cost under each policy.
        bound: what no policy goes below.
        storage: price of that capacity over the log; 0.0 where room has none.
    """

    capacity: int
    policies: dict[str, Outcome]
    bound: float
    storage: float

    @property
    def policy(self) -> str:
        """The cheapest policy, the first of equals."""
        return min(self.policies, key=lambda name: self.policies[name].cost)

    @property
    def total(self) -> float:
        """Calls under that policy, and storage."""
        return self.policies[self.policy].cost + self.storage


@dataclass(frozen=True, slots=True)
class Sizing:
    """The curve, ascending in capacity, and what no cache costs.

    Attributes:
        curve: the points tried.
        uncached: cost without a cache.
        best: the point with the least total; None where no cache is cheaper still.
    """

    curve: tuple[Point, ...]
    uncached: float
    best: Point | None


def everything(trace: "Trace") -> int:
    """Room for the largest answer to each query."""
    largest: dict[int, int] = {}
    sizes = [1] * trace.requests if trace.sizes is None else trace.sizes.tolist()
    for query, size in zip(trace.queries.tolist(), sizes, strict=True):
        largest[query] = max(size, largest.get(query, 0))
    return sum(largest.values())


def sizing(log: "Log", price: float, *, seed: int, progress: Progress) -> Sizing:
    """Tries sizes at even ratios from one answer to room for all; if room has a price, more about the best.

    Args:
        log: the log.
        price: of one unit of size over the whole log, in the unit of costs; 0.0 where room has none.
        seed: of the replays.
        progress: takes how many replays are done, and of how many.
    """
    most = everything(log.trace)
    one = max(1, most // (int(log.trace.queries.max()) + 1))
    tried = _points(log, _between(one, most, _POINTS), price, seed, progress)
    uncached = replayed(log.trace, 1, evict=None, arm=None, seed=seed).cost
    if price > 0.0:
        finer = _between(*_about_the_best(tried), _FINER_POINTS)
        tried |= _points(log, [each for each in finer if each not in tried], price, seed, progress)
    curve = tuple(tried[capacity] for capacity in sorted(tried))
    best = min(curve, key=lambda point: (point.total, point.capacity))
    return Sizing(curve, uncached, best if best.total < uncached else None)


def _about_the_best(tried: dict[int, Point]) -> tuple[int, int]:
    """The neighbours of the size with the least total."""
    ascending = sorted(tried)
    place = ascending.index(min(ascending, key=lambda capacity: tried[capacity].total))
    return ascending[max(0, place - 1)], ascending[min(place + 1, len(ascending) - 1)]


def _between(low: int, high: int, points: int) -> list[int]:
    """Whole numbers from `low` to `high` at even ratios."""
    ratio = (high / low) ** (1 / max(1, points - 1))
    return sorted({min(high, max(low, round(low * ratio**place))) for place in range(points)} | {low, high})


def _points(
    log: "Log", capacities: list[int], price: float, seed: int, progress: Progress
) -> dict[int, Point]:
    tasks = {capacity: partial(_point, log.trace, capacity, price, seed) for capacity in capacities}
    return in_parallel(tasks, progress)


def _point(trace: "Trace", capacity: int, price: float, seed: int) -> Point:
    outcomes = {
        name: replayed(trace, capacity, evict=evict, arm=None, seed=seed) for name, evict in POLICIES.items()
    }
    bound = lower_bound(**asked(trace, None), capacity=capacity)
    return Point(capacity, outcomes, bound, price * capacity)
