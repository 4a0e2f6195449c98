"""A selector that errs, on the published law: memory overrules it (seeds 0 to 99, 1,000 cost units)."""

from statistics import mean
from typing import Any

import pytest

numpy = pytest.importorskip("numpy", reason="the published law draws with numpy's legacy generator")

from lecmux import Lec, ValueOfInformation  # noqa: E402  numpy first
from lecmux.sim import Guess, offline, simulate  # noqa: E402  numpy first
from lecmux.sim.traces import Trace, synthetic  # noqa: E402  numpy first

ACCURACY = 0.8
RULE: dict[str, Any] = {"capacity": 8, "estimator": ValueOfInformation(z=2, s0=1), "cost_floor": 1.0}


def guessed(trace: Trace, seed: int) -> Guess:
    """For each query, once and for all: the model that is cheaper on average, or at times the other."""
    assert trace.means is not None
    cheaper = trace.means.argmin(axis=1)
    right = numpy.random.default_rng(seed).random(len(cheaper)) < ACCURACY
    return Guess(numpy.where(right, cheaper, 1 - cheaper))


@pytest.mark.parametrize(
    ("alpha", "ratio", "static", "online"),
    [(0.5, 1.5, 4.70, 4.716), (0.8, 1.5, 6.17, 6.196), (0.5, 100, 7.50, 8.294), (0.8, 100, 10.17, 11.044)],
)
def test_a_sticky_guess_in_front_of_learning(
    alpha: float, ratio: float, static: float, online: float
) -> None:
    held, learnt = [], []
    for seed in range(100):
        trace = synthetic(seed, alpha=alpha, ratio=ratio)
        ids, costs, guess = trace.queries, trace.costs, guessed(trace, seed)
        best = offline(ids, costs, capacity=8).resident
        held.append(simulate(ids, costs, resident=best, multiplexer=guess, **RULE).total_cost / 1e3)
        run = simulate(ids, costs, evict=Lec(decay=None), multiplexer=guess, **RULE)
        learnt.append(run.total_cost / 1e3)

    # The guesses are other draws than those behind the figures.
    assert mean(held) == pytest.approx(static, rel=0.005)
    assert mean(learnt) == pytest.approx(online, rel=0.005)
