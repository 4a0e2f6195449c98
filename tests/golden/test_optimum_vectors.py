"""Optima against vectors that were computed independently of this code."""

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from lecmux.sim import exploration_floor, optimum

FOLDER = Path(__file__).parent / "lec"
VECTORS = json.loads((FOLDER / "vectors.json").read_text())
SEEDS = json.loads((FOLDER / "seeds.json").read_text())
CELLS = [(0.5, 1.5), (0.8, 1.5), (0.5, 100), (0.8, 100)]


def test_the_twelve_requests() -> None:
    want, requests = VECTORS["bounds12"], VECTORS["lec12"]["req"]
    costs = [VECTORS["lec12"]["cost"][name] for name in requests]

    assert sum(costs) == want["no_cache"]
    assert optimum(requests, costs, 2) == want["static"]
    held = [0.0 if name in want["static_set"] else cost for name, cost in zip(requests, costs, strict=True)]
    assert sum(held) == want["static"]
    assert optimum(requests, costs, 2, kind="static_cold") == want["best_cold"]
    assert optimum(requests, costs, 2, kind="dynamic") == want["dynamic"]


def test_the_knapsack_is_exact() -> None:
    row = VECTORS["knapsack"]
    values, sizes = zip(*row["items"].values(), strict=True)

    best = sum(values) - optimum(range(3), list(map(float, values)), row["budget"], sizes=sizes)

    assert best == row["exact"][0] > row["density"][0]


@pytest.mark.parametrize(
    "row", SEEDS, ids=lambda row: f"alpha{row['alpha']}-ratio{row['ratio']}-seed{row['seed']}"
)
def test_the_published_law(row: dict[str, Any]) -> None:
    traces = pytest.importorskip("lecmux.sim.traces", reason="the published law draws with numpy")
    trace = traces.synthetic(row["seed"], alpha=row["alpha"], ratio=row["ratio"])
    asked, costs = trace.queries, trace.costs
    got = {
        "sum_min": costs.min(1).sum(),
        "static": optimum(asked, costs, 8),
        "static_cold": optimum(asked, costs, 8, kind="static_cold"),
        "dynamic": optimum(asked, costs, 8, kind="dynamic"),
        "dynamic_warm": optimum(asked, costs, 8, kind="dynamic", warm=True),
    }

    assert got == pytest.approx({name: row[name] for name in got}, abs=6e-4)


MEANS_OF_100_SEEDS = {
    # name: settings, and thousands of cost units in the four cells
    "static(min)": ({}, (3.555, 4.637, 6.211, 8.517)),
    "static(mean)": ({"mean": True}, (4.585, 6.031, 6.997, 9.602)),
    "static(mean)+cold": ({"mean": True, "kind": "static_cold"}, (4.600, 6.047, 7.478, 10.083)),
    "dynamic(min) cold": ({"kind": "dynamic"}, (1.820, 2.243, 4.302, 5.165)),
    "dynamic(min) warm": ({"kind": "dynamic", "warm": True}, (1.808, 2.230, 3.828, 4.690)),
    "dynamic(mean) cold": ({"kind": "dynamic", "mean": True}, (2.414, 2.978, 4.877, 5.840)),
}


@pytest.mark.parametrize(("settings", "thousands"), MEANS_OF_100_SEEDS.values(), ids=MEANS_OF_100_SEEDS)
def test_means_of_a_hundred_seeds(settings: dict[str, Any], thousands: tuple[float, ...]) -> None:
    traces = pytest.importorskip("lecmux.sim.traces", reason="the published law draws with numpy")
    for (alpha, ratio), want in zip(CELLS, thousands, strict=True):
        total = 0.0
        for seed in range(100):
            trace = traces.synthetic(seed, alpha=alpha, ratio=ratio)
            known = {**settings}
            if known.pop("mean", False):
                known["means"] = trace.means
            total += optimum(trace.queries, trace.costs, 8, **known)
        assert round(total / 100 / 1000, 3) == want


def test_what_exploring_costs_one_who_knows_the_law() -> None:
    traces = pytest.importorskip("lecmux.sim.traces", reason="the published law draws with numpy")
    means, medians = [], []
    for alpha, ratio in CELLS:
        paid = []
        for seed in range(100):
            trace = traces.synthetic(seed, alpha=alpha, ratio=ratio)
            law = {"popularity": trace.popularity, "means": trace.means, "arm_means": [1.0, 1.0 + ratio]}
            paid.append(exploration_floor(trace.queries, trace.costs, 8, **law) / 1000)
        means.append(round(statistics.mean(paid), 3))
        medians.append(round(statistics.median(paid), 2))

    assert means == [4.612, 6.062, 8.316, 10.961]
    assert medians[2:] == [5.69, 7.19]
