"""The small model awaited: the event loop goes on, cancelling ends a generation, calls share the places."""

import asyncio
from collections.abc import Iterator

import pytest

from lecmux import AsyncCache, Hooks, Query
from lecmux.errors import DownloadError, MissingExtraError, ModelClosedError
from lecmux.models import AsyncModel, Gguf, pull

pytestmark = pytest.mark.model

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
STORY = [{"role": "user", "content": "Tell me a long story."}]


@pytest.fixture(scope="module")
def small() -> Iterator[Gguf]:
    pytest.importorskip("xllamacpp")
    try:
        pull("small")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")
    with Gguf("small", context_tokens=1024, reuse_prefix=False) as model:
        yield model


async def test_it_can_be_awaited_and_says_the_same(small: Gguf) -> None:
    assert isinstance(small, AsyncModel)
    plain = small.chat(CAPITAL, max_tokens=12)
    awaited = await small.achat(CAPITAL, max_tokens=12)
    async with small.astream(CAPITAL, max_tokens=12) as stream:
        pieces = [piece async for piece in stream]

    assert awaited.value == plain.value == "".join(pieces)
    assert len(pieces) > 1
    assert stream.reply is not None
    assert stream.reply.usage.output_tokens == plain.usage.output_tokens


async def test_the_event_loop_goes_on_meanwhile(small: Gguf) -> None:
    turns = 0
    answering = asyncio.create_task(small.achat(STORY, max_tokens=40))
    while not answering.done():
        turns += 1
        await asyncio.sleep(0.001)

    assert turns > 10


async def test_cancelling_ends_the_generation_and_the_next_call_is_answered(small: Gguf) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in small.astream(STORY):
            begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert (await small.achat(CAPITAL, max_tokens=4)).value


async def test_many_at_once_are_all_answered(small: Gguf) -> None:
    replies = await asyncio.gather(*[small.achat(CAPITAL, max_tokens=4) for _ in range(8)])

    assert len({reply.value for reply in replies}) == 1


async def test_it_serves_an_async_cache(small: Gguf) -> None:
    cache = AsyncCache(1_000_000, hooks=Hooks(admit=lambda request, reply: True))
    query = Query("What is the capital of France?", attributes={"chat": {"max_tokens": 8}})

    first = await cache.answer(query, models={"small": small.acall})
    second = await cache.answer(query, models={"small": small.acall})

    assert first.value == second.value
    assert second.decision.kind == "hit"


async def test_closing_it_ends_those_who_generate_and_those_who_wait() -> None:
    pytest.importorskip("xllamacpp")
    try:
        model = Gguf("small", context_tokens=1024)
    except Exception as error:
        pytest.skip(f"the small model is not here: {error}")
    stream = model.astream(STORY)
    await anext(stream)
    waiting = asyncio.create_task(model.achat(STORY))
    await asyncio.sleep(0.02)
    await model.aclose()

    with pytest.raises(ModelClosedError):
        await waiting
    with pytest.raises(ModelClosedError):
        async for _ in stream:
            pass
    with pytest.raises(ModelClosedError):
        await model.achat(CAPITAL)
