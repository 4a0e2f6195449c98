"""The law of the paper's synthetic tables (arXiv 2306.02003, section 6.1).

Bit-equal to what the public artifact (Ying1123/llm-caching-multiplexing, `inferband/trace.py`, `binomial`)
generates for the same seed: one legacy numpy stream gives a coin for each query at the first model, a coin
for each at the second, the requests, and then two normal variates a request.
"""

from lecmux.sim.traces._numpy import Floats, np
from lecmux.sim.traces.power_law import draw_power_law, power_law
from lecmux.sim.traces.trace import Trace

__all__ = ["synthetic"]

_LEAST_COST = 0.1
_MODELS = 2


def synthetic(seed: int, *, alpha: float, ratio: float, requests: int = 10_000, queries: int = 20) -> Trace:
    """Two exchangeable models, each cheap or dear for a query by a fair coin, with noise on each request.

    A query's mean cost at a model is 1 or 1 + `ratio`; a request costs max(0.1, mean + N(0, 1)).

    Args:
        seed: of numpy's legacy generator, 0..2**32 - 1.
        alpha: of the popularity, see `power_law`; the paper has 0.5 and 0.8.
        ratio: what a dear query costs above a cheap one; the paper has 1.5 and 100.
        requests: T; the paper has 10,000.
        queries: Q; the paper has 20, and room for 8 answers.
    """
    draws = np.random.RandomState(seed)
    coins = [draws.binomial(1, 0.5, queries) for _ in range(_MODELS)]
    means: Floats = np.stack(coins, axis=1) * np.float64(ratio) + 1.0
    ids = draw_power_law(draws, queries, alpha, requests)
    costs = np.maximum(_LEAST_COST, means[ids] + draws.normal(0, 1, (requests, _MODELS)))
    return Trace(ids, costs, means=means, popularity=power_law(queries, alpha))
