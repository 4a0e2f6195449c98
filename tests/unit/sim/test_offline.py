"""The offline protocol: what is held, what a selector's coins cost, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from lecmux.errors import ConfigError, CostError
from lecmux.sim import HIT, ByCost, ByCount, Rank, offline

VECTORS = json.loads((Path(__file__).parents[2] / "golden" / "lec" / "vectors.json").read_text())

# "c" is asked most, "a" costs most, at the least as at the most.
QUERIES = "ccabbc"
COSTS = [(1.0, 4.0), (4.0, 1.0), (9.0, 8.0), (3.0, 3.5), (3.0, 3.5), (1.0, 4.0)]


@pytest.mark.parametrize(("rank", "held", "paid"), [(ByCount(), "c", 14.0), (ByCost(), "a", 9.0)])
def test_what_ranks_highest_is_held_from_the_start(rank: Rank, held: str, paid: float) -> None:
    run = offline(QUERIES, COSTS, capacity=1, rank=rank)

    assert run.resident == (held,)
    assert run.total_cost == paid
    assert run.hits == QUERIES.count(held) == list(run.choices).count(HIT)
    assert run.curve.costs[-1] == paid


def test_an_arm_ranks_by_its_own_costs() -> None:
    run = offline(QUERIES, COSTS, capacity=1, arm=1)

    assert run.resident == ("c",)
    assert run.total_cost == 15.0


def test_a_rank_that_knows_how_often_the_selector_errs() -> None:
    row = VECTORS["acc_rank"]
    block = [name for name, share in row["P"].items() for _ in range(round(10 * share))]
    asked = block * 20_000
    costs = [row["minmax"][name] for name in asked]
    for rank, held in [(ByCost(), row["rank_min"]), (ByCost(row["acc"]), row["rank_aware"])]:
        run = offline(asked, costs, capacity=1, rank=rank, accuracy=row["acc"], seed=5)

        assert run.resident == (held,)
        assert run.total_cost / len(asked) == pytest.approx(row["cost"][held], rel=0.01)


def test_the_selector_errs_as_often_as_it_says() -> None:
    asked = [0] * 20_000

    wrong = offline(asked, [(1.0, 2.0)] * len(asked), sizes=[2] * len(asked), capacity=1, accuracy=0.8)

    assert wrong.hits == 0
    assert list(wrong.choices).count(1) / len(asked) == pytest.approx(0.2, abs=0.01)


def test_coins_are_a_function_of_the_seed() -> None:
    def run(seed: int) -> Any:
        return offline([0] * 500, [(1.0, 2.0)] * 500, sizes=[2] * 500, capacity=1, accuracy=0.5, seed=seed)

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_larger_answers_must_save_more() -> None:
    run = offline("aabb", [3.0] * 4, sizes=[5, 5, 1, 1], capacity=5)

    assert run.resident == ("b",)


@pytest.mark.parametrize(
    "settings",
    [
        {"capacity": 0},
        {"accuracy": 1.5},
        {"accuracy": float("nan")},
        {"accuracy": True},
        {"arm": 2},
        {"seed": -1},
        {"sizes": [1]},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        offline(QUERIES, COSTS, **{"capacity": 1, **settings})


def test_a_believed_accuracy_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ByCost\.accuracy"):
        ByCost(-0.1)


def test_a_cost_that_cannot_be_names_its_place() -> None:
    with pytest.raises(CostError, match="request 1, model 0"):
        offline("ab", [1.0, -1.0], capacity=1)
