"""A model through transformers as a chat model: alone, with tools, and under a router."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage, trim_messages

from langchain_lecmux import ChatRouter, ChatTransformers, LECCache
from lecmux.models import Transformers

pytestmark = pytest.mark.torch

COUNT = "Count from one to ten in words."


@pytest.fixture(scope="module")
def chat(tiny_chat: Path) -> Iterator[ChatTransformers]:
    with Transformers(tiny_chat, name="tiny", device="cpu", threads=1) as model:
        yield ChatTransformers(model=model, max_tokens=64)


def test_a_stream_adds_up_to_the_invoked_answer(chat: ChatTransformers) -> None:
    whole = chat.invoke(COUNT)

    merged = AIMessageChunk(content="")
    for chunk in chat.stream(COUNT):
        assert isinstance(chunk, AIMessageChunk)
        merged += chunk

    assert merged.content == whole.content == "one two three four five six seven eight nine ten"
    assert merged.usage_metadata == whole.usage_metadata
    assert merged.response_metadata["finish_reason"] == "stop"


async def test_async_calls_give_the_same(chat: ChatTransformers) -> None:
    whole = await chat.ainvoke(COUNT)
    pieces = [str(chunk.content) async for chunk in chat.astream(COUNT)]

    assert "".join(pieces) == whole.content
    assert len(pieces) > 5


def test_a_tool_is_called_and_its_result_answered(chat: ChatTransformers) -> None:
    from tiny_chat import ASK_WEATHER, WEATHER

    with_tools = chat.bind_tools([WEATHER])
    asked = HumanMessage(ASK_WEATHER)

    called = with_tools.invoke([asked])
    (call,) = called.tool_calls
    answer = with_tools.invoke([asked, called, ToolMessage("sunny", tool_call_id=call["id"])])

    assert (call["name"], call["args"]) == ("weather", {"city": "Rome"})
    assert answer.content == "It is sunny in Rome."


def test_tokens_are_counted_by_the_models_own_tokenizer(chat: ChatTransformers) -> None:
    from tiny_chat import WEATHER

    asked = [HumanMessage(COUNT)]
    answer = chat.invoke(asked)
    assert isinstance(answer, AIMessage)
    assert answer.usage_metadata is not None

    assert chat.get_num_tokens_from_messages(asked) == answer.usage_metadata["input_tokens"]
    assert chat.get_num_tokens_from_messages(asked, tools=[WEATHER]) > 50
    assert chat.get_num_tokens(COUNT) < chat.get_num_tokens_from_messages(asked)
    history = [HumanMessage("hello"), AIMessage("hello"), *asked]
    room = chat.get_num_tokens_from_messages(asked)
    assert trim_messages(history, max_tokens=room, token_counter=chat) == asked


def test_two_number_formats_are_two_models_for_a_cache(chat: ChatTransformers, tiny_chat: Path) -> None:
    cache = LECCache()
    chat = chat.model_copy(update={"cache": cache})
    with Transformers(tiny_chat, name="tiny", device="cpu", dtype="bfloat16") as other:
        short = ChatTransformers(model=other, max_tokens=64, cache=cache)
        for model in (chat, chat, short, short):
            model.invoke(COUNT)

    assert (cache.store.stats().hits, cache.store.stats().misses) == (2, 2)


def test_small_and_large_under_a_router(chat: ChatTransformers) -> None:
    router = ChatRouter(
        models={"small": chat, "large": chat.model_copy()}, cache=LECCache(), price_of_wrong_seconds=10
    )

    first, second = router.invoke(COUNT), router.invoke(COUNT)

    assert first.content == second.content
    assert [answer.response_metadata["lecmux"]["kind"] for answer in (first, second)] == ["call", "hit"]
