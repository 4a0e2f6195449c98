"""What a fixed set costs that knows the stream: the targets that experiments divide by."""

from lecmux.sim import optimum
from lecmux.sim.traces import Trace

__all__ = ["static", "static_cold_known_means"]


def static(trace: Trace, capacity: int) -> float:
    """Cost of the best fixed set, filled for nothing; where sizes differ, of the exact knapsack."""
    # numpy's arrays are buffers, which its stubs say from Python 3.12 on only; here and below.
    return optimum(trace.queries, trace.costs, capacity, sizes=trace.sizes)  # type: ignore[arg-type]


def static_cold_known_means(trace: Trace, capacity: int) -> float:
    """Cost of the best fixed set whose members pay their first request.

    Each request takes the model that the law makes cheapest for its query on the mean: the fair target for
    any selector, which cannot know the noise of a request.
    """
    return optimum(
        trace.queries,  # type: ignore[arg-type]
        trace.costs,  # type: ignore[arg-type]
        capacity,
        kind="static_cold",
        means=trace.means,  # type: ignore[arg-type]
        sizes=trace.sizes,  # type: ignore[arg-type]
    )
