"""Many models, a long tail: four models for thousands of queries, most of them asked a few times.

The paper states its rule for any number of models and tries two (arXiv 2306.02003). Here is no time to look
at every model for every query.
"""

from dataclasses import dataclass

from lecmux import Hoeffding, Lfu, PooledVariance, SqrtBonus, ValueOfInformation
from lecmux.policies import PlugIn
from lecmux.reproduce.bounds import static_cold_known_means
from lecmux.reproduce.results import Cell, Chart, Check, Column, Panel, Results, Series, Table
from lecmux.reproduce.rule import COUNTED_FOR_EVER, Rule
from lecmux.reproduce.run import Progress, over_seeds, silent
from lecmux.reproduce.summary import Summary, summary
from lecmux.sim.traces import many_models

__all__ = ["ManyModels"]


@dataclass(frozen=True, slots=True)
class _Stream:
    """Settings of the law, and the capacity."""

    queries: int
    requests: int
    capacity: int
    zipf: float

    def __str__(self) -> str:
        return f"Q = {self.queries:,}, T = {self.requests:,}, L = {self.capacity}, Zipf {self.zipf:g}"


_STREAMS = (_Stream(2_000, 20_000, 100, 1.0), _Stream(20_000, 40_000, 200, 0.8))
_LARGEST, _SMALLEST = 3, 0
_FLOOR = 0.3
_DEFAULT, _TUNED = "default (z=2, s0=None, floor 0)", "LEC-V (z=1, s0=1, floor 0.3)"
_NOISES = (0.5, 1.5)
"""tau, of the score by which the features tell how difficult a query is."""
_STRENGTH = 4.0
_FEATURES_ALONE = 1e9
"""So strong a prior that no cost seen moves it."""
_LEC_C = "default + features (LEC-C), tau={:g}"
_MOST = {_DEFAULT: (1.46, 1.34), _TUNED: (1.42, 1.33), _LEC_C.format(0.5): (1.15, 1.12)}
"""What these may cost on each stream."""

_Multiples = dict[str, float]


class ManyModels:
    """How close to known costs comes a rule that must find them out?"""

    name = "many-models"
    seeds = 20

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays both streams under every rule."""
        found = over_seeds(lambda seed: [_multiples(seed, stream) for stream in _STREAMS], seeds, progress)
        samples = {
            name: tuple(tuple(each[place][name] for each in found) for place in range(len(_STREAMS)))
            for name in found[0][0]
        }
        cells = {name: tuple(summary(values) for values in both) for name, both in samples.items()}
        checks = [
            Check.at_most(f"{name}, {stream}", cell.mean, limit)
            for name, limits in _MOST.items()
            for stream, cell, limit in zip(_STREAMS, cells[name], limits, strict=True)
        ]
        return Results(
            self.name,
            "Four models and a long tail",
            seeds,
            (_table(cells),),
            (Chart("many-models", "Four models and a long tail", (_panel(cells),)),),
            tuple(checks),
            _NOTES,
            {
                f"{name}, {stream}": values
                for name, both in samples.items()
                for stream, values in zip(_STREAMS, both, strict=True)
            },
        )


_NOTES = (
    "Law: models at 1, 3, 10 and 30 times a query's length; they fail by the query's difficulty, and a "
    "failure costs twice the dearest call. The target knows every mean, holds the best fixed set, and pays "
    "the first request of each member.",
    "Hoeffding's bound, told horizon and queries, is worse than never choosing: its range term keeps every "
    "model of a rare query at the floor.",
    "Features: expected costs by 12 quantiles of a score, calibrated on 2,000 other questions, with noise "
    f"tau in the score; as a prior they count like {_STRENGTH:g} costs seen. Good features (tau 0.5) need no "
    "memory; weak ones (tau 1.5) gain by it.",
)


def _rules(stream: _Stream) -> tuple[Rule, ...]:
    counted, large = COUNTED_FOR_EVER, _LARGEST
    hoeffding = Hoeffding(delta=0.01, horizon=stream.requests, queries=stream.queries)
    pooled, bonus = PooledVariance(1.0, 1.0), SqrtBonus(stream.queries)
    return (
        Rule(_DEFAULT, "ours"),
        Rule(_TUNED, "ours", estimator=ValueOfInformation(1.0, 1.0), cost_floor=_FLOOR),
        Rule("always the largest", "other", counted, arm=large),
        Rule("always the smallest", "other", counted, arm=_SMALLEST),
        Rule("LFU, always the largest", "other", Lfu(), arm=large),
        Rule("pooled variance (z=1, s0=1)", "other", counted, pooled, cost_floor=_FLOOR),
        Rule("plug-in", "other", counted, PlugIn(), cost_floor=_FLOOR),
        Rule("sqrt(Q/n) of the notebook", "paper", counted, bonus, cost_floor=_FLOOR),
        Rule("Hoeffding", "paper", counted, hoeffding, cost_floor=_FLOOR),
    )


def _with_features(noise: float) -> tuple[Rule, ...]:
    return (
        Rule(_LEC_C.format(noise), "ours", prior_strength=_STRENGTH),
        Rule(f"features alone, tau={noise:g}", "other", prior_strength=_FEATURES_ALONE),
    )


def _multiples(seed: int, stream: _Stream) -> _Multiples:
    """By rule, its cost as a multiple of the best fixed set's at known means."""
    multiples: _Multiples = {}
    for noise in _NOISES:
        # The noise changes the prior alone: costs and target are the same.
        trace = many_models(
            seed, queries=stream.queries, requests=stream.requests, zipf=stream.zipf, noise=noise
        )
        best = static_cold_known_means(trace, stream.capacity)
        rules = _with_features(noise) if multiples else (*_rules(stream), *_with_features(noise))
        for rule in rules:
            multiples[rule.name] = rule.replay(trace, stream.capacity).total_cost / best
    return multiples


def _table(cells: dict[str, tuple[Summary, ...]]) -> Table:
    rows: list[tuple[Cell, ...]] = [(name, *both) for name, both in cells.items()]
    titles = (Column(str(stream), 3, error=True) for stream in _STREAMS)
    return Table(
        "Cost, as a multiple of static + cold at known means", (Column("rule"), *titles), tuple(rows)
    )


def _panel(cells: dict[str, tuple[Summary, ...]]) -> Panel:
    rules = (*_rules(_STREAMS[0]), *(rule for noise in _NOISES for rule in _with_features(noise)))
    roles = {rule.name: rule.role for rule in rules}
    names = tuple(f"Q = {stream.queries:,}" for stream in _STREAMS)
    series = []
    for name, both in cells.items():
        heights, errors = tuple(cell.mean for cell in both), tuple(cell.error for cell in both)
        series.append(Series(name, names, heights, errors, roles[name]))
    return Panel("All requests", "", "multiple of static + cold", tuple(series))
