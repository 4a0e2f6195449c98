"""Replays: what a trace of requests costs under a policy, by the code that serves live requests.

    >>> from lecmux import Lru
    >>> from lecmux.sim import simulate
    >>> simulate("ABAA", [5.0, 2.0, 5.0, 5.0], capacity=1, evict=Lru()).total_cost
    12.0

Units are yours: costs are in one, sizes and capacity in another.
"""

from lecmux.sim import _simulate
from lecmux.sim._simulate import SimResult, simulate

__all__ = ["HIT", "SimResult", "simulate"]

HIT = _simulate.HIT
"""The choice of a request that was served from the cache."""
