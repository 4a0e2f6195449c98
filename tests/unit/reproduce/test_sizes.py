"""Answers of different sizes."""

import pytest

pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce.sizes import Sizes


def test_cost_per_byte_is_near_the_knapsack_and_cost_alone_is_not() -> None:
    results = Sizes().run(3)

    assert all(check.holds for check in results.checks)
    for law in ("cost ~ size^0", "cost ~ size^0.5", "cost ~ size^1"):
        end = f", {law}"
        named = ((name, sample) for name, sample in results.samples.items() if name.endswith(end))
        of = {name.removesuffix(end): sample for name, sample in named}
        for default, value, greedy in zip(
            of["LEC, cost per byte (default)"],
            of["LEC, cost alone"],
            of["fixed set by cost per byte"],
            strict=True,
        ):
            assert 1.0 <= greedy + 1e-9 < default < value
