"""The paper's synthetic tables: 72 published cells, and what this library's rule costs on such streams."""

from lecmux import Lec, Lfu, ValueOfInformation
from lecmux.policies import PlugIn
from lecmux.reproduce.published import SYNTHETIC
from lecmux.reproduce.results import Cell, Column, Results, Table
from lecmux.reproduce.run import Progress, over_seeds, silent
from lecmux.reproduce.summary import summary
from lecmux.sim import simulate
from lecmux.sim.traces import synthetic

__all__ = ["Synthetic"]

_CAPACITY = 8
_THOUSAND = 1e-3
_LAWS = tuple((row.alpha, row.ratio) for row in SYNTHETIC if row.scenario == "online")
_COUNTED_FOR_EVER = Lec(decay=None)
_Totals = dict[str, float]


class Synthetic:
    """Two exchangeable models, 20 queries, room for 8 answers, 10,000 requests."""

    name = "synthetic"
    seeds = 100

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays each law with each seed."""
        found = over_seeds(_totals, seeds, progress)
        samples = {name: tuple(each[name] for each in found) for name in found[0]}
        rows: list[tuple[Cell, ...]] = []
        for row in SYNTHETIC:
            if row.scenario != "online":
                continue
            law = f"{row.alpha:g}/{row.ratio:g}"
            cells = (
                summary(samples[f"{law} {rule}"], _THOUSAND)
                for rule in ("LFU + model 1", "LEC + model 1", "LEC-V", "default")
            )
            rows.append((row.alpha, row.ratio, row.lec[2], *cells))
        columns = (
            Column("alpha", 1),
            Column("ratio", 1),
            Column("published", 2),
            *(
                Column(title, 3, error=True, median=True)
                for title in ("LFU + model 1", "LEC + model 1", "LEC-V", "default")
            ),
        )
        table = Table("Online, total cost in thousands", columns, tuple(rows))
        return Results(self.name, "The synthetic tables", seeds, (table,), samples=samples)


def _totals(seed: int) -> _Totals:
    found: _Totals = {}
    for alpha, ratio in _LAWS:
        trace = synthetic(seed, alpha=alpha, ratio=ratio)
        law = f"{alpha:g}/{ratio:g}"
        rules = {
            "LFU + model 1": {"evict": Lfu(), "arm": 1},
            "LEC + model 1": {"evict": _COUNTED_FOR_EVER, "estimator": PlugIn(), "arm": 1},
            "LEC-V": {"evict": _COUNTED_FOR_EVER, "estimator": ValueOfInformation(s0=1.0), "cost_floor": 1.0},
            "default": {},
        }
        for rule, settings in rules.items():
            run = simulate(trace.queries, trace.costs, capacity=_CAPACITY, **settings)  # type: ignore[arg-type]
            found[f"{law} {rule}"] = run.total_cost
    return found
