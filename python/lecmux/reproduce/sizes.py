"""Sizes: the budget is in bytes and answers differ in length.

The paper divides the expected cost by the size (arXiv 2306.02003, section 3); its experiments have none.
"""

from lecmux import Gdsf, Lfu, Lru
from lecmux.reproduce.bounds import static
from lecmux.reproduce.results import Cell, Chart, Check, Column, Panel, Results, Role, Series, Table
from lecmux.reproduce.rule import COUNTED_FOR_EVER, Rule, paid
from lecmux.reproduce.run import Progress, over_seeds, silent
from lecmux.reproduce.summary import summary
from lecmux.sim.traces import Trace, sized
from lecmux.sim.traces._numpy import Floats, Ints, np

__all__ = ["Sizes"]

_SHARE = 0.15
"""Of the bytes of all answers that are asked for, that the cache may hold."""
_EXPONENTS = (0.5, 0.0, 1.0)
_DEFAULT, _VALUE = "LEC, cost per byte (default)", "LEC, cost alone"
_RULES = (
    Rule(_DEFAULT, "ours"),
    Rule("LEC, cost per byte, counts for ever", "ours", COUNTED_FOR_EVER),
    Rule("GDSF", "other", Gdsf()),
    Rule("GDSF that may decline", "other", Gdsf(bypass=True)),
    Rule("LFU", "other", Lfu()),
    Rule("LRU", "other", Lru()),
)
_FIXED_DENSITY, _FIXED_VALUE = "fixed set by cost per byte", "fixed set by cost alone"
_ROLES: dict[str, Role] = {
    _FIXED_DENSITY: "bound",
    _FIXED_VALUE: "bound",
    **{rule.name: rule.role for rule in _RULES},
    _VALUE: "paper",
}
_MOST = 1.03
"""What the default may cost, as a multiple of the exact knapsack."""


class Sizes:
    """What is a byte worth, and does it pay to solve the knapsack?"""

    name = "sizes"
    seeds = 40

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays streams whose answers cost more by the root of their size, not at all, or in proportion."""
        found = over_seeds(lambda seed: {law: _multiples(seed, law) for law in _EXPONENTS}, seeds, progress)
        samples = {(name, law): [each[law][name] for each in found] for name in _ROLES for law in _EXPONENTS}
        checks = [
            Check.at_most(f"default over the exact knapsack, {_named(law)}", summary(values).mean, _MOST)
            for (name, law), values in samples.items()
            if name == _DEFAULT
        ]
        return Results(
            self.name,
            "Answers of different sizes",
            seeds,
            (_table(samples),),
            (Chart("sizes", "Answers of different sizes, room for 15 % of their bytes", (_panel(samples),)),),
            tuple(checks),
            _NOTES,
            {f"{name}, {_named(law)}": tuple(values) for (name, law), values in samples.items()},
        )


_NOTES = (
    "Law: 40,000 requests for 200 queries, Zipf 0.9; sizes lognormal of deviation 1; a cost is "
    "(size / median)^e times a lognormal variate of deviation 0.5, with e as the table says. Room for 15 % "
    "of the bytes asked for. The knapsack knows all requests and fills for nothing.",
    "A fixed set filled greedily by cost per byte is as good as the exact knapsack: there is nothing to gain "
    "from solving it. What the default pays above is the first request of each answer, and learning.",
)


def _named(exponent: float) -> str:
    return f"cost ~ size^{exponent:g}"


def _multiples(seed: int, exponent: float) -> dict[str, float]:
    """By rule, its cost as a multiple of the exact knapsack's."""
    trace = sized(seed, cost_exponent=exponent)
    asked, at = np.unique(trace.queries, return_index=True)
    assert trace.sizes is not None
    sizes = trace.sizes[at]
    values: Floats = np.bincount(trace.queries, trace.costs[:, 0])[asked].astype(np.float64)
    capacity = int(_SHARE * sizes.sum())
    costs = {rule.name: rule.replay(trace, capacity).total_cost for rule in _RULES}
    costs[_VALUE] = _by_value(trace, capacity)
    costs[_FIXED_DENSITY] = _greedy(values, values / sizes, sizes, capacity)
    costs[_FIXED_VALUE] = _greedy(values, values, sizes, capacity)
    best = static(trace, capacity)
    return {name: cost / best for name, cost in costs.items()}


def _by_value(trace: Trace, capacity: int) -> float:
    """LEC that ignores sizes: at costs times sizes, its score per byte is the cost."""
    assert trace.sizes is not None
    scaled = Trace(trace.queries, trace.costs * trace.sizes[:, None], sizes=trace.sizes)
    return float(paid(Rule(_VALUE).replay(scaled, capacity), trace).sum())


def _greedy(values: Floats, order: Floats, sizes: Ints, capacity: int) -> float:
    """Cost left by the set that takes, in descending `order`, whatever still fits."""
    left, room = float(values.sum()), capacity
    for place in np.argsort(-order, kind="stable"):
        if sizes[place] <= room:
            room -= int(sizes[place])
            left -= float(values[place])
    return left


_Samples = dict[tuple[str, float], list[float]]


def _table(samples: _Samples) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (name, *(summary(samples[name, law]) for law in _EXPONENTS)) for name in _ROLES
    ]
    titles = (Column(_named(law), 3, error=True) for law in _EXPONENTS)
    return Table("Cost, as a multiple of the exact knapsack", (Column("rule"), *titles), tuple(rows))


def _panel(samples: _Samples) -> Panel:
    names = tuple(_named(law) for law in _EXPONENTS)
    series = []
    for name, role in _ROLES.items():
        cells = [summary(samples[name, law]) for law in _EXPONENTS]
        heights, errors = tuple(cell.mean for cell in cells), tuple(cell.error for cell in cells)
        series.append(Series(name, names, heights, errors, role))
    return Panel("All requests", "how cost grows with size", "multiple of the knapsack", tuple(series))
