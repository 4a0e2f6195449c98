"""Which settings are robust."""

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce.grid import DEFAULT, Told, family, grid
from lecmux.reproduce.sensitivity import Sensitivity


def test_every_setting_is_tried_once() -> None:
    rules = grid(Told(ceiling=101.0, horizon=100, queries=5))
    names = [rule.name for rule in rules]

    assert len(set(names)) == len(names)
    assert len({(rule.estimator, rule.cost_floor) for rule in rules}) == len(rules)
    assert DEFAULT in names
    assert len(set(map(family, names))) == 6


def test_the_default_is_near_the_best_on_every_law_and_the_range_bounds_are_not() -> None:
    results = Sensitivity().run(2)

    assert all(check.holds for check in results.checks)
    worst = {row[0]: row[1] for row in results.tables[0].rows}
    assert isinstance(worst["default"], float)
    for name in ("Hoeffding", "empirical Bernstein"):
        least = worst[name]
        assert isinstance(least, float) and least > 1.5 > worst["default"]
