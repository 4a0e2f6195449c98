"""One request computes, the others wait; whoever goes away hands on what it held."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lecmux import AsyncCache, Cache, Query
from lecmux._single_flight import Claim, SingleFlight
from lecmux.query import Key

KEY = Key("q")


class Slow:
    """A model that waits for `go`; it counts its calls and fails the first `failures` of them."""

    def __init__(self, failures: int = 0) -> None:
        self.go, self.started = threading.Event(), threading.Event()
        self.calls, self.failures = 0, failures
        self._lock = threading.Lock()

    def __call__(self, query: Query) -> str:
        with self._lock:
            self.calls += 1
            failing = self.calls <= self.failures
        self.started.set()
        assert self.go.wait(30)
        if failing:
            raise OSError("down")
        return "r"


def test_equal_requests_at_once_share_one_call() -> None:
    cache, model = Cache(100_000), Slow()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(cache.answer, "q", models={"m": model}) for _ in range(8)]
        assert model.started.wait(30)
        time.sleep(0.05)
        model.go.set()
        answers = [each.result(30) for each in waiting]

    assert model.calls == 1
    assert [answer.value for answer in answers] == ["r"] * 8
    assert sorted(answer.decision.kind for answer in answers) == ["call"] + ["hit"] * 7


def test_a_failed_leader_hands_over_to_one_that_waits() -> None:
    cache, model = Cache(100_000), Slow(failures=1)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(cache.answer, "q", models={"m": model}) for _ in range(4)]
        assert model.started.wait(30)
        time.sleep(0.05)
        model.go.set()
        errors = [each.exception(30) for each in waiting]

    assert model.calls == 2
    assert sum(isinstance(error, OSError) for error in errors) == 1
    assert errors.count(None) == 3


async def test_equal_tasks_at_once_share_one_call() -> None:
    cache, calls = AsyncCache(100_000), []

    async def model(query: Query) -> str:
        calls.append(query.text)
        await asyncio.sleep(0.02)
        return "r"

    answers = await asyncio.gather(*(cache.answer("q", models={"m": model}) for _ in range(20)))

    assert calls == ["q"]
    assert {answer.value for answer in answers} == {"r"}


async def test_a_cancelled_leader_hands_over() -> None:
    cache, started = AsyncCache(100_000), asyncio.Event()
    calls = []

    async def model(query: Query) -> str:
        calls.append(query.text)
        started.set()
        await asyncio.sleep(60 if len(calls) == 1 else 0)
        return "r"

    leader = asyncio.create_task(cache.answer("q", models={"m": model}))
    await started.wait()
    follower = asyncio.create_task(cache.answer("q", models={"m": model}))
    await asyncio.sleep(0.01)

    leader.cancel()

    assert (await asyncio.wait_for(follower, 10)).value == "r"
    with pytest.raises(asyncio.CancelledError):
        await leader


async def test_a_cancelled_follower_neither_blocks_nor_loses_the_lead() -> None:
    cache, go = AsyncCache(100_000), asyncio.Event()
    calls: list[str] = []

    async def model(query: Query) -> str:
        calls.append(query.text)
        await go.wait()
        if len(calls) == 1:
            raise OSError("down")
        return "r"

    tasks = [asyncio.create_task(cache.answer("q", models={"m": model})) for _ in range(3)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    await asyncio.sleep(0.01)

    go.set()

    with pytest.raises(OSError, match="down"):
        await tasks[0]
    assert (await asyncio.wait_for(tasks[2], 10)).value == "r"


async def test_a_follower_cancelled_at_the_moment_it_is_given_the_lead_hands_it_on() -> None:
    flight = SingleFlight()
    assert flight.claim(KEY, print)
    first = asyncio.create_task(Claim(KEY, flight).wait_async())
    second = asyncio.create_task(Claim(KEY, flight).wait_async())
    await asyncio.sleep(0)

    flight.fail(KEY)  # wakes the first, which is cancelled before it can run
    first.cancel()

    assert await asyncio.wait_for(second, 10) == "lead"
    with pytest.raises(asyncio.CancelledError):
        await first


def test_a_follower_whose_loop_was_closed_hands_the_lead_on() -> None:
    flight = SingleFlight()
    assert flight.claim(KEY, print)
    loop = asyncio.new_event_loop()
    abandoned = Claim(KEY, flight).wait_async()
    task = loop.create_task(abandoned)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    woken: list[str] = []
    flight.claim(KEY, woken.append)

    flight.fail(KEY)

    assert woken == ["lead"]
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    abandoned.close()


def test_threads_that_wait_on_one_key_do_not_hold_up_another() -> None:
    cache, model = Cache(100_000), Slow()
    with ThreadPoolExecutor(2) as pool:
        stuck = pool.submit(cache.answer, "q", models={"m": model})
        assert model.started.wait(30)

        assert cache.answer("other", models={"m": lambda query: "o"}).value == "o"

        model.go.set()
        assert stuck.result(30).value == "r"


def test_a_claim_is_given_back_after_every_kind_of_end() -> None:
    cache = Cache(100_000)

    def broken(query: Query) -> str:
        raise OSError("down")

    for model in (broken, lambda query: None, lambda query: object(), lambda query: "r"):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(cache.answer, "q", models={"m": model}).exception(10)

    assert len(cache._flight._inflight) == 0
    assert not cache._flight._leaders
