"""The paper's protocols, on streams small enough to compute by hand and on published vectors."""

import json
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="experiments need lecmux[sim]")

from lecmux.reproduce.floor import floor_cost  # noqa: E402
from lecmux.reproduce.offline import missed, offline_cost, serve  # noqa: E402
from lecmux.sim import ByCost, ByCount  # noqa: E402
from lecmux.sim.traces import Trace, synthetic  # noqa: E402

SEEDS = json.loads((Path(__file__).parents[2] / "golden" / "lec" / "seeds.json").read_text())
# Query 0 is asked three times, 1 and 2 twice, 3 once.
SMALL = Trace(
    np.array([0, 1, 1, 0, 2, 2, 0, 3]),
    np.array([[1, 2], [5, 4], [5, 6], [1, 2], [9, 1], [9, 1], [1, 2], [8, 7]], dtype=float),
)


def test_lfu_holds_what_is_asked_most_and_lec_what_costs_most() -> None:
    assert serve(SMALL, 2, ByCount()).resident == (0, 1)  # 1 before 2: asked first
    assert serve(SMALL, 2, ByCost()).resident == (1, 3)
    assert serve(SMALL, 1, ByCost(), arm=0).resident == (2,)
    assert missed(serve(SMALL, 2, ByCount())).tolist() == [4, 5, 7]


def test_misses_pay_the_model_or_what_the_selector_picks() -> None:
    assert offline_cost(SMALL, 2, arm=0, by_count=True) == 9 + 9 + 8
    assert offline_cost(SMALL, 2, arm=1, by_count=True) == 1 + 1 + 7
    assert offline_cost(SMALL, 2, arm=None, by_count=True) == 1 + 1 + 7
    assert offline_cost(SMALL, 2, arm=None, by_count=True, accuracy=0.0) == 9 + 9 + 8


def test_coins_are_those_of_the_seed_a_miss_each() -> None:
    coins = np.random.RandomState(5).uniform(0, 1, 3) < 0.5

    paid = sum(
        low if coin else high for (low, high), coin in zip([(1, 9), (1, 9), (7, 8)], coins, strict=True)
    )

    assert offline_cost(SMALL, 2, arm=None, by_count=True, accuracy=0.5, seed=5) == paid


@pytest.mark.parametrize("row", SEEDS, ids=lambda row: f"{row['alpha']}-{row['ratio']}-{row['seed']}")
def test_an_infallible_selector_offline_is_the_best_fixed_set(row: dict[str, Any]) -> None:
    trace = synthetic(row["seed"], alpha=row["alpha"], ratio=row["ratio"])

    assert offline_cost(trace, 8, arm=None, by_count=False) == pytest.approx(row["static"], abs=6e-4)


@pytest.mark.parametrize(
    ("alpha", "ratio", "mean"),
    [(0.5, 1.5, 4612.127), (0.8, 1.5, 6061.829), (0.5, 100, 8316.273), (0.8, 100, 10961.073)],
)
def test_the_floor_over_a_hundred_seeds(alpha: float, ratio: float, mean: float) -> None:
    found = [floor_cost(synthetic(seed, alpha=alpha, ratio=ratio), 8) for seed in range(100)]

    assert sum(found) / 100 == pytest.approx(mean, abs=6e-4)


def test_a_query_that_is_held_needs_no_second_look() -> None:
    means = np.array([[101.0, 1.0]])
    alone = Trace(np.zeros(50, np.int64), np.tile(means, (50, 1)), means=means, popularity=np.ones(1))

    assert floor_cost(alone, 1) == 101


def test_a_query_out_of_the_cache_looks_at_both_models_once() -> None:
    means = np.array([[1.0, 1.0], [101.0, 1.0], [101.0, 101.0]])
    queries = np.array([0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2])
    popularity = np.array([0.97, 0.01, 0.02])
    stream = Trace(queries, means[queries], means=means, popularity=popularity)

    # 1 pays both looks and stays out; 2 pays both and takes the place, being dear at either.
    assert floor_cost(stream, 1) == 1 + (101 + 1 + 1 + 1) + (101 + 101)
