"""What people ask moves: popularity is dealt anew every so many requests.

The paper (arXiv 2306.02003) has no such stream: its requests are independent and from one law, and its counts
never forget.
One model and one cost a query, so that nothing but the counts is to be learnt.
"""

from lecmux.sim.traces._numpy import np
from lecmux.sim.traces.trace import Trace
from lecmux.sim.traces.zipf import zipf_law

__all__ = ["drift"]


def drift(
    seed: int,
    *,
    every: int | None,
    requests: int = 40_000,
    queries: int = 200,
    zipf: float = 0.9,
    cost_deviation: float = 1.0,
) -> Trace:
    """Zipf popularity whose ranks are dealt to the queries anew, all of them, every `every` requests.

    Args:
        seed: of the stream.
        every: D, requests between two deals; None deals once.
        requests: T.
        queries: Q.
        zipf: exponent.
        cost_deviation: of the logarithm of a query's cost, which is lognormal with median 1.
    """
    draws = np.random.default_rng(seed)
    law, costs = zipf_law(queries, zipf), draws.lognormal(0, cost_deviation, queries)
    starts = range(0, requests, every or max(requests, 1))
    pieces, popularity = [], law
    for start in starts:
        popularity = law[draws.permutation(queries)]
        length = min(every or requests, requests - start)
        pieces.append(draws.choice(queries, length, p=popularity))
    ids = np.concatenate(pieces).astype(np.int64)
    return Trace(
        ids, costs[ids][:, None], means=costs[:, None], popularity=None if every is not None else popularity
    )
