"""Popularity by a power law, the way the paper's experiments draw it.

The exponent is no Zipf exponent: a variate of density alpha * x^(alpha - 1) on [0, 1] is cut into equal
parts, so alpha = 1 is uniform and a smaller alpha is more skewed.
"""

from lecmux.sim.traces._numpy import Floats, Ints, np

__all__ = ["draw_power_law", "power_law"]


def power_law(queries: int, alpha: float) -> Floats:
    """Probability of each query, ((i + 1) / Q)^alpha - (i / Q)^alpha, float64 (queries,)."""
    edges = (np.arange(queries + 1) / queries) ** alpha
    return np.diff(edges)


def draw_power_law(draws: np.random.RandomState, queries: int, alpha: float, requests: int) -> Ints:
    """Requests by that law, int64 (requests,), from numpy's legacy generator as the artifact uses it."""
    return (draws.power(alpha, requests) * queries).astype(np.int64)
