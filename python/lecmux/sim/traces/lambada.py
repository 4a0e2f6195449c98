"""A reconstruction of the paper's LAMBADA streams: OPT-1.3B and OPT-13B, costs in FLOPs.

The artifact of arXiv 2306.02003 does not ship its data. Taken from its code: the cost of a prompt by its
length (`train/data_to_flops.py`), half of the prompts forced to be right, the cascade's price, the
popularity. Assumed
here: lengths are normal, mean 84 tokens and deviation 16, and say nothing about which prompts are right.
"""

from dataclasses import dataclass

from lecmux.sim.traces._numpy import Floats, np
from lecmux.sim.traces.cascade import cascade_cost, forced_half
from lecmux.sim.traces.power_law import draw_power_law, power_law
from lecmux.sim.traces.trace import Trace

__all__ = ["OPT_1_3B", "OPT_13B", "Decoder", "lambada"]

_TERA = 1e12
_TOKENS = (84.0, 16.0)
_FEWEST_TOKENS = 8.0


@dataclass(frozen=True, slots=True)
class Decoder:
    """A decoder-only transformer, as far as its FLOPs go. `hidden`: width; `layers`: how many."""

    layers: int
    hidden: int

    def forward_tera(self, tokens: Floats) -> Floats:
        """10^12 FLOPs of one forward pass over prompts of so many tokens, (N,); nothing is decoded.

        l (8 s h^2 + 4 s h f + 4 s^2 h) with f = 4 h: projections, feed-forward layers, attention.
        """
        wide = self.hidden**2
        linear = 8 * tokens * wide + 4 * tokens * 4 * wide
        return self.layers * (linear + 4 * tokens**2 * self.hidden) / _TERA


OPT_1_3B = Decoder(24, 2048)
"""The small model."""

OPT_13B = Decoder(40, 5120)
"""The large one, about ten times as dear."""


def lambada(seed: int, *, alpha: float, requests: int = 10_000, queries: int = 100) -> Trace:
    """Two ways to answer, in 10^12 FLOPs: the cascade from the small model, and the large model alone.

    A prompt costs the same at each request. The large model is charged whether or not it is right.

    Args:
        seed: of numpy's legacy generator.
        alpha: of the popularity, see `power_law`; the paper has 0.2 and 0.8.
        requests: T; the paper has 10,000.
        queries: Q; the paper has 100, and room for 40 answers.
    """
    draws = np.random.RandomState(seed)
    tokens = np.maximum(_FEWEST_TOKENS, np.rint(draws.normal(*_TOKENS, queries)))
    right = forced_half(draws, queries)
    small, large = OPT_1_3B.forward_tera(tokens), OPT_13B.forward_tera(tokens)
    means = np.stack([cascade_cost(small, large, right), large], axis=1)
    ids = draw_power_law(draws, queries, alpha, requests)
    success = np.stack([right, np.ones_like(right)], axis=1)[ids]
    return Trace(ids, means[ids], success=success, means=means, popularity=power_law(queries, alpha))
