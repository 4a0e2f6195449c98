"""Regret: what learning costs, against one who knows the law from the start.

The rival holds for good the set that is best in expectation, for nothing, and asks the model that is cheapest
in expectation for the rest: the population optimum of arXiv 2306.02003, section 3. Both serve one stream.
"""

import math

from lecmux import Hoeffding, PooledVariance, SqrtBonus, ValueOfInformation
from lecmux.policies import PlugIn
from lecmux.reproduce.results import Cell, Chart, Check, Column, Panel, Results, Series, Table
from lecmux.reproduce.rule import COUNTED_FOR_EVER, RESCORED, Rule, paid
from lecmux.reproduce.run import Progress, over_seeds, silent
from lecmux.reproduce.summary import summary
from lecmux.sim import Artifact
from lecmux.sim.traces import Trace, synthetic
from lecmux.sim.traces._numpy import Floats, Ints, np

__all__ = ["Regret", "rival"]

_QUERIES, _CAPACITY = 20, 8
_LAWS = ((0.8, 1.5), (0.5, 100.0))
_HORIZON = 160_000
_SHOWN = (2_500, 10_000, 40_000, _HORIZON)
_FIRST, _LAST = _SHOWN[1], _SHOWN[-1]
_LEAST_COST = 0.1
_GROWING_Z = math.sqrt(2 * math.log(_HORIZON))

_Law = tuple[float, float]
_Regrets = dict[str, Floats]
"""By rule, regret after each of `_places()` requests: of one stream, or one row a stream."""


class Regret:
    """Does the price of learning flatten?"""

    name = "regret"
    seeds = 40

    def run(self, seeds: int, progress: Progress = silent) -> Results:
        """Replays streams of 160,000 requests and reads the regret off along the way."""
        found = over_seeds(lambda seed: {law: _regrets(seed, law) for law in _LAWS}, seeds, progress)
        by_law: dict[_Law, _Regrets] = {
            law: {name: np.array([each[law][name] for each in found]) for name in found[0][law]}
            for law in _LAWS
        }
        return Results(
            self.name,
            "Regret against the population optimum",
            seeds,
            tuple(table for law, regrets in by_law.items() for table in _tables(law, regrets)),
            (Chart("regret", _CAPTION, tuple(_panel(law, regrets) for law, regrets in by_law.items())),),
            tuple(check for law, regrets in by_law.items() for check in _checks(law, regrets)),
            _NOTES,
            {
                f"{_named(law)}: {name}, regret at {_LAST:,}": tuple(regret[:, -1].tolist())
                for law, regrets in by_law.items()
                for name, regret in regrets.items()
            },
        )


_CAPTION = "Regret over the root of the requests served: where it falls, learning costs ever less"

_NOTES = (
    f"Law: the paper's synthetic one, {_QUERIES} queries, room for {_CAPACITY}; one stream of {_HORIZON:,} "
    "requests a seed, the regret read off along it. Rules that need the horizon are told this one.",
    "A bound of fixed width (z = 2) fails for a fixed share of the estimates, so that its regret is linear "
    "in the end, with a small slope. With z = sqrt(2 ln T) it is not, and dearer at first.",
    "With fresh scores every entry has its worth of now at each decision, in O(n). Else a score is that of "
    "the last touch, and an entry whose other model is by now worth a look waits for its next miss.",
    "The default forgets, and pays for it for ever where the law stands still.",
)


def _rules(ratio: float) -> tuple[Rule, ...]:
    counted, lec_v = COUNTED_FOR_EVER, ValueOfInformation(2.0, 1.0)
    hoeffding = Hoeffding(delta=1 / _HORIZON, horizon=_HORIZON, queries=_QUERIES)
    growing = ValueOfInformation(_GROWING_Z, 1.0)
    return (
        Rule("LEC-V (z=2, s0=1)", "ours", counted, lec_v, cost_floor=1.0),
        Rule("LEC-V, fresh scores", "ours", RESCORED, lec_v, cost_floor=1.0),
        Rule("LEC-V, z=sqrt(2 ln T)", "ours", counted, growing, cost_floor=1.0),
        Rule("default estimator, counts kept", "ours", counted),
        Rule("pooled variance (z=2, s0=1)", "other", counted, PooledVariance(2.0, 1.0), cost_floor=1.0),
        Rule("sqrt(Q/n)", "other", counted, SqrtBonus(_QUERIES), cost_floor=1.0),
        Rule("Hoeffding", "other", counted, hoeffding, cost_floor=1.0, cost_ceiling=1.0 + ratio),
        Rule("default (forgets)", "ours"),
        Rule("plug-in", "paper", counted, PlugIn(), cost_floor=1.0),
        Rule("the paper's code (sees more)", "paper", counted, PlugIn(), feedback=Artifact()),
    )


_NO_BOUND = ("default (forgets)", "plug-in", "the paper's code (sees more)")
"""Whose regret may grow like T: they have no lower bound, or forget."""


def _places() -> Ints:
    """Requests after which the regret is read off, those of the tables among them; ascending."""
    even = np.geomspace(1_000, _HORIZON, 24).round().astype(np.int64)
    return np.unique(np.concatenate([even, np.array(_SHOWN)]))


def _regrets(seed: int, law: _Law) -> _Regrets:
    alpha, ratio = law
    trace = synthetic(seed, alpha=alpha, ratio=ratio, requests=_HORIZON, queries=_QUERIES)
    known = np.cumsum(rival(trace, _CAPACITY))
    at = _places() - 1
    return {
        rule.name: (np.cumsum(paid(rule.replay(trace, _CAPACITY), trace)) - known)[at]
        for rule in _rules(ratio)
    }


def rival(trace: Trace, capacity: int) -> Floats:
    """What each request costs the population optimum, float64 (T,)."""
    assert trace.means is not None and trace.popularity is not None
    expected = _clipped(trace.means)
    model, lost = expected.argmin(axis=1), trace.popularity * expected.min(axis=1)
    held = np.zeros(len(lost), bool)
    held[np.argsort(-lost, kind="stable")[:capacity]] = True
    cost = trace.costs[np.arange(trace.requests), model[trace.queries]]
    return np.where(held[trace.queries], 0.0, cost)


def _clipped(means: Floats) -> Floats:
    """Expectation of max(0.1, mean + N(0, 1)), elementwise."""
    short = _LEAST_COST - means
    density = np.exp(-(short**2) / 2) / math.sqrt(2 * math.pi)
    below = (1 + np.vectorize(math.erf)(short / math.sqrt(2))) / 2
    expected: Floats = _LEAST_COST * below + means * (1 - below) + density
    return expected


def _named(law: _Law) -> str:
    return f"alpha {law[0]:g}, ratio {law[1]:g}"


def _at(regrets: Floats, requests: int) -> Floats:
    """The regret of each stream after so many requests."""
    return regrets[:, int(np.searchsorted(_places(), requests))]


def _rate(regrets: Floats, requests: int) -> float:
    return float(_at(regrets, requests).mean()) / math.sqrt(requests)


def _tables(law: _Law, regrets: _Regrets) -> tuple[Table, Table]:
    titles = [f"T = {requests:,}" for requests in _SHOWN]
    means: list[tuple[Cell, ...]] = [
        (name, *(summary(_at(found, requests).tolist()) for requests in _SHOWN))
        for name, found in regrets.items()
    ]
    rates: list[tuple[Cell, ...]] = [
        (name, *(_rate(found, requests) for requests in _SHOWN)) for name, found in regrets.items()
    ]
    errors = (Column(title, 0, error=True) for title in titles)
    plain = (Column(title, 2) for title in titles)
    return (
        Table(f"Regret, {_named(law)}", (Column("rule"), *errors), tuple(means)),
        Table(f"Regret / sqrt(T), {_named(law)}", (Column("rule"), *plain), tuple(rates)),
    )


def _checks(law: _Law, regrets: _Regrets) -> list[Check]:
    def claim(name: str) -> str:
        return f"{name}, {_named(law)}: regret / sqrt(T) at {_LAST:,} over that at {_FIRST:,}"

    return [
        Check.at_most(claim(name), _rate(found, _LAST) / _rate(found, _FIRST), 1.0)
        for name, found in regrets.items()
        if name not in _NO_BOUND
    ]


def _panel(law: _Law, regrets: _Regrets) -> Panel:
    roots = np.sqrt(_places())
    roles = {rule.name: rule.role for rule in _rules(law[1])}
    series = []
    for name, found in regrets.items():
        spread = found.std(axis=0, ddof=1) if len(found) > 1 else np.zeros(len(roots))
        rows = (_places(), found.mean(axis=0) / roots, spread / math.sqrt(len(found)) / roots)
        places, heights, errors = (tuple(row.tolist()) for row in rows)
        series.append(Series(name, places, heights, errors, roles[name]))
    return Panel(
        _named(law), "requests served (T)", "regret / sqrt(T)", tuple(series), log_x=True, log_y=True
    )
