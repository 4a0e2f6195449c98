"""The compiled router: what it keeps, what it refuses, how it comes back."""

import threading
from typing import Any

import pytest

from lecmux import Cache, ValueOfInformation
from lecmux._core import Router
from lecmux.errors import ConfigError, CostError, SnapshotError, ValueTypeError


def _router(models: int = 2, **settings: Any) -> Router:
    return Router(models, estimator=ValueOfInformation()._spec(), **settings)


def _taught() -> Router:
    router = _router(seed=5)
    for number in range(20):
        router.observe(f"q{number}", 0, 4.0)
        router.observe(f"q{number}", 1, 1.0 if number % 2 else 9.0)
    return router


def test_a_choice_shows_what_it_rests_on() -> None:
    choice = _taught().decide("q1", count=3.0)

    assert (choice.model, choice.reason, choice.propensity) == (1, "lowest_bound", 1.0)
    assert choice.mean == [4.0, 1.0]
    assert choice.tries == [1, 1]
    assert all(bound <= mean for bound, mean in zip(choice.lower, (4.0, 1.0), strict=True))


def test_only_allowed_models_are_chosen() -> None:
    assert (_taught().decide("q1", allowed=[0]).model, _taught().decide("new", allowed=[1]).reason) == (
        0,
        "only",
    )


def test_scope_and_fingerprint_keep_queries_apart() -> None:
    router = _taught()

    parts: list[dict[str, Any]] = [{"scope": "a"}, {"fingerprint": "b"}]
    for part in parts:
        assert router.decide("q1", **part).tries == [0, 0]


def test_a_cost_learnt_later_is_added() -> None:
    router = _taught()

    assert router.amend("q1", 1, 5.0)
    assert router.decide("q1").mean == [4.0, 6.0]
    assert not router.amend("unknown", 1, 5.0)


def test_it_comes_back_from_bytes() -> None:
    router = _taught()
    again = Router.from_bytes(router.to_bytes())

    again.check()
    assert len(again) == len(router) == 20
    assert again.to_bytes() == router.to_bytes()
    for number in range(22):
        ours, theirs = (r.decide(f"q{number}", count=9.0) for r in (router, again))
        assert (ours.model, ours.reason, ours.lower) == (theirs.model, theirs.reason, theirs.lower)


def test_damaged_cut_and_foreign_bytes_are_refused() -> None:
    sealed = _taught().to_bytes()
    damaged = bytearray(sealed)
    damaged[len(damaged) // 2] ^= 1
    cache = Cache(capacity_bytes=10_000)
    for other in (b"", b"LECMUX", sealed[:-1], sealed + b"x", bytes(damaged), cache.to_bytes("{}")):
        with pytest.raises(SnapshotError):
            Router.from_bytes(other)


def test_memory_is_bounded_by_max_keys() -> None:
    router = _router(max_keys=10)
    for number in range(100):
        router.observe(f"q{number}", 0, 1.0)

    router.check()
    assert len(router) == 10


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_an_impossible_cost_is_refused(cost: float) -> None:
    router = _router()
    with pytest.raises(CostError):
        router.observe("q", 0, cost)
    assert len(router) == 0


@pytest.mark.parametrize(
    ("models", "settings"),
    [
        (0, {}),
        (65, {}),
        (2, {"max_keys": 0}),
        (2, {"cost_floor": -1.0}),
        (2, {"cost_floor": 2.0, "cost_ceiling": 1.0}),
    ],
)
def test_settings_out_of_range_are_refused(models: int, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        _router(models, **settings)


def test_what_does_not_fit_is_refused() -> None:
    router = _router()
    with pytest.raises(ConfigError):
        router.observe("q", 2, 1.0)
    with pytest.raises(ConfigError):
        router.decide("q", allowed=[])
    with pytest.raises(ConfigError):
        router.decide("q", count=float("nan"))
    with pytest.raises(ValueTypeError):
        router.observe("\udc80", 0, 1.0)


def test_threads_lose_no_observation() -> None:
    router = _router()

    def observe() -> None:
        for number in range(1000):
            router.observe(f"q{number % 7}", 0, 2.0)

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(router.decide(f"q{number}").tries[0] for number in range(7)) == 4000
