"""A generation that is awaited: its loop goes on, cancelling ends it, and a closed loop harms nobody."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lecmux._deadline import _DUE
from lecmux.errors import ModelClosedError, ModelTimeoutError
from lecmux.models._generation import AsyncGeneration, Generation
from lecmux.models._inbox import Inbox
from lecmux.models._jobs import Jobs


def said(text: str, end: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": end}]}


class Work:
    """Generates pieces one by one, each when it is let go; notes that it was stopped."""

    def __init__(self, *texts: str, free: int = 1000) -> None:
        self.free = threading.Semaphore(free)
        self.ended, self.was_stopped = threading.Event(), False
        self._texts = texts

    def __call__(self, on_chunk: Callable[[dict[str, Any]], None], stop: threading.Event) -> None:
        for text in self._texts:
            while not self.free.acquire(timeout=0.01):
                if stop.is_set():
                    break
            if stop.is_set():
                self.was_stopped = True
                break
            on_chunk(said(text))
        else:
            on_chunk(said("", "stop"))
        self.ended.set()


async def test_it_is_read_piece_by_piece() -> None:
    async with AsyncGeneration("m", Work("one ", "two")) as stream:
        pieces = [piece async for piece in stream]

    assert pieces == ["one ", "two"]
    assert stream.reply is not None
    assert (stream.reply.value, stream.reply.finish_reason) == ("one two", "stop")


async def test_the_loop_goes_on_while_it_waits() -> None:
    work = Work("one", free=0)
    whole = asyncio.create_task(AsyncGeneration("m", work).whole())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not whole.done()
    work.free.release()

    assert (await whole).value == "one"


@pytest.mark.parametrize("end", ["cancel", "aclose", "drop"])
async def test_every_early_end_stops_the_work(end: str) -> None:
    work = Work(*["x"] * 1000, free=2)
    stream = AsyncGeneration("m", work)
    assert await anext(stream) == "x"
    if end == "cancel":
        reading = asyncio.create_task(stream.whole())
        await asyncio.sleep(0.02)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    elif end == "aclose":
        await stream.aclose()
        await stream.aclose()
        assert work.ended.is_set(), "aclose waits for the end"
    else:
        del stream

    assert await asyncio.to_thread(work.ended.wait, 30)
    assert work.was_stopped


async def test_one_that_is_stopped_from_elsewhere_says_so() -> None:
    stream = AsyncGeneration("m", Work("one", "two", free=1))
    assert await anext(stream) == "one"
    threading.Thread(target=stream.stop).start()

    with pytest.raises(ModelClosedError):
        await anext(stream)


async def test_an_error_of_the_work_is_raised_in_the_reader() -> None:
    def broken(on_chunk: Any, stop: Any) -> None:
        raise OSError("down")

    with pytest.raises(OSError, match="down"):
        await AsyncGeneration("m", broken).whole()


def test_an_event_loop_that_is_closed_under_it_ends_nothing_but_the_reading() -> None:
    work = Work("one", "two", free=1)
    loop = asyncio.new_event_loop()
    stream = AsyncGeneration("m", work)
    loop.run_until_complete(anext(stream))
    waiting = loop.create_task(stream.__anext__())  # type: ignore[arg-type]
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    work.free.release()

    assert work.ended.wait(30)
    assert not waiting.done()
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]  it can never be ended


async def test_those_who_wait_for_a_place_may_leave() -> None:
    jobs, first, second, third = Jobs("m", None, at_once=1), Work("1", free=0), Work("2"), Work("3")
    running = asyncio.create_task(AsyncGeneration("m", first, jobs).whole())
    leaving = asyncio.create_task(AsyncGeneration("m", second, jobs).whole())
    staying = asyncio.create_task(AsyncGeneration("m", third, jobs).whole())
    await asyncio.sleep(0.02)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    first.free.release()

    assert [(await running).value, (await staying).value] == ["1", "3"]
    assert not second.ended.is_set(), "it never began"


def test_as_many_run_at_once_as_may() -> None:
    jobs, works = Jobs("m", None, at_once=2), [Work("x", free=0) for _ in range(5)]
    streams = [Generation("m", work, jobs) for work in works]
    assert len(jobs._running) == 2
    for work in works:
        work.free.release()

    assert [stream.whole().value for stream in streams] == ["x"] * 5
    assert not jobs._waiting


def test_a_plain_reader_whose_time_is_up_stops_the_work() -> None:
    work = Work("x", free=0)
    stream = Generation("m", work)
    token = _DUE.set(0.0)
    try:
        with pytest.raises(ModelTimeoutError, match="longer than the request had time"):
            stream.whole()
    finally:
        _DUE.reset(token)

    assert work.ended.wait(30)
    assert work.was_stopped


async def test_an_inbox_gives_what_any_thread_puts_in_order() -> None:
    inbox: Inbox[int] = Inbox()
    threading.Thread(target=lambda: [inbox.put(number) for number in range(1000)]).start()

    assert [await inbox.get() for _ in range(1000)] == list(range(1000))
