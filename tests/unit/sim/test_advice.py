"""Replays with a static set, a first guess and a prior."""

from array import array
from typing import Any

import pytest

from lecmux import Lec, Lfu
from lecmux.errors import ConfigError, CostError
from lecmux.policies import PlugIn
from lecmux.sim import HIT, Guess, Prior, simulate

QUERIES = [0, 1, 0, 1, 2, 0]
COSTS = [(1.0, 9.0), (5.0, 2.0), (1.0, 9.0), (5.0, 2.0), (4.0, 3.0), (1.0, 9.0)]
NOTHING_FITS: dict[str, Any] = {"capacity": 1, "sizes": [2] * 6, "evict": Lec(decay=None)}


def test_residents_are_held_from_the_start_and_for_good() -> None:
    run = simulate(QUERIES, COSTS, capacity=2, resident=[1, 7])

    assert run.resident == (1,)
    assert [at for at, choice in enumerate(run.choices) if choice == HIT] == [1, 3]


def test_nobody_is_held_where_nobody_is_named() -> None:
    assert simulate(QUERIES, COSTS, capacity=2, resident=[]).hits == 0


def test_residents_go_by_their_names() -> None:
    names = ["a", ("b", 1), None]

    run = simulate([names[query] for query in QUERIES], COSTS, capacity=2, resident=[("b", 1), "never asked"])

    assert run.resident == (("b", 1),)
    assert run.hits == 2


def test_residents_must_fit() -> None:
    assert simulate(QUERIES, COSTS, capacity=5, resident=[0, 2], sizes=[3, 9, 9, 9, 2, 9]).hits == 4
    with pytest.raises(ConfigError, match="resident queries need 5, but capacity is 4"):
        simulate(QUERIES, COSTS, capacity=4, resident=[0, 2], sizes=[3, 9, 9, 9, 2, 9])


def test_costs_are_learnt_beside_a_static_set() -> None:
    run = simulate([0, 1] * 20, [(9.0, 1.0), (1.0, 1.0)] * 20, capacity=1, resident=[1], cost_floor=1.0)

    assert list(run.choices[::2])[-1] == 1
    assert set(run.choices[1::2]) == {HIT}


@pytest.mark.parametrize("evict", [Lec(decay=None), Lfu()])
def test_a_guess_is_tried_first_and_memory_overrules_it(evict: Lec | Lfu) -> None:
    costs = [(1.0, 9.0), (5.0, 2.0)] * 10
    settings: dict[str, Any] = {"capacity": 1, "sizes": [2] * 20, "evict": evict, "cost_floor": 1.0}

    right = simulate([0, 1] * 10, costs, multiplexer=Guess([0, 1]), **settings)
    wrong = simulate([0, 1] * 10, costs, multiplexer=Guess([1, 0]), **settings)

    assert list(right.choices)[:2] == [0, 1]
    assert list(wrong.choices)[:2] == [1, 0]
    assert list(wrong.choices)[-2:] == [0, 1]


def test_a_guess_may_change_by_request() -> None:
    each = Guess([1, 0, 0, 0, -1, 0], per_request=True)

    run = simulate(QUERIES, COSTS, multiplexer=each, estimator=PlugIn(), **NOTHING_FITS)

    assert list(run.choices)[:2] == [1, 0]


def test_a_prior_decides_until_costs_do() -> None:
    prior = [(9.0, 1.0), (1.0, 9.0), (5.0, 5.0)]

    weak = simulate(QUERIES, COSTS, multiplexer=Prior(prior, strength=0.01), **NOTHING_FITS)
    strong = simulate(QUERIES, COSTS, multiplexer=Prior(prior, strength=1e6), **NOTHING_FITS)

    assert list(strong.choices) == [1, 0, 1, 0, 0, 1]
    assert list(weak.choices)[:2] == [1, 0]
    assert weak.choices[-1] == 0, "the true cost of 9 shows"


def test_arrays_of_any_number_type() -> None:
    numpy = pytest.importorskip("numpy")
    want = simulate(QUERIES, COSTS, multiplexer=Guess([1, 1, 0]), **NOTHING_FITS)

    for kind in ("int8", "int64", "uint8"):
        guess = Guess(numpy.array([1, 1, 0], kind))
        assert simulate(QUERIES, COSTS, multiplexer=guess, **NOTHING_FITS) == want
    held = simulate(QUERIES, COSTS, capacity=2, resident=numpy.array([0, 2]))
    assert held == simulate(QUERIES, COSTS, capacity=2, resident=array("q", [0, 2]))
    prior = numpy.asfortranarray([(9, 1), (1, 9), (5, 5)])
    assert simulate(QUERIES, COSTS, capacity=1, multiplexer=Prior(prior)) == simulate(
        QUERIES, COSTS, capacity=1, multiplexer=Prior(prior.tolist())
    )


@pytest.mark.parametrize(
    ("queries", "settings", "what"),
    [
        (QUERIES, {"multiplexer": Guess([0, 1])}, "query 2 has no guess"),
        (QUERIES, {"multiplexer": Guess([0, 1, 2])}, "guess 2: model 2"),
        (QUERIES, {"multiplexer": Guess([0, 1, 300])}, "guess"),
        (QUERIES, {"multiplexer": Guess([0.5] * 3)}, "row 0 is 0.5"),
        (QUERIES, {"multiplexer": Guess([0] * 5, per_request=True)}, "5 guesses"),
        (QUERIES, {"multiplexer": Prior([(1.0, 2.0)] * 2)}, "query 2 has no prior"),
        (QUERIES, {"multiplexer": Prior([1.0] * 6)}, "1 models does not fit"),
        ("ababca", {"multiplexer": Prior([(1.0, 2.0)] * 3)}, "numbers from 0"),
        ("ababca", {"multiplexer": Guess([0, 1, 0])}, "numbers from 0"),
        (QUERIES, {"resident": ["a"]}, "resident must be whole numbers"),
    ],
)
def test_advice_that_does_not_fit_is_refused(queries: Any, settings: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        simulate(queries, COSTS, capacity=2, **settings)


def test_a_prior_that_is_no_cost_is_refused() -> None:
    with pytest.raises(CostError, match="prior of query 1"):
        simulate(QUERIES, COSTS, capacity=2, multiplexer=Prior([(1.0, 2.0), (1.0, -2.0), (1.0, 1.0)]))
    with pytest.raises(ConfigError, match=r"Prior\.strength"):
        Prior([(1.0, 2.0)], strength=0.0)
