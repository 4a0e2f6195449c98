"""The size to buy."""

from itertools import pairwise

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

import numpy as np

from lecmux.reproduce.capacity import Capacity, best_size


def test_a_larger_cache_costs_less_and_no_rule_is_below_the_best_set() -> None:
    samples = Capacity().run(1).samples
    curves: dict[str, list[float]] = {}
    for name, (cost,) in samples.items():
        curves.setdefault(name.partition(",")[0], []).append(cost)

    for curve in curves.values():
        assert all(larger < smaller for smaller, larger in pairwise(curve))
    for ours, best in zip(curves["LEC (default)"], curves["best fixed set"], strict=True):
        assert best < ours < 1


def test_storage_for_nothing_is_bought_whole_and_dear_storage_not_at_all() -> None:
    costs = np.linspace(0.8, 0.1, 16)

    assert best_size(costs, 0.0)[0] == 1.0
    assert best_size(costs, 1e6) == (0.0, 1.0)
    share, total = best_size(costs, 0.5)
    assert 0 < share < 1
    assert total < 0.6
