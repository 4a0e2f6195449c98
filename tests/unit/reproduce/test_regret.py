"""The rival that knows the law."""

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

import numpy as np

from lecmux.reproduce.regret import rival
from lecmux.sim.traces import Trace, synthetic


def trace(popularity: list[float], means: list[list[float]], queries: list[int]) -> Trace:
    costs = np.array(means)[queries] + 0.5
    return Trace(np.array(queries), costs, means=np.array(means), popularity=np.array(popularity))


def test_it_holds_what_is_asked_often_and_dear_and_calls_the_cheaper_model() -> None:
    stream = trace([0.6, 0.3, 0.1], [[1.0, 9.0], [8.0, 4.0], [5.0, 6.0]], [0, 1, 2, 1, 0])

    assert rival(stream, 1).tolist() == [1.5, 0, 5.5, 0, 1.5]
    assert rival(stream, 2).tolist() == [0, 0, 5.5, 0, 0]


def test_no_other_set_is_cheaper_in_expectation() -> None:
    stream = synthetic(3, alpha=0.5, ratio=100, requests=60_000)
    paid = rival(stream, 8)
    held = {query for query in range(20) if not paid[stream.queries == query].any()}

    assert len(held) == 8
    cheapest = stream.mean_costs().min(axis=1) * stream.counts()
    least = np.sort(cheapest)[:-8].sum()
    assert paid.sum() == pytest.approx(least, rel=0.01)
