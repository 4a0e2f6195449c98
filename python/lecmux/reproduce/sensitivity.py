"""Sensitivity: what each estimator costs over its settings, and which of them one may leave alone.

The paper gives no guidance on constants (arXiv 2306.02003): its bound is told the range of the costs, the
number of queries and the horizon, and its notebook uses another.
"""

import math
from dataclasses import dataclass

from lecmux.reproduce.bounds import static_cold_known_means
from lecmux.reproduce.grid import DEFAULT, FLOORS, S0, WIDTHS, Told, by_floor, by_s0, family, grid
from lecmux.reproduce.results import Cell, Chart, Check, Column, Heat, Results, Table
from lecmux.reproduce.run import Progress, over_seeds, silent
from lecmux.sim.traces import Trace, many_models, synthetic
from lecmux.sim.traces._numpy import Floats, np

__all__ = ["Sensitivity"]


@dataclass(frozen=True, slots=True)
class _Law:
    """The synthetic law, or with `alpha` None the long tail of four models."""

    alpha: float | None
    ratio: float = 0.0

    def __str__(self) -> str:
        return "long tail" if self.alpha is None else f"{self.alpha:g} / {self.ratio:g}"

    def draw(self, seed: int) -> tuple[Trace, int, Told]:
        """A stream, the capacity, and what a range bound is told."""
        if self.alpha is None:
            trace = many_models(seed, queries=2_000, requests=20_000, zipf=1.0)
            return trace, 100, Told(150.0, 20_000, 2_000)
        trace = synthetic(seed, alpha=self.alpha, ratio=self.ratio)
        return trace, 8, Told(1.0 + self.ratio, 10_000, 20)


_LAWS = (*(_Law(alpha, ratio) for alpha in (0.2, 0.5, 0.8) for ratio in (1.5, 10.0, 100.0)), _Law(None))
_MOST = 1.1
"""What the default may cost on any law, over the best setting of any estimator there."""
_SHOWN_WORST = 2.0

_Found = list[tuple[dict[str, float], float]]
"""Of one seed, for each law: cost by setting, and that of the target."""


class Sensitivity:
    """Which settings are robust?"""

    name = "sensitivity"
    seeds = 20

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays every law under every setting."""
        found = over_seeds(_costs, seeds, progress)
        names = list(found[0][0][0])
        # (laws, settings, seeds)
        costs = np.array(
            [[[each[law][0][name] for each in found] for name in names] for law in range(len(_LAWS))]
        )
        targets = np.array([[each[law][1] for each in found] for law in range(len(_LAWS))])
        means: Floats = costs.mean(axis=2)
        over_best = means / means.min(axis=1, keepdims=True)
        by_name = dict(zip(names, over_best.T, strict=True))
        return Results(
            self.name,
            "Sensitivity to the settings of the estimators",
            seeds,
            (_families(by_name), _by_law(names, costs, targets)),
            _charts(by_name),
            (Check.at_most(f"{DEFAULT}, worst law", float(by_name[DEFAULT].max()), _MOST),),
            _NOTES,
            {
                f"{law}: {name}": tuple(costs[place, row].tolist())
                for place, law in enumerate(_LAWS)
                for row, name in enumerate(names)
            },
        )


_NOTES = (
    "Laws: the synthetic one at alpha / ratio as named, and four models on a long tail. Ratios are of mean "
    "costs over the seeds, to the best of all settings of all estimators on that law; counts are kept for "
    "ever. The range bounds are told the largest mean, the requests and the queries of each law.",
    "s0 and the Q of sqrt(Q/n) are in units of cost: to measure in cents what was dollars moves one along "
    "that row. s0=None does not move.",
    "A floor above the cheapest costs hides which model is cheaper.",
)


def _costs(seed: int) -> _Found:
    found = []
    for law in _LAWS:
        trace, capacity, told = law.draw(seed)
        costs = {rule.name: rule.replay(trace, capacity).total_cost for rule in grid(told)}
        found.append((costs, static_cold_known_means(trace, capacity)))
    return found


def _families(by_name: dict[str, Floats]) -> Table:
    """The most and the least robust setting of each estimator."""
    worst = {name: float(ratios.max()) for name, ratios in by_name.items()}
    rows: list[tuple[Cell, ...]] = [
        ("default", *_of(DEFAULT, by_name), DEFAULT.partition(": ")[2], None, None)
    ]
    for estimator in dict.fromkeys(map(family, by_name)):
        mine = [name for name in by_name if family(name) == estimator]
        best, last = min(mine, key=worst.__getitem__), max(mine, key=worst.__getitem__)
        settings = (best.partition(": ")[2], worst[last], last.partition(": ")[2])
        rows.append((estimator, *_of(best, by_name), *settings))
    columns = (
        Column("estimator"),
        Column("least worst ratio", 3),
        Column("on the law"),
        Column("mean ratio", 3),
        Column("with"),
        Column("largest worst ratio", 3),
        Column("with"),
    )
    return Table("Cost over the best setting of each law: the worst law", columns, tuple(rows))


def _of(name: str, by_name: dict[str, Floats]) -> tuple[Cell, ...]:
    ratios = by_name[name]
    return float(ratios.max()), str(_LAWS[int(ratios.argmax())]), float(ratios.mean())


def _by_law(names: list[str], costs: Floats, targets: Floats) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for place, law in enumerate(_LAWS):
        best = int(costs[place].mean(axis=1).argmin())
        ours, target = costs[place, names.index(DEFAULT)], targets[place]
        gap, error = _quotient(ours, costs[place, best])
        multiple, _ = _quotient(costs[place, best], target)
        rows.append((str(law), names[best], multiple, _quotient(ours, target)[0], gap, error))
    columns = (
        Column("law"),
        Column("best setting of all"),
        Column("over static + cold", 3),
        Column("default over static + cold", 3),
        Column("default over best", 3),
        Column("±", 3),
    )
    return Table("By law", columns, tuple(rows))


def _quotient(above: Floats, below: Floats) -> tuple[float, float]:
    """Of the means of paired samples, and its standard error to the first order."""
    quotient = float(above.mean() / below.mean())
    if len(above) == 1:
        return quotient, 0.0
    spread = float((above - quotient * below).std(ddof=1))
    return quotient, spread / math.sqrt(len(above)) / float(below.mean())


def _charts(by_name: dict[str, Floats]) -> tuple[Chart, Chart]:
    worst = {name: float(ratios.max()) for name, ratios in by_name.items()}
    widths = tuple(f"{z:g}" for z in WIDTHS)
    priors = tuple("None" if s0 is None else f"{s0:g}" for s0 in S0)
    floors = tuple(f"{floor:g}" for floor in FLOORS)
    of_s0 = tuple(tuple(worst[by_s0(z, s0).name] for s0 in S0) for z in WIDTHS)
    of_floor = tuple(tuple(worst[by_floor(z, floor).name] for floor in FLOORS) for z in WIDTHS)
    maps = (
        Heat("floor 0", "s0", "z", priors, widths, of_s0, _SHOWN_WORST),
        Heat("s0=None", "cost_floor", "z", floors, widths, of_floor, _SHOWN_WORST),
    )
    chosen = [DEFAULT]
    for estimator in dict.fromkeys(map(family, by_name)):
        mine = sorted((name for name in by_name if family(name) == estimator), key=worst.__getitem__)
        chosen += [name for name in (mine[0], mine[-1]) if name not in chosen]
    laws = tuple(str(law) for law in _LAWS)
    rows = tuple(tuple(by_name[name].tolist()) for name in chosen)
    by_law = Heat("Most and least robust setting of each", "law", "", laws, tuple(chosen), rows, _SHOWN_WORST)
    return (
        Chart("sensitivity", "Value of information: cost over the best of any setting, worst law", maps),
        Chart("sensitivity-laws", "Cost over the best setting of each law", (by_law,)),
    )
