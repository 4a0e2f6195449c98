"""What a replay gives back."""

from array import array
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

__all__ = ["HIT", "Curve", "SimResult", "result"]

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


def result(
    served: tuple[float, int, bytes, tuple[list[int], list[float]], list[int]], names: list[Hashable] | None
) -> SimResult:
    """What the compiled module served; `names`: of the numbers of the queries, where those are ours."""
    total_cost, hits, choices, (places, costs), resident = served
    curve = Curve(array("q", places), array("d", costs))
    return SimResult(total_cost, hits, array("b", choices), curve, _named(resident, names))


def _named(resident: list[int], names: list[Hashable] | None) -> tuple[Hashable, ...]:
    """The residents by their names, ascending where those are whole numbers."""
    if names is None:
        return tuple(resident)
    held = [names[number] for number in resident]
    numbers = [name for name in held if type(name) is int]
    return tuple(sorted(numbers)) if len(numbers) == len(held) else tuple(held)
