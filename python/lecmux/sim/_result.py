"""What a replay gives back."""

from array import array
from dataclasses import dataclass
from typing import Any

__all__ = ["HIT", "Curve", "SimResult"]

HIT = -1
"""The choice of a request that was served from the cache."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How the cost grew, at no more than 1,001 even places from the start of the trace to its end.

    Attributes:
        requests: served by then; int64, ascending from 0.
        costs: what those requests cost in all; float64.
    """

    requests: "array[int]"
    costs: "array[float]"


@dataclass(frozen=True, slots=True)
class SimResult:
    """What a replay cost.

    Attributes:
        total_cost: of all misses.
        hits: requests served from the cache.
        choices: for each request the model called, or `HIT`; int8.
        curve: how the cost grew.
        resident: the queries in the cache at the end; ascending where they are numbers.
    """

    total_cost: float
    hits: int
    choices: "array[int]"
    curve: Curve
    resident: tuple[Any, ...]

    @property
    def requests(self) -> int:
        """Length of the trace."""
        return len(self.choices)
