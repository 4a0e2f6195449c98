"""What a policy would pay that is told everything but which model is cheap for which query.

It knows how popular each query is and the law of the costs, and a single call shows a query's true mean at
the model called. Nothing that learns from noisy costs and counts its requests can be expected to pay less.
"""

from lecmux.sim.traces import Trace

__all__ = ["floor_cost"]

_CHEAP = 1.0


def floor_cost(trace: Trace, capacity: int) -> float:
    """Total cost of a stream of the synthetic law, from an empty cache.

    A query starts with the small model. Where that is dear, its next miss looks at the large one, which a
    fair coin makes cheap; until then the query is worth what it would cost if that were so.

    Args:
        trace: a stream of `lecmux.sim.traces.synthetic`: two models, two costs.
        capacity: how many answers to hold.
    """
    assert trace.means is not None
    assert trace.popularity is not None
    queries = [_Query(share, *means) for share, means in zip(trace.popularity, trace.means, strict=True)]
    costs = trace.costs.tolist()
    held: dict[int, float] = {}
    total = 0.0
    for at, asked in enumerate(trace.queries.tolist()):
        if asked in held:
            continue
        total += costs[at][queries[asked].call()]
        worth = queries[asked].worth()
        if len(held) >= capacity:
            victim = min(held, key=held.__getitem__)
            if worth <= held[victim]:
                continue
            del held[victim]
        held[asked] = worth
    return total


class _Query:
    """What is known of a query: its share of the requests, and the means of the models it was put to."""

    def __init__(self, share: float, small: float, large: float) -> None:
        self._share, self._small, self._large = float(share), float(small), float(large)
        self._calls = 0

    def call(self) -> int:
        """The model to call, whose mean is then known."""
        large = self._calls > 0 and self._small > _CHEAP and (self._calls == 1 or self._large < self._small)
        self._calls += 1
        return int(large)

    def worth(self) -> float:
        """Expected cost a request of the stream; after one call a cheap model is known or likely."""
        return self._share * (_CHEAP if self._calls == 1 else min(self._small, self._large))
