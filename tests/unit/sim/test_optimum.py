"""What `optimum` and `lower_bound` give and refuse."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecmux import Gdsf, Lec, Lfu, Lru, S3Fifo, ValueOfInformation
from lecmux.errors import ConfigError, CostError
from lecmux.policies import PlugIn
from lecmux.sim import exploration_floor, lower_bound, optimum, simulate

IDS = [0, 1, 0, 2, 0, 1, 0]
COSTS = [(1.0, 9.0), (5.0, 2.0), (1.0, 9.0), (4.0, 4.0), (1.0, 9.0), (5.0, 2.0), (1.0, 9.0)]
POLICIES = (Lec(), Gdsf(), Lfu(), Lru(), S3Fifo())

traces = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 9)), max_size=60)


def test_any_hashables_are_the_same_trace() -> None:
    names = {0: "a", 1: ("b", 1), 2: None}

    for kind, capacity in itertools.product(("static", "static_cold", "dynamic"), (1, 2)):
        numbers = optimum(IDS, COSTS, capacity, kind=kind)
        assert optimum([names[query] for query in IDS], COSTS, capacity, kind=kind) == numbers


def test_what_each_kind_pays() -> None:
    # Without a cache 4 x 1 + 2 x 2 + 4; with room for one answer, query 0 and query 1 save 4 each.
    assert optimum(IDS, COSTS, 1) == 8.0
    assert optimum(IDS, COSTS, 1, kind="static_cold") == 9.0
    # Clairvoyance holds query 0, or 1 in between.
    assert optimum(IDS, COSTS, 1, kind="dynamic") == 9.0
    assert optimum(IDS, COSTS, 2, kind="dynamic") == 1.0 + 2.0 + 4.0
    # From the start query 2, which costs most, until it was asked.
    assert optimum(IDS, COSTS, 1, kind="dynamic", warm=True) == 7.0
    assert optimum(IDS, COSTS, 3, kind="dynamic", warm=True) == 0.0


def test_noise_is_foreseen_unless_means_are_asked_for() -> None:
    costs = [(1.0, 2.0), (4.0, 2.0), (1.0, 3.0)]

    assert optimum([0, 0, 1], costs, 1) == 1.0
    assert optimum([0, 0, 1], costs, 1, mean=True) == 1.0
    assert optimum([0, 0, 1], costs, 1, means=[(9, 1), (9, 1)]) == 3.0
    assert optimum([0, 0, 1], costs, 1, means=[(1, 9), (9, 1)], kind="static_cold") == 4.0
    # The first of equals.
    assert optimum([0, 0, 1], costs, 1, means=[(1, 1), (9, 1)], kind="static_cold") == 4.0


@given(traces, st.integers(1, 4))
def test_no_policy_goes_below_the_dynamic_optimum(trace: list[tuple[int, int, int]], capacity: int) -> None:
    ids, costs = [query for query, *_ in trace], [row[1:] for row in trace]
    least = optimum(ids, costs, capacity, kind="dynamic")

    assert lower_bound(ids, costs, capacity) <= least + 1e-9
    assert least <= optimum(ids, costs, capacity, kind="static_cold")
    assert optimum(ids, costs, capacity) <= optimum(ids, costs, capacity, kind="static_cold")
    for evict, estimator in itertools.product(POLICIES, (ValueOfInformation(), PlugIn())):
        assert least <= simulate(ids, costs, capacity=capacity, evict=evict, estimator=estimator).total_cost


@given(traces, st.integers(1, 20))
def test_no_policy_goes_below_the_bound_with_sizes(trace: list[tuple[int, int, int]], capacity: int) -> None:
    ids, costs, sizes = [row[0] for row in trace], [row[1] for row in trace], [1 + row[2] for row in trace]

    least = lower_bound(ids, costs, capacity, sizes=sizes)

    for evict in POLICIES:
        assert least <= simulate(ids, costs, capacity=capacity, sizes=sizes, evict=evict).total_cost + 1e-9


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"capacity": 0}, "capacity"),
        ({"capacity": 1.5}, "capacity"),
        ({"kind": "best"}, "'static', 'static_cold', 'dynamic'"),
        ({"warm": True}, "warm"),
        ({"kind": "dynamic", "sizes": [1, 1, 1, 1, 1, 1, 2]}, "request 6.*NP-hard.*lower_bound"),
        ({"sizes": [1] * 6}, "request 6 has no size"),
        ({"mean": True, "means": COSTS}, "one of them"),
        ({"means": [1.0]}, "2 models"),
        ({"means": COSTS[:2]}, "query 2"),
        ({"queries": "abacaba", "means": COSTS}, "number the queries"),
        ({"costs": COSTS[1:]}, "costs"),
    ],
)
def test_what_cannot_be_is_a_typed_error(settings: dict[str, Any], says: str) -> None:
    arguments = {"queries": IDS, "costs": COSTS, "capacity": 1, **settings}
    with pytest.raises(ConfigError, match=says):
        optimum(**arguments)


def test_a_knapsack_that_is_too_hard_is_a_typed_error() -> None:
    # Even sizes cannot fill an odd capacity, and with equal densities nothing shows that early.
    sizes = [2 * (pow(3, place, 2**31 - 1) + 1) for place in range(1, 61)]

    with pytest.raises(ConfigError, match="too hard to solve exactly"):
        optimum(range(60), [float(size) for size in sizes], sum(sizes) // 2 | 1, sizes=sizes)


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_a_cost_that_cannot_be_names_its_place(cost: float) -> None:
    for bound in (optimum, lower_bound):
        with pytest.raises(CostError, match="request 1, model 0"):
            bound([0, 1], [1.0, cost], 1)


def test_one_who_knows_the_law_looks_where_it_pays() -> None:
    asked, costs = [0] * 6, [(5.0, 1.0)] * 6
    law = {"popularity": [0.5, 0.5], "means": [(5.0, 1.0), (1.0, 1.0)], "arm_means": [1.0, 5.0]}

    # One look and it holds the answer.
    assert exploration_floor(asked, costs, 1, **law) == 5.0
    # The place goes to query 0 once its models are known to be dear, and not before.
    dear = {**law, "means": [(5.0, 5.0), (1.0, 1.0)]}
    assert exploration_floor([1, 0, 0, 0, 0], [(1.0, 1.0)] + [(5.0, 5.0)] * 4, 1, **dear) == 1.0 + 5.0 + 5.0
    assert exploration_floor([], [[]][:0], 1, **{**law, "means": [1.0, 1.0]}) == 0.0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"capacity": 0}, "capacity"),
        ({"means": [(1.0, 1.0)]}, "each of the 2"),
        ({"queries": [0, 2]}, "up to 2"),
        ({"arm_means": []}, "arm_means"),
        ({"popularity": [0.5, float("inf")]}, "finite"),
    ],
)
def test_a_law_that_does_not_fit_is_a_typed_error(settings: dict[str, Any], says: str) -> None:
    law = {"popularity": [0.5, 0.5], "means": [(1.0, 2.0)] * 2, "arm_means": [1.0, 2.0]}
    arguments = {"queries": [0, 1], "costs": [(1.0, 2.0)] * 2, "capacity": 1, **law, **settings}
    with pytest.raises(ConfigError, match=says):
        exploration_floor(**arguments)
