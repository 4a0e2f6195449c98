"""A model through transformers as an LLM of LlamaIndex: sync, async, streams, tools."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools import FunctionTool

from lecmux.models import Transformers
from llama_index.llms.lecmux import ModelLLM

pytestmark = pytest.mark.torch

COUNT = "Count from one to ten in words."
NUMBERS = "one two three four five six seven eight nine ten"


@pytest.fixture(scope="module")
def llm(tiny_chat: Path) -> Iterator[ModelLLM]:
    with Transformers(tiny_chat, name="tiny", device="cpu", threads=1) as model:
        yield ModelLLM(model=model, context_window=model.context_tokens)


async def test_every_way_of_asking_gives_the_same(llm: ModelLLM) -> None:
    asked = [ChatMessage(role="user", content=COUNT)]

    said = [
        llm.complete(COUNT).text,
        (await llm.acomplete(COUNT)).text,
        llm.chat(asked).message.content,
        (await llm.achat(asked)).message.content,
        "".join(part.delta or "" for part in llm.stream_chat(asked)),
        "".join([part.delta or "" async for part in await llm.astream_chat(asked)]),
    ]

    assert said == [NUMBERS] * 6


def test_a_tool_is_called(llm: ModelLLM) -> None:
    from tiny_chat import ASK_WEATHER, WEATHER

    def weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    tool: Any = FunctionTool.from_defaults(weather)
    response = llm.chat([ChatMessage(role="user", content=ASK_WEATHER)], tools=[WEATHER])

    (call,) = llm.get_tool_calls_from_response(response)
    assert (call.tool_name, call.tool_kwargs) == ("weather", {"city": "Rome"})
    assert str(tool(**call.tool_kwargs)) == "sunny in Rome"
