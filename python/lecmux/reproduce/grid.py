"""The settings of each estimator that `sensitivity` tries."""

from collections.abc import Iterator
from dataclasses import dataclass

from lecmux import EmpiricalBernstein, Hoeffding, PooledVariance, SqrtBonus, ValueOfInformation
from lecmux.policies import Estimator, PlugIn
from lecmux.reproduce.rule import COUNTED_FOR_EVER, Rule

__all__ = ["DEFAULT", "FLOORS", "S0", "WIDTHS", "Told", "by_floor", "by_s0", "family", "grid"]

WIDTHS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)
"""z."""
S0 = (None, 0.01, 0.1, 1.0, 10.0, 100.0)
FLOORS = (0.0, 0.1, 0.3, 1.0, 2.0)
"""In the synthetic law 0.1 is the least cost, 1 about the mean of a cheap query, and 2 above it: wrong."""
_OURS = "value of information"
_DELTAS = (0.5, 0.1, 0.01, 1e-4)
_BONUSES = (1, 20, 400)
_KNOWN_FLOORS = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Told:
    """What the range bounds are told of a law: they cannot do without.

    Attributes:
        ceiling: largest mean cost.
        horizon: requests.
        queries: distinct ones.
    """

    ceiling: float
    horizon: int
    queries: int


def by_s0(z: float, s0: float | None) -> Rule:
    """Value of information with no floor known."""
    name = f"{_OURS}: z={z:g}, s0={'None' if s0 is None else f'{s0:g}'}"
    return Rule(name, "ours", COUNTED_FOR_EVER, ValueOfInformation(z, s0))


def by_floor(z: float, floor: float) -> Rule:
    """Value of information with a floor, scale-free; with a floor of 0 that of `by_s0`."""
    if floor == 0:
        return by_s0(z, None)
    name = f"{_OURS}: z={z:g}, floor={floor:g}"
    return Rule(name, "ours", COUNTED_FOR_EVER, ValueOfInformation(z), cost_floor=floor)


DEFAULT = by_s0(2.0, None).name


def family(name: str) -> str:
    """The estimator behind a rule's name."""
    return name.partition(":")[0]


def grid(told: Told) -> list[Rule]:
    """Every setting once."""
    rules = [by_s0(z, s0) for z in WIDTHS for s0 in S0]
    rules += [by_floor(z, floor) for z in WIDTHS for floor in FLOORS]
    rules += [rule for floor in _KNOWN_FLOORS for rule in (*_simple(floor), *_range_bounds(floor, told))]
    return list({rule.name: rule for rule in rules}.values())


def _simple(floor: float) -> Iterator[Rule]:
    named: list[tuple[str, Estimator]] = [
        *((f"pooled variance: z={z:g}", PooledVariance(z)) for z in WIDTHS[1:]),
        *((f"sqrt(Q/n): Q={queries}", SqrtBonus(queries)) for queries in _BONUSES),
        ("plug-in: no bound", PlugIn()),
    ]
    for name, estimator in named:
        yield Rule(f"{name}, floor={floor:g}", "other", COUNTED_FOR_EVER, estimator, cost_floor=floor)


def _range_bounds(floor: float, told: Told) -> Iterator[Rule]:
    for delta in _DELTAS:
        for name, kind in (("Hoeffding", Hoeffding), ("empirical Bernstein", EmpiricalBernstein)):
            yield Rule(
                f"{name}: delta={delta:g}, floor={floor:g}",
                "paper",
                COUNTED_FOR_EVER,
                kind(delta=delta, horizon=told.horizon, queries=told.queries),
                cost_floor=floor,
                cost_ceiling=told.ceiling,
            )
