"""Costs that are mostly noise: a call is cheap, and now and then it went wrong and cost fifty of them."""

import random
from statistics import mean

import pytest

from lecmux import Lec, Lfu, ValueOfInformation
from lecmux.sim import simulate

REQUESTS, QUERIES = 5_000, 500
BOUND_ALONE = ValueOfInformation(least_share=0.0)


def failures(seed: int, models: int) -> tuple[list[int], list[tuple[float, ...]]]:
    """Zipf 0.9; each query fails with a probability of its own, less often with the dearer model."""
    draw = random.Random(seed)
    wrong = [draw.random() for _ in range(QUERIES)]
    queries = draw.choices(range(QUERIES), [1 / (rank + 1) ** 0.9 for rank in range(QUERIES)], k=REQUESTS)
    costs = [
        tuple(3.0**model + 50.0 * (draw.random() < wrong[query] ** (1 + model)) for model in range(models))
        for query in queries
    ]
    return queries, costs


@pytest.mark.parametrize("models", [1, 2])
def test_a_cost_paid_once_counts(models: int) -> None:
    paid: dict[str, list[float]] = {"default": [], "bound alone": [], "lfu": []}
    for seed in range(4):
        queries, costs = failures(seed, models)
        for capacity in (QUERIES // 8, QUERIES // 3):
            alone = simulate(queries, costs, capacity=capacity, estimator=BOUND_ALONE)
            paid["bound alone"].append(alone.total_cost)
            paid["default"].append(simulate(queries, costs, capacity=capacity, evict=Lec()).total_cost)
            paid["lfu"].append(simulate(queries, costs, capacity=capacity, evict=Lfu()).total_cost)

    assert mean(paid["default"]) < 0.99 * mean(paid["bound alone"])
    assert mean(paid["default"]) < mean(paid["lfu"])


def test_where_the_floor_is_known_the_bound_stands_alone() -> None:
    queries, costs = failures(9, 2)

    runs = [
        simulate(queries, costs, capacity=60, estimator=ValueOfInformation(least_share=share), cost_floor=1.0)
        for share in (0.0, 0.3, 1.0)
    ]

    assert len({run.total_cost for run in runs}) == 1
