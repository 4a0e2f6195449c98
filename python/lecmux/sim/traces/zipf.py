"""Popularity by Zipf's law."""

from lecmux.sim.traces._numpy import Floats, np

__all__ = ["zipf_law"]


def zipf_law(queries: int, exponent: float) -> Floats:
    """Probability of the query of each rank, in proportion to rank^-exponent, float64 (queries,)."""
    weights: Floats = 1 / np.arange(1, queries + 1) ** exponent
    shares: Floats = weights / weights.sum()
    return shares
