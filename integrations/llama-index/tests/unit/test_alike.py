"""Hits by meaning in LlamaIndex."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools import FunctionTool
from scripted_llm import ScriptedLLM
from topics import topic, wordings

from lecmux import Cache, Price, Semantic
from lecmux.errors import ConfigError
from lecmux.testing import TopicEmbedder
from llama_index.llms.lecmux import RouterLLM

PRICE = Price(1.0, 1.0)  # a call is worth more than an embedding, which is free
NEW = "alpha with other words"  # nobody asked it before; its topic was asked often


def by_topic(messages: Sequence[ChatMessage], tools: Sequence[str]) -> str:
    return topic(str(messages[-1].content))


def look(name: str) -> str:
    """Looks something up."""
    return name


def routed(**settings: Any) -> RouterLLM:
    settings.setdefault("semantic", Semantic(TopicEmbedder(), max_error=0.1))
    return RouterLLM(models={"only": ScriptedLLM(script=by_topic)}, prices={"only": PRICE}, **settings)


def told(response: Any) -> dict[str, Any]:
    facts: dict[str, Any] = response.additional_kwargs["lecmux"]
    return facts


def asked(llm: RouterLLM, **settings: Any) -> list[Any]:
    """Asks until the record allows hits by meaning."""
    return [llm.chat([ChatMessage(text)], **settings) for text in wordings(40)]


def test_it_is_off_unless_asked_for() -> None:
    llm = routed(semantic=None)

    assert {told(answer)["kind"] for answer in asked(llm)} == {"call"}


def test_a_router_serves_by_meaning() -> None:
    llm = routed()

    answers = asked(llm)

    hits = [answer for answer in answers if told(answer)["reason"] == "semantic"]
    assert len(hits) > 100
    assert all(
        answer.message.content == topic(text) for text, answer in zip(wordings(40), answers, strict=True)
    )
    assert 0.5 < told(hits[-1])["similarity"] <= 1.0
    assert 0.0 < told(hits[-1])["risk"] < 0.5


def test_the_async_twin_and_streams_serve_likewise() -> None:
    llm = routed()
    asked(llm)

    async def ask() -> Any:
        return await llm.achat([ChatMessage(NEW)])

    last = list(llm.stream_chat([ChatMessage(NEW + " yet")]))[-1]

    assert told(asyncio.run(ask()))["reason"] == "semantic"
    assert told(last)["reason"] == "semantic"
    assert last.message.content == "about alpha"


def test_completions_are_served_by_meaning_apart_from_chats() -> None:
    llm = routed()
    asked(llm)

    first = llm.complete(NEW)
    for text in wordings(10):
        llm.complete(text)

    assert told(first)["kind"] == "call"
    assert told(llm.complete(NEW + " again"))["reason"] == "semantic"


def test_an_answer_is_not_served_after_another_history() -> None:
    llm = routed()
    asked(llm)
    history = [ChatMessage("Tell me of cats."), ChatMessage("Well.", role="assistant")]

    assert told(llm.chat([*history, ChatMessage(NEW)]))["kind"] == "call"


def test_a_call_can_do_without() -> None:
    llm = routed()
    asked(llm)

    assert told(llm.chat([ChatMessage(NEW)], lecmux_semantic=False))["kind"] == "call"
    assert told(llm.chat([ChatMessage(NEW + " yet")]))["reason"] == "semantic"


def test_a_structured_output_is_not_served_by_meaning() -> None:
    llm = routed()

    answers = asked(llm, response_format={"type": "json_object"})

    assert {told(answer)["kind"] for answer in answers} == {"call"}


def test_with_tools_the_exact_question_alone_is_served() -> None:
    llm, tools = routed(), [FunctionTool.from_defaults(look)]

    answers = [llm.chat_with_tools(tools, user_msg=text) for text in wordings(20)]

    assert {told(answer)["kind"] for answer in answers} == {"call"}
    assert told(llm.chat_with_tools(tools, user_msg=next(wordings(1))))["reason"] == "exact"


def test_it_belongs_to_the_cache() -> None:
    with pytest.raises(ConfigError, match="semantic"):
        routed(cache=Cache(1_000_000))

    shared = Cache(1_000_000, semantic=Semantic(TopicEmbedder()))
    asked(routed(cache=shared, semantic=None))

    assert shared.stats().semantic.requests == 400  # type: ignore[union-attr]
