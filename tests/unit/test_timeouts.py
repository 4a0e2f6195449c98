"""A model that takes too long has failed; what it says later is dropped, and nothing of it is stored."""

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from lecmux import AsyncCache, Cache, Query, Router
from lecmux._deadline import Deadline, _Work
from lecmux.errors import ConfigError, ModelTimeoutError

SOON, NEVER = 0.05, 30.0


class Hanging:
    """A model that answers when told to."""

    def __init__(self) -> None:
        self.go, self.ended = threading.Event(), threading.Event()

    def __call__(self, query: Query) -> str:
        self.go.wait(30)
        self.ended.set()
        return "late"

    def end(self) -> None:
        self.go.set()
        assert self.ended.wait(30)


def test_a_late_answer_is_dropped() -> None:
    cache, model = Cache(100_000), Hanging()

    with pytest.raises(ModelTimeoutError, match=r"slow did not answer within timeout_seconds=0\.05"):
        cache.answer("q", models={"slow": model}, timeout_seconds=SOON)
    model.end()

    assert cache.get("q") is None
    assert cache.answer("q", models={"slow": lambda query: "in time"}).value == "in time"


def test_another_model_answers_in_its_place() -> None:
    cache, model = Cache(100_000), Hanging()
    router = Router(["slow", "quick"])

    done = cache.answer(
        "q", models={"slow": model, "quick": lambda query: "here"}, router=router, timeout_seconds=SOON
    )
    model.end()

    assert (done.value, done.decision.failed) == ("here", ("slow",))
    assert cache.get("q") == "here"
    assert done.decision.cost is not None
    assert done.decision.cost >= SOON, "the time that was waited is charged"


def test_what_comes_in_time_is_handed_on_with_its_errors_and_its_context() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    name.set("alice")
    error = OSError("down")

    def broken(query: Query) -> str:
        raise error

    done = Cache(100_000).answer("q", models={"m": lambda query: name.get()}, timeout_seconds=NEVER)
    with pytest.raises(OSError, match="down") as raised:
        Cache(100_000).answer("q", models={"m": broken}, timeout_seconds=NEVER)

    assert done.value == "alice"
    assert raised.value is error


def test_a_model_under_a_limit_may_ask_its_own_question_again() -> None:
    cache = Cache(100_000)

    def reenter(query: Query) -> str:
        return str(cache.answer(query, models={"m": lambda inner: "inner"}).value) + " and outer"

    assert cache.answer("q", models={"m": reenter}, timeout_seconds=NEVER).value == "inner and outer"


def test_those_who_wait_for_a_request_that_timed_out_take_over() -> None:
    cache, model, values = Cache(100_000), Hanging(), []

    def lead() -> None:
        with pytest.raises(ModelTimeoutError):
            cache.answer("q", models={"m": model}, timeout_seconds=0.3)

    first = threading.Thread(target=lead)
    first.start()
    while not cache._flight._leads:
        pass
    second = threading.Thread(
        target=lambda: values.append(cache.answer("q", models={"m": lambda query: "mine"}).value)
    )
    second.start()
    first.join(30)
    second.join(30)
    model.end()

    assert values == ["mine"]


def test_threads_that_are_stuck_stay_bounded() -> None:
    deadline, models = Deadline(most_stuck=2), [Hanging(), Hanging()]
    for model in models:
        with pytest.raises(ModelTimeoutError, match="did not answer"):
            deadline.call("m", SOON, lambda model=model: model(Query("q")))  # type: ignore[misc]

    with pytest.raises(ModelTimeoutError, match="2 earlier calls that took too long still run"):
        deadline.call("m", NEVER, lambda: "at once")
    for model in models:
        model.end()
    while deadline._stuck:  # the threads are about to end
        pass

    assert deadline.call("m", NEVER, lambda: "again") == "again"


class _Interrupting(_Work):
    """Whoever waits for it is interrupted."""

    class Done(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self.done = self.Done()


def test_an_interrupt_of_the_one_who_waits_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, model = Cache(100_000), Hanging()
    monkeypatch.setattr("lecmux._deadline._Work", _Interrupting)

    with pytest.raises(KeyboardInterrupt):
        cache.answer("q", models={"m": model}, timeout_seconds=NEVER)
    model.end()

    assert cache.get("q") is None
    assert not cache._flight._leads


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "1", True])
async def test_a_limit_that_cannot_work_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigError, match="timeout_seconds"):
        Cache(100_000).answer("q", models={"m": str}, timeout_seconds=limit)
    with pytest.raises(ConfigError, match="timeout_seconds"):
        await AsyncCache(100_000).answer("q", models={"m": str}, timeout_seconds=limit)


# asyncio


async def test_a_coroutine_that_takes_too_long_is_cancelled() -> None:
    cache, cancelled = AsyncCache(100_000), []

    async def slow(query: Query) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(query.text)
            raise
        return "late"

    with pytest.raises(ModelTimeoutError, match="slow did not answer"):
        await cache.answer("q", models={"slow": slow}, timeout_seconds=SOON)

    assert cancelled == ["q"]
    assert len(cache) == 0


async def test_another_model_answers_in_place_of_a_coroutine() -> None:
    async def slow(query: Query) -> str:
        await asyncio.sleep(60)
        return "late"

    async def quick(query: Query) -> str:
        return "here"

    done = await AsyncCache(100_000).answer(
        "q", models={"slow": slow, "quick": quick}, router=Router(["slow", "quick"]), timeout_seconds=SOON
    )

    assert (done.value, done.decision.failed) == ("here", ("slow",))


async def test_a_limit_of_the_model_s_own_is_its_own_error() -> None:
    error = TimeoutError("mine")

    async def broken(query: Query) -> str:
        raise error

    with pytest.raises(TimeoutError) as raised:
        await AsyncCache(100_000).answer("q", models={"m": broken}, timeout_seconds=NEVER)

    assert raised.value is error


async def test_a_cancelled_task_is_cancelled_and_not_late() -> None:
    cache, started = AsyncCache(100_000), asyncio.Event()

    async def slow(query: Query) -> str:
        started.set()
        await asyncio.sleep(60)
        return "late"

    asking = asyncio.create_task(cache.answer("q", models={"m": slow}, timeout_seconds=NEVER))
    await started.wait()
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert len(cache) == 0
