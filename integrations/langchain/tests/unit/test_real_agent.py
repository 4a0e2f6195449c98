"""An agent over the small local model, cold and warm."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_lecmux import ChatGguf, ChatRouter, LECCache
from lecmux.errors import DownloadError, MissingExtraError
from lecmux.models import Gguf, pull

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def chat() -> Iterator[ChatGguf]:
    pytest.importorskip("xllamacpp")
    try:
        pull("small")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")
    with Gguf("small", context_tokens=1024) as model:
        yield ChatGguf(gguf=model, max_tokens=48)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_second_run_asks_no_model_and_keeps_its_thread(chat: ChatGguf, streamed: bool) -> None:
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    cache = LECCache(admit=lambda query, reply: True)  # a small model may well be cut off by max_tokens
    agent = create_agent(ChatRouter(models={"small": chat}, cache=cache), [add], checkpointer=InMemorySaver())
    texts = []
    for name in ("cold", "warm"):
        config: Any = {"configurable": {"thread_id": name}}
        for question in ("What is the capital of France?", "And of Italy?"):
            asked: Any = {"messages": [HumanMessage(question)]}
            if streamed:
                _ = [part async for part in agent.astream(asked, config, stream_mode="messages")]
            else:
                await agent.ainvoke(asked, config)
        messages = agent.get_state(config).values["messages"]
        assert len({message.id for message in messages}) == len(messages) >= 4
        texts.append([(message.type, message.text) for message in messages])
        if name == "cold":
            asked_models = cache.stats().misses
            assert asked_models >= 2
    assert texts[0] == texts[1]
    assert cache.stats().misses == asked_models
    assert cache.stats().hits == asked_models
