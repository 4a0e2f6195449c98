"""A stream whose next piece takes too long has failed; before the first, another model is asked."""

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

import pytest

from lecmux import Answer, Cache, Query, Reply, Router, flow
from lecmux._deadline import Deadline, due, pieces_within
from lecmux.errors import ConfigError, ModelTimeoutError

SOON, NEVER = 0.05, 30.0


class Pieces:
    """A stream that hangs before its piece number `hang`, until it is told to go on."""

    def __init__(self, *texts: str, hang: int | None = None) -> None:
        self.go, self.closed = threading.Event(), threading.Event()
        self.threads: set[int] = set()
        self._texts, self._hang = texts, hang

    def __call__(self, call: Any) -> Generator[Any, None, None]:
        try:
            for number, text in enumerate(self._texts):
                if number == self._hang:
                    assert self.go.wait(30)
                self.threads.add(threading.get_ident())
                yield text
            yield Reply("".join(self._texts))
        finally:
            self.closed.set()

    async def awaited(self, call: Any) -> AsyncGenerator[Any, None]:
        try:
            for number, text in enumerate(self._texts):
                if number == self._hang:
                    await asyncio.sleep(30)
                yield text
            yield Reply("".join(self._texts))
        finally:
            self.closed.set()


def streamed(cache: Cache, router: Router, models: dict[str, Pieces], seconds: float) -> Iterator[Any]:
    core = cache.core(tuple(models), router)
    limit = flow.TimeLimit(seconds, Deadline())
    call = limit.stream(lambda effect: models[effect.model](effect))
    return flow.stream(flow.answer(Query("q"), core, single_flight=False), call)


async def astreamed(cache: Cache, router: Router, models: dict[str, Pieces], seconds: float) -> Any:
    core = cache.core(tuple(models), router)
    limit = flow.TimeLimit(seconds, Deadline())
    call = limit.astream(lambda effect: models[effect.model].awaited(effect))
    return [item async for item in flow.astream(flow.answer(Query("q"), core, single_flight=False), call)]


def told(items: list[Any]) -> tuple[str, tuple[str, ...]]:
    *texts, answer = items
    assert isinstance(answer, Answer)
    return "".join(texts), answer.decision.failed


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_first_piece_that_does_not_come_is_a_failure_and_another_model_answers(way: str) -> None:
    cache, slow = Cache(100_000), Pieces("late", hang=0)
    models, router = {"slow": slow, "quick": Pieces("he", "re")}, Router(["slow", "quick"])
    if way == "stream":
        items = list(streamed(cache, router, models, SOON))
    else:
        items = asyncio.run(astreamed(cache, router, models, SOON))
    slow.go.set()

    assert told(items) == ("here", ("slow",))
    assert cache.get("q") == "here"
    assert slow.closed.wait(30), "a stream that was given up is closed as soon as it returns"


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_stream_that_stands_still_later_fails_and_is_not_stored(way: str) -> None:
    cache, models = Cache(100_000), {"m": Pieces("one", "two", hang=1), "other": Pieces("x")}
    router = Router(["m", "other"])

    with pytest.raises(ModelTimeoutError, match=r"stream of m stood still for timeout_seconds=0\.05"):
        if way == "stream":
            list(streamed(cache, router, models, SOON))
        else:
            asyncio.run(astreamed(cache, router, models, SOON))
    models["m"].go.set()

    assert len(cache) == 0
    assert models["m"].closed.wait(30)


def test_what_the_reader_does_between_two_pieces_is_not_counted() -> None:
    cache, models = Cache(100_000), {"m": Pieces("one", "two")}
    items = []
    for item in streamed(cache, Router(["m"]), models, 0.2):
        items.append(item)
        time.sleep(0.3)

    assert told(items) == ("onetwo", ())


def test_a_stream_is_pulled_on_one_thread_that_is_not_the_readers() -> None:
    models = {"m": Pieces("a", "b", "c")}

    list(streamed(Cache(100_000), Router(["m"]), models, NEVER))

    assert len(models["m"].threads) == 1
    assert threading.get_ident() not in models["m"].threads


def test_a_reader_that_leaves_closes_the_stream_before_it_goes_on() -> None:
    cache, models = Cache(100_000), {"m": Pieces("a", "b", "c")}
    stream: Any = streamed(cache, Router(["m"]), models, NEVER)
    assert next(stream) == "a"
    stream.close()

    assert models["m"].closed.is_set()
    assert len(cache) == 0


def test_errors_and_context_pass_through() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    name.set("alice")
    error = OSError("down")

    def broken(effect: Any) -> Generator[Any, None, None]:
        yield name.get()
        raise error

    stream = Deadline().pieces("m", NEVER, broken(None))
    assert next(stream) == "alice"
    with pytest.raises(OSError, match="down") as raised:
        next(stream)

    assert raised.value is error


def test_threads_that_are_stuck_stay_bounded() -> None:
    deadline, slow = Deadline(most_stuck=1), Pieces("late", hang=0)
    with pytest.raises(ModelTimeoutError, match="did not answer"):
        next(deadline.pieces("m", SOON, slow(None)))

    with pytest.raises(ModelTimeoutError, match="1 earlier calls that took too long still run"):
        next(deadline.pieces("m", NEVER, Pieces("x")(None)))
    slow.go.set()
    assert slow.closed.wait(30)
    for _ in range(3000):
        if not deadline._stuck:
            break
        threading.Event().wait(0.01)

    assert next(deadline.pieces("m", NEVER, Pieces("x")(None))) == "x"


async def test_a_reader_that_is_cancelled_closes_the_stream() -> None:
    source = Pieces("a", "b", hang=1)

    async def read() -> None:
        async for _ in pieces_within("m", NEVER, source.awaited(None)):
            begun.set()

    begun = asyncio.Event()
    reading = asyncio.create_task(read())
    await begun.wait()
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert source.closed.is_set()


def test_a_model_knows_when_it_is_due() -> None:
    seen = []

    def ask(query: Query) -> str:
        seen.append(due() - time.monotonic())
        return "x"

    Cache(100_000).answer("q", models={"m": ask}, timeout_seconds=20)
    Cache(100_000).answer("q", models={"m": ask})

    assert 0 < seen[0] <= 20.2
    assert seen[1] == float("inf")


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "1", True])
def test_a_limit_that_cannot_work_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigError, match="timeout_seconds"):
        flow.TimeLimit(limit, Deadline())
