"""Answers of different sizes, for a budget in bytes rather than in entries.

The paper's rule divides by the size but its experiments have none (arXiv 2306.02003).
"""

from lecmux.sim.traces._numpy import np
from lecmux.sim.traces.trace import Trace
from lecmux.sim.traces.zipf import zipf_law

__all__ = ["sized"]


def sized(
    seed: int,
    *,
    requests: int = 40_000,
    queries: int = 200,
    zipf: float = 0.9,
    size_deviation: float = 1.0,
    cost_deviation: float = 0.5,
    cost_exponent: float = 0.5,
    median_size: float = 1000.0,
) -> Trace:
    """Zipf popularity; lognormal sizes; an answer costs more the longer it is, but not in proportion.

    A query's cost is (size / median)^exponent times a lognormal variate. Assumed, not measured: a call is
    paid for what goes in as well as for what comes out.

    Args:
        seed: of the stream.
        requests: T.
        queries: Q.
        zipf: exponent.
        size_deviation: of the logarithm of an answer's size.
        cost_deviation: of the logarithm of that variate.
        cost_exponent: how cost grows with size: 0 not at all, 1 in proportion.
        median_size: of the answers, which are whole numbers of at least 1.
    """
    draws = np.random.default_rng(seed)
    popularity = zipf_law(queries, zipf)[draws.permutation(queries)]
    lengths = draws.lognormal(0, size_deviation, queries)
    costs = draws.lognormal(0, cost_deviation, queries) * lengths**cost_exponent
    sizes = np.maximum(1, np.rint(median_size * lengths)).astype(np.int64)
    ids = draws.choice(queries, requests, p=popularity).astype(np.int64)
    return Trace(ids, costs[ids][:, None], sizes=sizes[ids], means=costs[:, None], popularity=popularity)
