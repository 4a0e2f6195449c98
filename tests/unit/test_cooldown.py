"""A model that fails three times in a row rests, for 5 s and then twice as long each time, up to 60 s."""

import pytest

from lecmux.routers._cooldown import Cooldown

MODELS = ["a", "b"]


def _failing(times: int, *, now: float = 0.0) -> Cooldown:
    cooldown = Cooldown()
    for _ in range(times):
        cooldown.failed("a", now)
    return cooldown


def test_two_failures_are_forgiven_and_the_third_is_not() -> None:
    assert _failing(2).rested(MODELS, 0.0) == ["a", "b"]
    assert _failing(3).rested(MODELS, 0.0) == ["b"]
    assert _failing(3).rested(MODELS, 5.0) == ["a", "b"]


def test_an_answer_ends_the_count() -> None:
    cooldown = _failing(2)
    cooldown.worked("a")

    assert cooldown.calm
    assert cooldown.failed("a", 0.0) == 1


def test_after_a_rest_one_request_probes_while_others_keep_off() -> None:
    cooldown = _failing(3)

    cooldown.asked("a", 5.0)

    assert cooldown.rested(MODELS, 5.0) == ["b"]
    assert cooldown.rested(MODELS, 10.0) == ["a", "b"], "a probe that never told does not bar it for ever"
    cooldown.worked("a")
    assert cooldown.rested(MODELS, 5.0) == ["a", "b"]


def test_each_failed_probe_doubles_the_rest_up_to_a_minute() -> None:
    cooldown, now, rests = _failing(3), 0.0, []
    for _ in range(6):
        rest = next(rest for rest in range(1, 100) if "a" in cooldown.rested(MODELS, now + rest))
        rests.append(rest)
        now += rest
        cooldown.asked("a", now)
        cooldown.failed("a", now)

    assert rests == [5, 10, 20, 40, 60, 60]


def test_where_all_rest_the_least_bad_is_asked() -> None:
    cooldown = _failing(4)
    for _ in range(3):
        cooldown.failed("b", 0.0)

    assert cooldown.rested(MODELS, 1.0) == ["b"]
    assert cooldown.rested(["a"], 1.0) == ["a"]
    assert cooldown.rested([], 1.0) == []


@pytest.mark.parametrize(("asked", "rest"), [(7.0, 7.0), (3600.0, 60.0), (0.0, 0.0)])
def test_a_model_that_names_its_rest_gets_it_within_bounds(asked: float, rest: float) -> None:
    cooldown = Cooldown()
    cooldown.failed("a", 0.0, rest_seconds=asked)

    assert cooldown.rested(MODELS, rest) == ["a", "b"]
    assert rest == 0.0 or cooldown.rested(MODELS, rest - 0.1) == ["b"]
