"""Capacity: how cost falls as the cache grows, and the size to buy at a price per stored byte.

The paper fixes the capacity (arXiv 2306.02003). Storage is not free: the size to buy is where one more byte
saves as much as it costs to keep for the length of the stream.
"""

from dataclasses import dataclass
from statistics import fmean

from lecmux import Gdsf, Lru
from lecmux.reproduce.bounds import static
from lecmux.reproduce.results import Cell, Chart, Column, Panel, Results, Series, Table
from lecmux.reproduce.rule import Rule
from lecmux.reproduce.run import Progress, over_seeds, silent
from lecmux.reproduce.summary import summary
from lecmux.sim.traces import sized
from lecmux.sim.traces._numpy import Floats, np

__all__ = ["Capacity", "best_size"]

_QUERIES, _REQUESTS, _ZIPF = 2_000, 100_000, 0.9
_MEDIAN_SIZE = 20.0
_SHARES = (0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the bytes of all answers asked for."""
_PRICES = (0.05, 0.2, 0.6, 2.0)
"""Of keeping one byte for the length of the stream; the answer of median size costs 1 to make."""
_RULES = (Rule("LEC (default)", "ours"), Rule("GDSF", "other", Gdsf()), Rule("LRU", "other", Lru()))
_BEST_SET = "best fixed set"
_OURS = _RULES[0].name


@dataclass(frozen=True, slots=True)
class _Stream:
    """What one stream shows.

    Attributes:
        curves: by rule, cost at each share over the cost without a cache, (shares,).
        rent: of all bytes at a price of 1, over the cost without a cache.
    """

    curves: dict[str, Floats]
    rent: float


class Capacity:
    """What size of cache pays?"""

    name = "capacity"
    seeds = 10

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays every stream at every capacity."""
        found = over_seeds(_replayed, seeds, progress)
        curves = {name: np.array([each.curves[name] for each in found]) for name in found[0].curves}
        rents = [each.rent for each in found]
        panels = (_falling(curves), _bought(curves[_OURS].mean(axis=0), fmean(rents)))
        return Results(
            self.name,
            "The size of the cache",
            seeds,
            (_costs(curves), _sizes(curves, rents)),
            (Chart("capacity", "Cost, as a share of that without a cache", panels),),
            (),
            _NOTES,
            {
                f"{name}, {share:.1%} of bytes": tuple(curve[:, place].tolist())
                for name, curve in curves.items()
                for place, share in enumerate(_SHARES)
            },
        )


_NOTES = (
    f"Law: {_REQUESTS:,} requests for {_QUERIES:,} queries, Zipf {_ZIPF:g}; lognormal sizes of deviation 1 "
    f"and median {_MEDIAN_SIZE:g} bytes, costs grow by the root of the size and are 1 at the median. The "
    "best fixed set is filled for nothing.",
    "A cost curve and a best size for a log of yours, at your price, come from `lecmux simulate FILE`.",
)


def best_size(costs: Floats, rent: float) -> tuple[float, float]:
    """The share of bytes at which cost and rent together are least, and that sum.

    Args:
        costs: at each of the shares tried, (shares,), over the cost without a cache.
        rent: of all bytes, over the same.
    """
    totals = np.concatenate([[1.0], costs + rent * np.array(_SHARES)])
    place = int(totals.argmin())
    return (0.0, *_SHARES)[place], float(totals[place])


def _replayed(seed: int) -> _Stream:
    trace = sized(seed, requests=_REQUESTS, queries=_QUERIES, zipf=_ZIPF, median_size=_MEDIAN_SIZE)
    assert trace.sizes is not None
    _, first = np.unique(trace.queries, return_index=True)
    asked, without = int(trace.sizes[first].sum()), float(trace.costs.sum())
    capacities = [max(1, int(share * asked)) for share in _SHARES]
    curves = {
        rule.name: np.array([rule.replay(trace, size).total_cost for size in capacities]) / without
        for rule in _RULES
    }
    curves[_BEST_SET] = np.array([static(trace, size) for size in capacities]) / without
    return _Stream(curves, asked / without)


def _costs(curves: dict[str, Floats]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (f"{100 * share:g}", *(summary((100 * curve[:, place]).tolist()) for curve in curves.values()))
        for place, share in enumerate(_SHARES)
    ]
    titles = (Column(name, 1, error=True) for name in curves)
    return Table("Cost, % of that without a cache", (Column("% of bytes"), *titles), tuple(rows))


def _sizes(curves: dict[str, Floats], rents: list[float]) -> Table:
    """At each price, the size to buy and what misses and storage cost together."""
    rows: list[tuple[Cell, ...]] = []
    for price in _PRICES:
        cells: list[Cell] = []
        for name in (_OURS, "LRU"):
            best = [best_size(curve, price * rent) for curve, rent in zip(curves[name], rents, strict=True)]
            sizes, totals = ([100 * figure for figure in column] for column in zip(*best, strict=True))
            cells += [summary(sizes), summary(totals)]
        rows.append((f"{price:g}", summary(rents, 100 * price), *cells))
    columns = (
        Column("price of a byte"),
        Column("all bytes, %", 0),
        Column("LEC: best size, % of bytes", 0, error=True),
        Column("misses and storage, %", 1, error=True),
        Column("LRU: best size, % of bytes", 0, error=True),
        Column("misses and storage, %", 1, error=True),
    )
    note = "Costs in % of the cost without a cache; each stream at its own best size."
    return Table("The size to buy", columns, tuple(rows), note)


def _falling(curves: dict[str, Floats]) -> Panel:
    roles = {rule.name: rule.role for rule in _RULES}
    series = []
    for name, curve in curves.items():
        heights = tuple((100 * curve.mean(axis=0)).tolist())
        series.append(Series(name, _percents(), heights, role=roles.get(name, "bound")))
    return Panel("Misses", "capacity, % of the bytes asked for", "%", tuple(series), log_x=True)


def _bought(mean: Floats, rent: float) -> Panel:
    """Misses and storage together, a line a price."""
    series = []
    for price in _PRICES:
        heights = tuple((100 * (mean + price * rent * np.array(_SHARES))).tolist())
        series.append(Series(f"a byte costs {price:g}", _percents(), heights))
    title, place = "LEC: misses and storage", "capacity, % of the bytes asked for"
    return Panel(title, place, "%", tuple(series), log_x=True)


def _percents() -> tuple[float, ...]:
    return tuple(100 * share for share in _SHARES)
