"""The paper's synthetic tables: 72 published cells, and what this library's rule costs on such streams."""

from lecmux import ValueOfInformation
from lecmux.reproduce.floor import floor_cost
from lecmux.reproduce.paper_setting import Setting
from lecmux.reproduce.paper_tables import PaperTables, fallible_table, learning_table, of_means, replay
from lecmux.reproduce.published import DISTINCT_STREAMS, SYNTHETIC, Published
from lecmux.reproduce.results import Chart, Check, Results
from lecmux.reproduce.run import Progress, silent
from lecmux.reproduce.summary import summary
from lecmux.sim.traces import Trace, synthetic

__all__ = ["Synthetic"]

_COLUMNS = ("model 1", "model 2", "selector")
_ONLINE = tuple(row for row in SYNTHETIC if row.scenario == "online")
_FALLIBLE = tuple(row for row in SYNTHETIC if row.accuracy < 1)
_INFALLIBLE = tuple(row for row in SYNTHETIC if row.scenario == "offline" and row.accuracy == 1)
_DEAR = tuple(row for row in SYNTHETIC if row.ratio > 10)  # noqa: PLR2004  the two ratios are 1.5 and 100
_AIMS = {(0.5, 1.5): 4.716, (0.8, 1.5): 6.197, (0.5, 100): 8.498, (0.8, 100): 11.263}
"""What LEC-V costs in the online cells by an independent implementation, thousands, on the seeds 0-99."""
_AIMS_FALLIBLE = {0.5: 7.5, 0.8: 10.2}
"""What a selector of accuracy 0.8 whose word memory overrules is held to at ratio 100, thousands."""
_SLACK = 1.003
_LARGEST_Z = 3.0
_SLACK_UNTOLD = 1.03


def _law(seed: int, row: Published) -> Trace:
    return synthetic(seed, alpha=row.alpha, ratio=row.ratio)


SETTING = Setting(
    rows=SYNTHETIC,
    capacity=8,
    columns=_COLUMNS,
    law=_law,
    estimator=ValueOfInformation(z=2.0, s0=1.0),
    cost_floor=1.0,
    floor=floor_cost,
)
"""20 queries, room for 8 answers, 10,000 requests."""


class Synthetic:
    """Two exchangeable models, 20 queries, room for 8 answers, 10,000 requests."""

    name = "synthetic"
    seeds = 100

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays each law under each rule."""
        samples = replay(SETTING, _FALLIBLE, seeds, progress)
        tables = PaperTables(SETTING, samples, distinct=DISTINCT_STREAMS)
        return Results(
            name=self.name,
            title="The synthetic tables: total cost of 10,000 requests, thousands",
            seeds=seeds,
            tables=(
                tables.cells("Offline, selector right at 80 % of the misses", _FALLIBLE),
                tables.cells("Offline, infallible selector", _INFALLIBLE),
                tables.cells("Online", _ONLINE),
                learning_table(tables, _ONLINE),
                fallible_table(tables, _FALLIBLE),
                tables.headline("LFU + model 1 over LEC + selector, per stream", _DEAR),
            ),
            charts=(
                Chart(
                    "synthetic",
                    f"Synthetic streams, mean of {seeds} seeds",
                    (
                        tables.panel("offline, accuracy 0.8", "cost, thousands", _FALLIBLE),
                        tables.panel("offline, accuracy 1", "cost, thousands", _INFALLIBLE),
                        tables.panel("online", "cost, thousands", _ONLINE),
                    ),
                ),
            ),
            checks=_checks(tables),
            notes=_NOTES,
            samples=samples,
        )


def _checks(tables: PaperTables) -> tuple[Check, ...]:
    """Where a limit is a figure of the seeds 0-99, other seeds say nothing of it."""
    of_all = len(next(iter(tables.samples.values()))) == Synthetic.seeds
    checks = []
    for row in _ONLINE:
        ours, default = (tables.of(f"{row.name} | {name} + selector") for name in ("ours", "default"))
        if of_all:
            aim = _AIMS[row.alpha, row.ratio] * _SLACK
            checks.append(
                Check.at_most(f"ours online at {row.law}, thousands", summary(ours, 1e-3).mean, aim)
            )
        over = of_means(default, ours)
        checks.append(Check.at_most(f"default over ours online at {row.law}", over, _SLACK_UNTOLD))
    for row in _FALLIBLE:
        if of_all and row in _DEAR:
            told = summary(tables.of(f"{row.name} | ours + selector"), 1e-3)
            claim = f"ours, selector right at 80 %, at {row.law}, thousands"
            checks.append(Check.at_most(claim, told.mean, _AIMS_FALLIBLE[row.alpha]))
    checks.append(Check.at_most("largest |z| of the published cells", _largest_z(tables), _LARGEST_Z))
    return tuple(checks)


def _largest_z(tables: PaperTables) -> float:
    """Over all 72 cells."""
    shown = (tables.cells("", [row]) for row in SYNTHETIC)
    return max(abs(z) for table in shown for line in table.rows if isinstance(z := line[4], float))


_NOTES = (
    "Published: as the paper prints it, an average over 100 runs that share about 8 streams, since the "
    "artifact's driver seeds them with the clock in whole seconds; z is the distance to our mean if there "
    "were 8. Models 1 and 2 are exchangeable, so what the published table has between their columns is "
    "chance.",
    "The rule: the artifact's own, with all that it sees, on the same streams by this library's replay. "
    "Offline it is given the best fixed set and a selector that knows the noise of each request: no policy. "
    "Means at ratio 100 rest on a few streams in which more than 8 of the 20 queries are dear under both "
    "models, so medians stand beside them, in parentheses.",
    "Ours: LEC with value-of-information estimates (z = 2, s0 = 1, cost floor 1), which sees what it pays "
    "for. Offline with an infallible selector nothing is left to learn, and ours is the best fixed set "
    "itself.",
    "Where the rule wins: offline at ratio 1.5 and accuracy 0.8, where its selector sees the noise of each "
    "request; online at ratio 100, where it does not pay for its looks at the large model.",
)
