"""One request computes, the others wait; whoever goes away hands on what it held."""

import asyncio
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lecmux import AsyncCache, Cache, Hooks, Query, Reply, Usage
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
    assert not cache._flight._leads
    gc.collect()
    assert not cache._flight._handoffs


# 64 at once


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (1, 2)])
@pytest.mark.parametrize("capacity_bytes", [100_000, 1])
def test_64_threads_make_one_call_and_two_where_the_leader_fails(
    failures: int, calls: int, capacity_bytes: int
) -> None:
    cache, model = Cache(capacity_bytes), Slow(failures)
    with ThreadPoolExecutor(64) as pool:
        waiting = [pool.submit(cache.answer, "q", models={"m": model}) for _ in range(64)]
        while cache.stats().misses < 64:
            time.sleep(0.005)
        time.sleep(0.1)  # from its look to its claim
        model.go.set()
        errors = [each.exception(60) for each in waiting]

    assert model.calls == calls
    assert sum(isinstance(error, OSError) for error in errors) == failures
    assert errors.count(None) == 64 - failures


@pytest.mark.parametrize("cancel", [False, True])
@pytest.mark.parametrize("capacity_bytes", [100_000, 1])
async def test_64_tasks_make_one_call_and_two_where_the_leader_is_cancelled(
    capacity_bytes: int, *, cancel: bool
) -> None:
    cache, go, calls = AsyncCache(capacity_bytes), asyncio.Event(), []

    async def model(query: Query) -> str:
        calls.append(query.text)
        await go.wait()
        return "r"

    tasks = [asyncio.create_task(cache.answer("q", models={"m": model})) for _ in range(64)]
    while cache.stats().misses < 64:
        await asyncio.sleep(0)
    if cancel:
        tasks[0].cancel()
    go.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)

    assert len(calls) == 1 + cancel
    assert sum(isinstance(end, asyncio.CancelledError) for end in ends) == cancel
    assert len(cache._flight._inflight) == 0


async def test_those_who_wait_get_copies_of_their_own_and_what_they_saved_is_booked() -> None:
    cache, go = AsyncCache(1), asyncio.Event()

    async def model(query: Query) -> Reply:
        await go.wait()
        return Reply({"list": [1]}, Usage(seconds=2.0))

    tasks = [asyncio.create_task(cache.answer("q", models={"m": model})) for _ in range(3)]
    await asyncio.sleep(0.01)
    go.set()
    answers = await asyncio.gather(*tasks)
    answers[1].value["list"].append(2)

    assert [answer.value for answer in answers] == [{"list": [1]}, {"list": [1, 2]}, {"list": [1]}]
    assert sorted(answer.decision.kind for answer in answers) == ["call", "hit", "hit"]
    assert {answer.decision.hit_id for answer in answers} == {None}, "there is no entry to forget"
    assert cache.stats().saved_by_hits_seconds == pytest.approx(4.0)
    assert len(cache) == 0
    assert not cache._flight._handoffs, "it is kept no longer than it takes to wake them"


async def test_an_answer_that_admission_refuses_is_handed_to_nobody() -> None:
    cache, calls = AsyncCache(100_000, hooks=Hooks(admit=lambda request, reply: False)), []

    async def model(query: Query) -> str:
        calls.append(query.text)
        await asyncio.sleep(0.01)
        return "r"

    await asyncio.gather(*(cache.answer("q", models={"m": model}) for _ in range(3)))

    assert len(calls) == 3


# event loops that end


def test_the_lead_of_a_task_whose_loop_was_closed_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lecmux._single_flight._LOOK_SECONDS", 0.02)
    cache, loop = AsyncCache(100_000), asyncio.new_event_loop()

    async def never(query: Query) -> str:
        await asyncio.sleep(3600)
        return "never"

    leader = loop.create_task(cache.answer("q", models={"m": never}))
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()

    def ask() -> str:
        return str(asyncio.run(_ask(cache)))

    with ThreadPoolExecutor(2) as pool:
        values = [pool.submit(ask) for _ in range(2)]
        assert [value.result(30) for value in values] == ["r", "r"]

    leader._log_destroy_pending = False  # type: ignore[attr-defined]
    leader.get_coro().close()  # type: ignore[union-attr]
    assert len(cache._flight._inflight) == 0, "the lost leader gave nothing back a second time"


async def _ask(cache: AsyncCache) -> object:
    return (await cache.answer("q", models={"m": lambda query: "r"})).value


def test_a_lost_leader_that_ends_later_takes_nothing_from_the_next() -> None:
    flight, woken = SingleFlight(), []  # type: ignore[var-annotated]
    assert flight.claim(KEY, print)
    lost = flight.take(KEY)
    loop = asyncio.new_event_loop()
    lost.caller = loop.create_task(asyncio.sleep(0))
    loop.run_until_complete(lost.caller)
    loop.close()
    flight.claim(KEY, lambda role: woken.append(("first", role)))
    flight.claim(KEY, lambda role: woken.append(("second", role)))

    flight.reclaim(KEY)
    flight.reclaim(KEY)
    flight.take(KEY)
    flight.fail(KEY, lost)
    flight.release(KEY, lost)

    assert woken == [("first", "lead")]


def test_an_answer_without_a_place_is_given_to_those_who_wait_and_to_nobody_later() -> None:
    cache = Cache(100_000)
    gc.disable()  # a claim must not outlive its request until the next collection
    try:
        kinds = [cache.answer("q", models={"m": lambda query: "x" * 200_000}).decision.kind for _ in range(3)]
    finally:
        gc.enable()

    assert kinds == ["call"] * 3
