"""The parts of a remote model that need no network: health, the budget of retries, and the order of tries."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecmux.errors import ModelClosedError, ModelError, ModelUnavailableError
from lecmux.models._failures import Failed, Failure
from lecmux.models._health import Health, RetryBudget
from lecmux.models._remote import Lane, Remote
from lecmux.models.endpoints import Cooldown, Endpoint, Retries
from lecmux.testing import FakeClock


def test_failures_in_a_row_cool_down_longer_and_longer() -> None:
    health = Health(Cooldown(failures=3, first_seconds=5, longest_seconds=60))
    now, waits = 0.0, []
    for _ in range(8):
        health.failed(now)
        waits.append(max(0.0, health.ready_at - now))
        now = max(now, health.ready_at)

    assert waits == [0, 0, 5, 10, 20, 40, 60, 60]


def test_one_success_forgets_the_failures() -> None:
    health = Health(Cooldown(failures=2))
    for _ in range(5):
        health.failed(0.0)
        health.worked()

    assert health.admits(0.0)


def test_after_a_cooldown_one_call_tries_while_the_others_pass_by() -> None:
    health = Health(Cooldown(failures=1, first_seconds=5))
    health.failed(0.0)
    assert not health.admits(4.9)
    assert health.admits(5.0)

    health.asked()
    assert not health.admits(6.0)
    health.left()  # the call was cancelled: that tells nothing
    assert health.admits(6.0)
    health.asked()
    health.worked()
    assert health.admits(6.0)


def test_the_budget_is_a_part_of_the_calls() -> None:
    budget = RetryBudget(Retries(budget=0.1, burst=3))
    taken = []
    for _ in range(1000):
        budget.called()
        taken.append(budget.take())

    assert sum(taken) == pytest.approx(1000 * 0.1 + 3, abs=1)
    assert taken[:3] == [True] * 3


def test_without_a_budget_nothing_is_tried_again() -> None:
    budget = RetryBudget(Retries(budget=0.0, burst=0))
    budget.called()

    assert not budget.take()


class Ways:
    """Tries that go as drawn: None is an answer, anything else a failure of that kind."""

    def __init__(self, lanes: int, retries: Retries) -> None:
        self.clock = FakeClock()
        self.sleeps: list[float] = []
        self.tries: list[int] = []
        endpoints = [Endpoint(f"http://h{number}/v1") for number in range(lanes)]
        self.remote = Remote(
            "m",
            endpoints,
            retries=retries,
            cooldown=Cooldown(),
            clock=self.clock,
            sleep=self._sleep,
            draw=lambda: 1.0,
        )

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.clock.advance(seconds)

    def call(self, outcomes: list[Failure | None]) -> int:
        """The number of the try that was answered."""
        left = iter(outcomes)

        async def attempt(lane: Lane, deadline: float) -> int:
            self.tries.append(int(lane.endpoint.host[1:]))
            outcome = next(left, None)
            if outcome is None:
                return len(self.tries)
            raise Failed(outcome)

        async def run() -> int:
            return await self.remote._tracked(self.remote._reach(attempt, self.remote.deadline()))

        return asyncio.run(run())


def _failure(**how: object) -> Callable[[], Failure]:
    return lambda: Failure(ModelUnavailableError("down"), **how)  # type: ignore[arg-type]


KINDS = {
    "retry": _failure(retry=True),
    "busy": _failure(retry=True, cool_down=True, retry_after_seconds=200.0),
    "elsewhere": _failure(),
    "refused": _failure(elsewhere=False, unwell=False),
}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([*KINDS, "answer"]), max_size=12), min_size=1, max_size=12),
    st.integers(1, 3),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_whatever_fails_tries_and_waits_stay_in_bounds(
    calls: list[list[str]], lanes: int, times: int, burst: int
) -> None:
    retries = Retries(times=times, burst=burst)
    ways = Ways(lanes, retries)
    waited = 0
    for kinds in calls:
        before = len(ways.tries)
        outcomes = [KINDS[kind]() if kind in KINDS else None for kind in kinds]
        try:
            answered = ways.call(outcomes)
        except ModelError:
            assert "answer" not in kinds[: len(ways.tries) - before]
        else:
            # It was the last try, and the first that could be answered.
            assert answered == len(ways.tries)
            assert "answer" not in kinds[: len(ways.tries) - before - 1]
            assert "refused" not in kinds[: len(ways.tries) - before]
        assert 1 <= len(ways.tries) - before <= lanes * (1 + times)
        assert len(ways.sleeps) - waited <= times
        waited = len(ways.sleeps)
    assert all(0 <= seconds <= retries.retry_after_at_most_seconds for seconds in ways.sleeps)
    assert len(ways.sleeps) <= burst + len(calls) * retries.budget + 1


def test_a_closed_model_tries_nothing() -> None:
    ways = Ways(2, Retries())
    asyncio.run(ways.remote.aclose())

    with pytest.raises(ModelClosedError):
        ways.call([None])
    assert ways.tries == []
