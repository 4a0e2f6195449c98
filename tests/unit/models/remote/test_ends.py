"""Models behind an endpoint: cancelling, closing and forgetting hang up."""

import asyncio
import threading
from typing import Any

import pytest

from lecmux import Cache
from lecmux.errors import ModelClosedError, ModelTimeoutError
from lecmux.testing import Hang

ASK = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.mark.parametrize("way", ["achat", "astream"])
async def test_cancelling_hangs_up(remotes: Any, way: str) -> None:
    served = remotes.serve(Hang(2))
    model = remotes.ask(served)
    begun = asyncio.Event()

    async def read() -> None:
        if way == "achat":
            begun.set()
            await model.achat(ASK)
        async for _ in model.astream(ASK):
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    while not served.requests:
        await asyncio.sleep(0.01)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.to_thread(served.wait_for_hang_up)


async def test_a_deadline_of_the_caller_hangs_up(remotes: Any) -> None:
    served = remotes.serve(Hang())

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(remotes.ask(served).achat(ASK), 0.2)

    assert await asyncio.to_thread(served.wait_for_hang_up)


def test_closing_a_stream_hangs_up(remotes: Any) -> None:
    served = remotes.serve(Hang(2))
    stream = remotes.ask(served).stream(ASK)
    assert next(stream) == "one "

    stream.close()
    stream.close()

    assert served.wait_for_hang_up()
    assert list(stream) == []
    assert stream.reply is None


async def test_closing_an_async_stream_hangs_up(remotes: Any) -> None:
    served = remotes.serve(Hang(2))
    async with remotes.ask(served).astream(ASK) as stream:
        assert await anext(stream) == "one "
    await stream.aclose()

    assert await asyncio.to_thread(served.wait_for_hang_up)
    assert [piece async for piece in stream] == []
    assert stream.reply is None


def test_a_stream_that_nobody_reads_any_more_hangs_up(remotes: Any) -> None:
    served = remotes.serve(Hang(2))
    next(remotes.ask(served).stream(ASK))

    assert served.wait_for_hang_up()


def test_closing_a_stream_from_another_thread_ends_its_reader(remotes: Any) -> None:
    served = remotes.serve(Hang(2))
    stream = remotes.ask(served).stream(ASK)
    next(stream)
    threading.Timer(0.1, stream.close).start()

    with pytest.raises(ModelClosedError):
        next(stream)


async def test_closing_an_async_stream_from_another_task_ends_its_reader(remotes: Any) -> None:
    stream = remotes.ask(remotes.serve(Hang(2))).astream(ASK)
    await anext(stream)
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)

    await stream.aclose()

    with pytest.raises(ModelClosedError):
        await reading


@pytest.mark.parametrize("way", ["chat", "stream"])
def test_closing_the_model_ends_what_runs(remotes: Any, way: str) -> None:
    served = remotes.serve(Hang(2))
    model = remotes.ask(served)

    def close_once_asked() -> None:
        while not served.requests:
            threading.Event().wait(0.01)
        threading.Event().wait(0.1)
        model.close()

    threading.Thread(target=close_once_asked).start()
    with pytest.raises(ModelClosedError):
        remotes.answered(model, way)
    assert served.wait_for_hang_up()


async def test_closing_twice_and_calling_after(remotes: Any) -> None:
    model = remotes.ask(remotes.serve("Paris"))
    idle = model.stream(ASK)
    model.close()
    model.close()
    await model.aclose()

    for ask in (model.chat, model.stream, model.astream, lambda _: next(idle)):
        with pytest.raises(ModelClosedError):
            ask(ASK)
    with pytest.raises(ModelClosedError):
        await model.achat(ASK)
    assert model.closed


def test_many_event_loops_share_its_connections(remotes: Any) -> None:
    model = remotes.ask(remotes.serve("Paris"))

    for _ in range(3):
        assert asyncio.run(model.achat(ASK)).value == "Paris"
    assert model.chat(ASK).value == "Paris"


def test_an_event_loop_that_is_closed_under_a_stream(remotes: Any) -> None:
    served = remotes.serve(Hang(2))
    model = remotes.ask(served)

    async def leave() -> Any:
        stream = model.astream(ASK)
        await anext(stream)
        return stream

    stream = asyncio.run(leave())
    asyncio.run(stream.aclose())

    assert served.wait_for_hang_up()


def test_a_request_that_has_a_limit_hangs_up_when_it_is_over(remotes: Any) -> None:
    served = remotes.serve(Hang())
    model = remotes.ask(served)

    with pytest.raises(ModelTimeoutError, match="m did not answer within timeout_seconds"):
        Cache(100_000).answer("q", models={"m": model}, timeout_seconds=0.2)

    assert served.wait_for_hang_up()
