"""Popularity that moves: what the marks say holds on streams that were not used to tune."""

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce.drift import Drift


def test_the_default_follows_and_loses_little_where_nothing_moves() -> None:
    results = Drift().run(3)

    assert [check.holds for check in results.checks] == [True, True, True]


def test_no_rule_is_below_the_best_sets() -> None:
    results = Drift().run(2)

    assert min(min(sample) for sample in results.samples.values()) > 1.0
