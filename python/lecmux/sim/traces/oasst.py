"""A reconstruction of the paper's OASST streams: FastChat-T5-3B and Vicuna-13B on an A100, costs in seconds.

The artifact of arXiv 2306.02003 does not ship its data. Taken from its code: half of the prompts forced to
be right, the cascade's price, the popularity. Assumed here, after the mean latencies and the limit of 128
new tokens that the artifact states: an answer takes the time of all tokens with some probability and else
any shorter time, alike for prompts that are right and wrong.
"""

from typing import NamedTuple

from lecmux.sim.traces._numpy import Floats, np
from lecmux.sim.traces.cascade import cascade_cost, forced_half
from lecmux.sim.traces.power_law import draw_power_law, power_law
from lecmux.sim.traces.trace import Trace

__all__ = ["oasst"]


class _Latency(NamedTuple):
    """`full` seconds with probability `share`, and else uniform from `least` to `most` seconds."""

    share: float
    full: float
    least: float
    most: float

    def draw(self, draws: np.random.RandomState, queries: int) -> Floats:
        """Seconds of each query, (queries,)."""
        stopped = draws.uniform(self.least, self.most, queries)
        return np.where(draws.uniform(size=queries) < self.share, self.full, stopped)


_SMALL = _Latency(0.25, 5.6, 0.2, 4.5)
_LARGE = _Latency(0.72, 6.6, 0.5, 6.6)


def oasst(seed: int, *, alpha: float, requests: int = 10_000, queries: int = 100) -> Trace:
    """Two ways to answer, in seconds: the cascade from the small model, and the large model alone.

    A prompt takes the same time at each request. The small model takes 5.6 s with probability 0.25 and else
    0.2 to 4.5 s; the large one 6.6 s with probability 0.72 and else 0.5 to 6.6 s.

    Args:
        seed: of numpy's legacy generator.
        alpha: of the popularity, see `power_law`; the paper has 0.2, 0.5 and 0.8.
        requests: T; the paper has 10,000.
        queries: Q; the paper has 100, and room for 40 answers.
    """
    draws = np.random.RandomState(seed)
    small, large = _SMALL.draw(draws, queries), _LARGE.draw(draws, queries)
    right = forced_half(draws, queries)
    means = np.stack([cascade_cost(small, large, right), large], axis=1)
    ids = draw_power_law(draws, queries, alpha, requests)
    success = np.stack([right, np.ones_like(right)], axis=1)[ids]
    return Trace(ids, means[ids], success=success, means=means, popularity=power_law(queries, alpha))
