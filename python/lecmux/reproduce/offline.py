"""The paper's offline protocol: a set chosen beforehand from the very stream that it then serves.

As the public artifact of arXiv 2306.02003 runs it (`inferband/server.py`, scenario "offline"): popularity
and costs are those of the stream itself, of both models, the set is held from the start for nothing, and
what is missed pays one model, the other, or what a selector picks. The selector sees each request's own
costs, noise included; a coin a miss decides whether it takes the lesser or the greater.
"""

from lecmux.sim.traces import Trace
from lecmux.sim.traces._numpy import Floats, Ints, np

__all__ = ["held_set", "offline_cost", "selector_costs"]


def held_set(trace: Trace, costs: Floats, capacity: int, *, by_count: bool) -> Ints:
    """Queries with the largest count, or with the largest sum of `costs`, int64 (at most `capacity`,).

    Of equals, those that are asked first; those that are never asked are left out.

    Args:
        trace: the stream.
        costs: of each request, (T,).
        capacity: how many to hold.
        by_count: LFU in place of LEC.
    """
    asked, first, counts = np.unique(trace.queries, return_index=True, return_counts=True)
    worth = counts if by_count else np.bincount(trace.queries, costs)[asked]
    order = np.lexsort((first, -worth))
    return asked[order[:capacity]]


def selector_costs(trace: Trace, missed: Ints, accuracy: float, seed: int) -> Floats:
    """What a selector of that accuracy pays at each request of `missed`, (len(missed),).

    Its coins are the artifact's, which seeds the generator again with the stream's own seed before serving.
    """
    coins = np.random.RandomState(seed).uniform(0, 1, len(missed)) < accuracy
    lesser: Floats = trace.costs[missed].min(axis=1)
    greater: Floats = trace.costs[missed].max(axis=1)
    return np.where(coins, lesser, greater)


def offline_cost(
    trace: Trace, capacity: int, *, arm: int | None, by_count: bool, accuracy: float = 1.0, seed: int = 0
) -> float:
    """Total cost of the stream.

    Args:
        trace: the stream.
        capacity: how many answers to hold.
        arm: the only model to call; None for the selector.
        by_count: LFU in place of LEC. LEC ranks by what an infallible selector would pay, whatever the
            accuracy.
        accuracy: share of misses at which the selector is right.
        seed: of its coins.
    """
    costs = trace.costs.min(axis=1) if arm is None else trace.costs[:, arm]
    held = held_set(trace, costs, capacity, by_count=by_count)
    missed = np.flatnonzero(~np.isin(trace.queries, held)).astype(np.int64)
    if arm is not None or accuracy >= 1:
        return float(costs[missed].sum())
    return float(selector_costs(trace, missed, accuracy, seed).sum())
