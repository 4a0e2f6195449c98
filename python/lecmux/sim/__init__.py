"""Replays: what a trace of requests costs under a policy, by the code that serves live requests.

    >>> from lecmux import Lru
    >>> from lecmux.sim import simulate
    >>> simulate("ABAA", [5.0, 2.0, 5.0, 5.0], capacity=1, evict=Lru()).total_cost
    12.0

Units are yours: costs are in one, sizes and capacity in another.
"""

from lecmux.sim import _feedback, _multiplexer, _offline, _result
from lecmux.sim._feedback import Artifact, Bandit
from lecmux.sim._multiplexer import Guess, Prior
from lecmux.sim._offline import ByCost, ByCount, offline
from lecmux.sim._optimum import exploration_floor, lower_bound, optimum
from lecmux.sim._result import Curve, SimResult
from lecmux.sim._simulate import simulate

__all__ = [
    "HIT",
    "Artifact",
    "Bandit",
    "ByCost",
    "ByCount",
    "Curve",
    "Feedback",
    "Guess",
    "Multiplexer",
    "Prior",
    "Rank",
    "SimResult",
    "exploration_floor",
    "lower_bound",
    "offline",
    "optimum",
    "simulate",
]

HIT = _result.HIT
"""The choice of a request that was served from the cache."""

Feedback = _feedback.Feedback
"""What `simulate(feedback=)` takes."""

Multiplexer = _multiplexer.Multiplexer
"""What `simulate(multiplexer=)` takes."""

Rank = _offline.Rank
"""What `offline(rank=)` takes."""
