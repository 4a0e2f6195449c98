"""What `simulate` takes, gives and refuses."""

import itertools
import subprocess
import sys
from array import array
from typing import Any

import pytest

from lecmux import Lec, Lru, S3Fifo
from lecmux.errors import ConfigError, CostError
from lecmux.sim import HIT, Artifact, simulate

IDS = [3, 1, 3, 2, 3, 1, 3]
COSTS = [(1.0, 9.0), (5.0, 2.0), (1.0, 9.0), (4.0, 4.0), (1.0, 9.0), (5.0, 2.0), (1.0, 9.0)]
FLAT = [cost for row in COSTS for cost in row]


def test_results_add_up() -> None:
    run = simulate(IDS, COSTS, capacity=2)

    assert run.requests == len(IDS)
    assert run.hits == list(run.choices).count(HIT)
    paid = [row[model] for row, model in zip(COSTS, run.choices, strict=True) if model != HIT]
    assert run.total_cost == pytest.approx(sum(paid))
    assert set(run.resident) <= set(IDS)


def test_lists_and_buffers_are_the_same_trace() -> None:
    matrix = memoryview(array("d", FLAT)).cast("B").cast("d", shape=[len(IDS), 2])

    want = simulate(IDS, COSTS, capacity=2)

    assert simulate(array("q", IDS), matrix, capacity=2) == want
    assert simulate(bytes(IDS), matrix, capacity=2) == want
    assert simulate(tuple(IDS), [list(row) for row in COSTS], capacity=2) == want


def test_numpy_arrays_of_any_number_type() -> None:
    numpy = pytest.importorskip("numpy")
    want = simulate(IDS, COSTS, capacity=2)

    for ids, costs in [("int64", "float64"), ("int32", "float32"), ("uint8", "int64")]:
        assert simulate(numpy.array(IDS, ids), numpy.array(COSTS, costs), capacity=2) == want
    columns = numpy.asfortranarray(numpy.array(COSTS))
    assert simulate(numpy.array(IDS * 2)[::2][: len(IDS)], columns, capacity=2).requests == len(IDS)
    assert simulate(IDS, columns, capacity=2) == want


def test_queries_may_be_anything_hashable() -> None:
    names = {1: "a", 2: ("b", 1), 3: None}

    named = simulate([names[query] for query in IDS], COSTS, capacity=2)

    numbered = simulate(IDS, COSTS, capacity=2)
    assert named.total_cost == numbered.total_cost
    assert set(named.resident) == {names[query] for query in numbered.resident}


def test_whole_numbers_of_any_size_are_numbered() -> None:
    large = {1: 2**80, 2: -7, 3: 2**40}

    run = simulate([large[query] for query in IDS], COSTS, capacity=2)

    numbered = simulate([{3: 0, 1: 1, 2: 2}[query] for query in IDS], COSTS, capacity=2)
    assert run.total_cost == numbered.total_cost
    assert run.resident == tuple(sorted({0: 2**40, 1: 2**80, 2: -7}[query] for query in numbered.resident))


def test_texts_of_numpy_are_queries() -> None:
    numpy = pytest.importorskip("numpy")

    assert set(simulate(numpy.array(["a", "b", "a"]), [1.0] * 3, capacity=2).resident) == {"a", "b"}


@pytest.mark.parametrize("bad", [-1, 2**20, 2**62])
def test_numbers_in_a_buffer_are_dense(bad: int) -> None:
    with pytest.raises(ConfigError, match=rf"request 2: query {bad} .* number the queries from 0"):
        simulate(array("q", [0, 2**20 - 1, bad]), [1.0] * 3, capacity=1)


@pytest.mark.parametrize("requests", [0, 1, 999, 5003])
def test_the_curve_sums_the_cost_at_even_places(requests: int) -> None:
    costs = [1.0 + at % 3 for at in range(requests)]

    run = simulate([at % 7 for at in range(requests)], costs, capacity=2)

    paid = [cost if model != HIT else 0.0 for cost, model in zip(costs, run.choices, strict=True)]
    places = list(run.curve.requests)
    assert list(run.curve.costs) == pytest.approx([sum(paid[:place]) for place in places])
    assert len(places) == min(requests, 1000) + 1
    assert (places[0], places[-1]) == (0, requests)
    assert len({later - place for place, later in itertools.pairwise(places)}) <= 2


def test_an_arm_is_a_model_alone() -> None:
    for arm in (0, 1):
        alone = simulate(IDS, [row[arm] for row in COSTS], capacity=2)
        run = simulate(IDS, COSTS, capacity=2, arm=arm)
        assert (run.total_cost, run.hits, run.resident) == (alone.total_cost, alone.hits, alone.resident)
        assert set(run.choices) <= {arm, HIT}


def test_an_answer_larger_than_the_capacity_is_never_held() -> None:
    run = simulate([1, 2, 1, 2], [1.0] * 4, sizes=[9, 2, 9, 2], capacity=3, evict=Lru())

    assert run.resident == (2,)
    assert run.hits == 1
    assert simulate([1, 2, 1, 2], [1.0] * 4, sizes=[9, 2, 9, 2], capacity=2**80).hits == 2


def test_an_empty_trace_costs_nothing() -> None:
    assert simulate([], [], capacity=1).total_cost == 0.0


def test_the_seed_decides() -> None:
    ids = [at * at % 97 for at in range(5000)]
    costs = [1.0 + query for query in ids]

    assert simulate(ids, costs, capacity=9, seed=4) == simulate(ids, costs, capacity=9, seed=4)


@pytest.mark.parametrize(
    ("queries", "costs", "settings"),
    [
        (IDS, [[] for _ in IDS], {}),
        (IDS, [[1.0] * 65] * 7, {}),
        (array("d", [1.0]), [1.0], {}),
        (memoryview(bytes(4)).cast("B", shape=[2, 2]), [1.0] * 4, {}),
        ([1], memoryview(bytes(8)).cast("B", shape=[2, 2, 2]), {}),
        (IDS, COSTS, {"capacity": 0}),
        (IDS, COSTS, {"capacity": -1}),
        (IDS, COSTS, {"capacity": 1.5}),
        (IDS, COSTS, {"arm": 2}),
        (IDS, COSTS, {"arm": -1}),
        (IDS, COSTS, {"arm": True}),
        (IDS, COSTS, {"seed": 2**64}),
        (IDS, COSTS, {"cost_floor": -1.0}),
        (IDS, COSTS, {"cost_floor": float("nan")}),
        (IDS, COSTS, {"cost_floor": 2.0, "cost_ceiling": 1.0}),
        (IDS, [[1.0] * 3] * 7, {"feedback": Artifact()}),
        (IDS, COSTS, {"feedback": Artifact(success=3)}),  # type: ignore[arg-type]  # that is the point
    ],
)
def test_what_does_not_fit_is_a_typed_error(queries: Any, costs: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        simulate(queries, costs, **{"capacity": 2, **settings})


@pytest.mark.parametrize(
    ("queries", "costs", "settings", "row"),
    [
        (IDS, COSTS[1:], {}, "request 6 has no row of costs"),
        (IDS[1:], COSTS, {}, "row of costs 6 has no request"),
        (IDS, [*COSTS[1:], (1.0,)], {}, "row 6"),
        (IDS, [*COSTS[1:], 1.0], {}, "row 6"),
        (IDS, [*FLAT[:6], "x"], {}, "request 6: .*'x'"),
        (IDS, [*COSTS[:6], (1.0, None)], {}, "request 6: .*None"),
        ([1, []], [1.0] * 2, {}, "request 1"),
        (IDS, COSTS, {"sizes": [1] * 6}, "request 6 has no size"),
        (IDS, COSTS, {"sizes": [1] * 8}, "size 7 has no request"),
        (IDS, COSTS, {"sizes": [1, 1, 0, 1, 1, 1, 1]}, "request 2: a size"),
        (IDS, COSTS, {"sizes": [1, 1, 1, 1.5, 1, 1, 1]}, "row 3 is 1.5"),
        (IDS, COSTS, {"feedback": Artifact(success=[[True]] * 6)}, "7 requests"),
    ],
)
def test_the_row_at_fault_is_named(queries: Any, costs: Any, settings: dict[str, Any], row: str) -> None:
    with pytest.raises(ConfigError, match=row):
        simulate(queries, costs, **{"capacity": 2, **settings})


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_a_cost_that_cannot_be_names_its_place(cost: float) -> None:
    with pytest.raises(CostError, match="request 1, model 0"):
        simulate([1, 2], [1.0, cost], capacity=2)


@pytest.mark.parametrize("evict", [Lec(), S3Fifo()])
def test_numpy_is_not_loaded(evict: Lec | S3Fifo) -> None:
    script = (
        "import sys, lecmux\nfrom lecmux.sim import simulate\n"
        f"simulate([1, 1], [1.0, 1.0], capacity=1, evict=lecmux.{evict!r})\n"
        "assert 'numpy' not in sys.modules"
    )
    script = script.replace("decay=SelfTuned()", "decay=lecmux.SelfTuned()")
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
