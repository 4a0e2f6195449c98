"""What a fixed set costs that knows the stream: the targets that experiments divide by."""

from lecmux.sim.traces import Trace
from lecmux.sim.traces._numpy import np

__all__ = ["static"]


def static(trace: Trace, capacity: int) -> float:
    """Cost of the best fixed set of `capacity` answers, filled for nothing; a miss takes the best model."""
    total = np.bincount(trace.queries, trace.costs.min(axis=1))
    return float(total.sum() - np.sort(total)[-capacity:].sum())
