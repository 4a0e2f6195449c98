"""The law behind the paper's figures: the notebook of its public artifact.

From `sim_cache.ipynb` of Ying1123/llm-caching-multiplexing (arXiv 2306.02003), with the draws in its order.
"""

from lecmux.sim.traces._numpy import Floats, np
from lecmux.sim.traces.trace import Trace

__all__ = ["notebook"]

_DEAR = 100.0


def notebook(
    seed: int,
    *,
    alpha: float = 1.0,
    dear: tuple[float, float] = (0.4, 0.5),
    requests: int = 10_000,
    queries: int = 20,
) -> Trace:
    """A query's popularity is itself a draw; each model is cheap (1) or dear (101) for it; normal noise.

    The notebook keeps costs below 0. Here they are cut at 0, since no call pays its caller: the mean of a
    cheap one is 1.083 in place of 1.

    Args:
        seed: of numpy's legacy generator; the notebook's first run after `np.random.seed(seed)`.
        alpha: exponent of the power law that draws each query's weight.
        dear: how likely the small and the large model are dear for a query.
        requests: T.
        queries: Q; the notebook has room for 10 answers.
    """
    draws = np.random.RandomState(seed)
    weights: Floats = draws.power(alpha, queries)
    popularity: Floats = weights / sum(weights)
    ids = draws.choice(queries, requests, p=popularity).astype(np.int64)
    coins = [draws.binomial(1, share, queries) for share in dear]
    means: Floats = np.stack(coins, axis=1) * np.float64(_DEAR) + 1
    costs = np.maximum(0.0, means[ids] + draws.normal(0, 1, (requests, len(dear))))
    return Trace(ids, costs, means=means, popularity=popularity)
