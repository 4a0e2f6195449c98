"""The places at an endpoint, without a network: the queue, the limit that adapts, and rate limit headers."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecmux.errors import ModelBusyError
from lecmux.models import Concurrency
from lecmux.models._gate import Gate, Permit
from lecmux.models._rate_headers import used_up_seconds


def gate_of(at_most: int, **given: float) -> Gate:
    return Gate(Concurrency(at_most, **given), "http://a/v1")  # type: ignore[arg-type]


async def filled(gate: Gate, calls: int) -> list[Permit]:
    return [await gate.enter() for _ in range(calls)]


async def test_an_overload_halves_the_limit_once_for_all_who_were_there() -> None:
    gate = gate_of(16)
    for permit in await filled(gate, 16):
        permit.leave(overloaded=True)

    assert gate.limit == 8
    assert gate.inside == 0


async def test_the_limit_is_halved_from_what_was_there_and_not_from_what_might_have_been() -> None:
    gate = gate_of(1000)
    (await filled(gate, 6))[0].leave(overloaded=True)

    assert gate.limit == 3


async def test_the_limit_never_falls_below_one() -> None:
    gate = gate_of(4)
    for _ in range(5):
        (await gate.enter()).leave(overloaded=True)

    assert gate.limit == 1


async def test_a_limit_of_calls_that_were_answered_raises_it_by_about_one() -> None:
    gate = gate_of(100)
    gate.limit = 4.0
    for _ in range(4):
        permits = await filled(gate, 4)
        permits[0].leave(answered=True)
        for permit in permits[1:]:
            permit.leave()

    assert 4.8 < gate.limit < 5.0


async def test_calls_that_met_no_limit_do_not_raise_it() -> None:
    gate = gate_of(100)
    gate.limit = 4.0
    for _ in range(10):
        (await gate.enter()).leave(answered=True)

    assert gate.limit == 4.0


async def test_a_limit_that_does_not_adapt_stays() -> None:
    gate = gate_of(4, adapt=False)
    (await gate.enter()).leave(overloaded=True)

    assert gate.limit == 4


async def test_a_place_is_given_back_once() -> None:
    gate = gate_of(1)
    permit = await gate.enter()
    permit.leave()
    permit.leave(answered=True)

    assert gate.inside == 0


async def test_who_came_first_enters_first() -> None:
    gate, order = gate_of(1), []

    async def enter(name: int) -> None:
        permit = await gate.enter()
        order.append(name)
        permit.leave()

    first = await gate.enter()
    waiting = [asyncio.create_task(enter(name)) for name in range(5)]
    await asyncio.sleep(0)
    first.leave()
    late = asyncio.create_task(enter(5))
    await asyncio.gather(*waiting, late)

    assert order == [0, 1, 2, 3, 4, 5]


async def test_a_gate_that_is_held_opens_again() -> None:
    gate = gate_of(4)
    gate.hold(0.05)

    assert isinstance(await gate.enter(), Permit)


async def test_a_gate_that_is_held_for_longer_than_may_be_waited_says_so_at_once() -> None:
    gate = gate_of(4, wait_seconds=1.0)
    gate.hold(50)

    with pytest.raises(ModelBusyError, match="rate limit") as caught:
        await gate.enter()

    assert caught.value.retry_after_seconds == pytest.approx(50, abs=1)


async def test_a_header_that_is_wrong_does_not_shut_a_gate_for_long() -> None:
    gate = gate_of(4, wait_seconds=0.0)
    gate.hold(1e9)

    with pytest.raises(ModelBusyError) as caught:
        await gate.enter()

    assert caught.value.retry_after_seconds == pytest.approx(120, abs=1)


steps = st.lists(st.tuples(st.sampled_from(["enter", "leave", "overload", "cancel"]), st.integers(0, 9)))


@given(steps, st.integers(1, 5))
@settings(deadline=None)
def test_whatever_happens_no_place_is_lost_and_none_is_given_twice(
    script: list[tuple[str, int]], at_most: int
) -> None:
    async def play() -> None:
        gate = gate_of(at_most)
        tasks: list[asyncio.Task[Permit]] = []
        for what, which in script:
            if what == "enter":
                tasks.append(asyncio.create_task(gate.enter()))
            elif tasks:
                task = tasks.pop(which % len(tasks))
                if what == "cancel" or not task.done():
                    task.cancel()
                    if task.done() and not task.cancelled():
                        task.result().leave()
                else:
                    task.result().leave(answered=True, overloaded=what == "overload")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            inside = sum(task.done() and not task.cancelled() for task in tasks)
            assert gate.inside == inside <= at_most
            assert inside == len(tasks) or inside >= int(gate.limit), "a free place stands empty"
        while tasks:
            for task in [task for task in tasks if task.done()]:
                task.result().leave()
                tasks.remove(task)
            await asyncio.sleep(0)
        assert (gate.inside, len(gate._waiting)) == (0, 0)

    asyncio.run(play())


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("1h2m3.5s", 3723.5), ("1d", 86_400.0), ("2.5", 2.5)],
)
def test_the_spans_that_servers_send(reset: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset}

    assert used_up_seconds(headers) == pytest.approx(seconds)


def test_a_reset_may_be_a_date() -> None:
    date = (datetime.now(UTC) + timedelta(seconds=90)).isoformat().replace("+00:00", "Z")
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": date}

    assert used_up_seconds(headers) == pytest.approx(90, abs=5)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-remaining-requests": "12", "x-ratelimit-reset-requests": "1s"},
        {"x-ratelimit-remaining-requests": "0"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "soon"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "-3"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "nan"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "inf"},
        {"x-ratelimit-remaining-requests": "", "x-ratelimit-reset-requests": "1s"},
    ],
)
def test_headers_that_say_nothing_hold_nobody(headers: dict[str, str]) -> None:
    assert used_up_seconds(headers) == 0.0
