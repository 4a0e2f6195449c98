"""Drift: what people ask moves, and counts that never forget go on serving the past.

The paper's requests come from one law (arXiv 2306.02003, section 3), so its counts need not forget.
"""

from lecmux import Gdsf, HalfLife, Lec, Lfu, Lru
from lecmux.reproduce.bounds import static
from lecmux.reproduce.results import Cell, Chart, Check, Column, Panel, Results, Series, Table
from lecmux.reproduce.rule import COUNTED_FOR_EVER, Rule, paid
from lecmux.reproduce.run import Progress, over_seeds, silent
from lecmux.reproduce.summary import Summary, ratio, summary
from lecmux.sim.traces import Trace, drift
from lecmux.sim.traces._numpy import Floats, np

__all__ = ["Drift"]

_CAPACITY = 20
_WINDOW = 250
_PERIODS: tuple[int | None, ...] = (2_000, 10_000, None)
_FOLLOWED = 10_000
_PAPER, _OURS = "LEC, counts for ever (paper)", "LEC, self-tuned decay (default)"
_RULES = (
    Rule(_OURS, "ours"),
    Rule(_PAPER, "paper", COUNTED_FOR_EVER),
    Rule("LEC, half-life 500", "other", Lec(decay=HalfLife(500))),
    Rule("GDSF", "other", Gdsf()),
    Rule("LRU", "other", Lru()),
    Rule("LFU", "other", Lfu()),
)
_LIMITS = {2_000: 0.78, 10_000: 0.82, None: 1.02}
"""Most that the default may cost over the paper's rule."""

_Found = tuple[dict[str, float], dict[str, Floats]]
"""Of one stream: by rule, the multiple of the bound; and the cost per request since a change, by window."""


class Drift:
    """Does the cache follow when popularity moves, and what does that cost while it does not?"""

    name = "drift"
    seeds = 40

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays streams whose popularity is dealt anew every 2,000 or 10,000 requests, or never."""
        found = over_seeds(
            lambda seed: {every: _replayed(seed, every) for every in _PERIODS}, seeds, progress
        )
        multiples = {
            (rule.name, every): [each[every][0][rule.name] for each in found]
            for rule in _RULES
            for every in _PERIODS
        }
        against = {key: ratio(values, multiples[_PAPER, key[1]]) for key, values in multiples.items()}
        samples = {f"{name}, {_named(every)}": tuple(values) for (name, every), values in multiples.items()}
        checks = tuple(
            Check.at_most(
                f"default over the paper's rule, {_named(every)}", against[_OURS, every].mean, limit
            )
            for every, limit in _LIMITS.items()
        )
        chart = Chart("drift", "Popularity that moves", (_bars(multiples), _recovery(found)))
        return Results(
            self.name,
            "Popularity that moves",
            seeds,
            (_table(multiples), _differences(against)),
            (chart,),
            checks,
            _NOTES,
            samples,
        )


_NOTES = (
    "Law: 40,000 requests for 200 queries, Zipf 0.9, room for 20; lognormal costs of deviation 1, one model; "
    "all ranks are dealt anew every D requests. The bound holds, for each stretch between two deals, the set "
    "that is best for what will be asked in it, and fills it for nothing.",
    "With popularity that stands still, counting for ever is right and self-tuned decay loses a little.",
)


def _replayed(seed: int, every: int | None) -> _Found:
    trace = drift(seed, every=every)
    bound = sum(static(piece, _CAPACITY) for piece in _pieces(trace, every))
    multiples, recoveries = {}, {}
    for rule in _RULES:
        costs = paid(rule.replay(trace, _CAPACITY), trace)
        multiples[rule.name] = float(costs.sum()) / bound
        if every == _FOLLOWED:
            # The first stretch starts with an empty cache, which is another question.
            since = costs.reshape(-1, every // _WINDOW, _WINDOW)[1:].sum(axis=2)
            recoveries[rule.name] = since.mean(axis=0) / (bound / trace.requests * _WINDOW)
    return multiples, recoveries


def _pieces(trace: Trace, every: int | None) -> list[Trace]:
    if every is None:
        return [trace]
    cuts = range(0, trace.requests, every)
    return [Trace(trace.queries[cut : cut + every], trace.costs[cut : cut + every]) for cut in cuts]


def _named(every: int | None) -> str:
    return "never" if every is None else f"D = {every:,}"


_Multiples = dict[tuple[str, int | None], list[float]]


def _table(multiples: _Multiples) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (rule.name, *(summary(multiples[rule.name, every]) for every in _PERIODS)) for rule in _RULES
    ]
    titles = (Column(_named(every), 3, error=True) for every in _PERIODS)
    title = "Cost, as a multiple of the best sets of each stretch"
    return Table(title, (Column("rule"), *titles), tuple(rows))


def _differences(against: dict[tuple[str, int | None], Summary]) -> Table:
    rules = (rule.name for rule in _RULES if rule.name != _PAPER)
    rows: list[tuple[Cell, ...]] = [
        (name, *(_percent(against[name, every]) for every in _PERIODS)) for name in rules
    ]
    titles = (Column(_named(every), 1, error=True, sign=True) for every in _PERIODS)
    title = "Cost against the paper's rule on the same streams, %"
    return Table(title, (Column("rule"), *titles), tuple(rows))


def _percent(quotient: Summary) -> Summary:
    shifted = (100 * (value - 1) for value in (quotient.mean, quotient.median, quotient.low, quotient.high))
    mean, median, low, high = shifted
    return Summary(mean, 100 * quotient.error, median, low, high, quotient.seeds)


def _bars(multiples: _Multiples) -> Panel:
    names = tuple(_named(every) for every in _PERIODS)
    series = []
    for rule in _RULES:
        cells = [summary(multiples[rule.name, every]) for every in _PERIODS]
        heights, errors = tuple(cell.mean for cell in cells), tuple(cell.error for cell in cells)
        series.append(Series(rule.name, names, heights, errors, rule.role))
    return Panel("All requests", "popularity is dealt anew", "multiple of the best sets", tuple(series))


def _recovery(found: list[dict[int | None, _Found]]) -> Panel:
    series = []
    for rule in _RULES:
        curves = np.array([each[_FOLLOWED][1][rule.name] for each in found])
        places = tuple(float(_WINDOW * (place + 0.5)) for place in range(curves.shape[1]))
        series.append(Series(rule.name, places, tuple(curves.mean(axis=0).tolist()), role=rule.role))
    title = f"After a deal, D = {_FOLLOWED:,}"
    return Panel(title, "requests since the deal", "multiple of the mean of the best sets", tuple(series))
