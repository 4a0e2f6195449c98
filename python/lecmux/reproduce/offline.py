"""The paper's offline protocol with the very coins of its public artifact (arXiv 2306.02003).

The artifact seeds numpy's generator with the stream's own seed again before it serves
(`inferband/server.py`), so its selector's coins can be thrown once more.
"""

from typing import Any

from lecmux.sim import HIT, ByCost, ByCount, SimResult, offline
from lecmux.sim.traces import Trace
from lecmux.sim.traces._numpy import Floats, Ints, np

__all__ = ["coined", "missed", "offline_cost", "serve"]


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
    run = serve(trace, capacity, ByCount() if by_count else ByCost(), arm)
    return run.total_cost if arm is not None or accuracy >= 1 else coined(trace, missed(run), accuracy, seed)


def serve(trace: Trace, capacity: int, rank: ByCost | ByCount, arm: int | None = None) -> SimResult:
    """The stream from the set that `rank` chooses in hindsight, with an infallible selector or one model."""
    buffers: dict[str, Any] = {"queries": trace.queries, "costs": trace.costs}
    return offline(**buffers, capacity=capacity, rank=rank, arm=arm)


def missed(run: SimResult) -> Ints:
    """Places of the requests that were not served from the cache, int64."""
    return np.flatnonzero(np.asarray(run.choices) != HIT).astype(np.int64)


def coined(trace: Trace, places: Ints, accuracy: float, seed: int) -> float:
    """What a selector pays that takes the lesser cost where its coin is right, and else the greater."""
    coins = np.random.RandomState(seed).uniform(0, 1, len(places)) < accuracy
    costs: Floats = trace.costs[places]
    return float(np.where(coins, costs.min(axis=1), costs.max(axis=1)).sum())
