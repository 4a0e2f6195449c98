"""Models of lecmux as chat models: what goes to them and what comes from them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_lecmux import ChatModel, ChatOpenAICompatible, ChatRouter, LECCache
from lecmux import Reply, Usage
from lecmux.errors import ConfigError, ModelUnavailableError
from lecmux.models import OpenAICompatible, Timeouts
from lecmux.testing import Drop, Hang, ScriptedEndpoint, ScriptedModel
from lecmux.testing.endpoint import Line

USAGE = Usage(12, 7, cached_input_tokens=8, reasoning_tokens=3)
CALLS: dict[str, Any] = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": '{"zone": "UTC"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{oops"}},
        {"id": "call_3", "type": "function", "function": {"name": "clock", "arguments": "[1]"}},
    ],
}


@tool
def clock(zone: str) -> str:
    """The time in a zone."""
    return f"noon in {zone}"


class City(BaseModel):
    """A city."""

    name: str


class Served:
    """Chat models over endpoints that follow scripts."""

    def __init__(self) -> None:
        self._open: list[Any] = []

    def chat(self, *lines: Line, **settings: Any) -> tuple[ChatOpenAICompatible, ScriptedEndpoint]:
        pytest.importorskip("openai", reason="needs lecmux[openai]")
        endpoint = ScriptedEndpoint(lines)
        model = OpenAICompatible("m", base_url=endpoint.base_url, timeouts=Timeouts(connect_seconds=20))
        self._open += [model, endpoint]
        return ChatOpenAICompatible(model=model, **settings), endpoint

    def close(self) -> None:
        for each in self._open:
            each.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def _merged(chunks: list[Any]) -> AIMessageChunk:
    whole = AIMessageChunk(content="")
    for chunk in chunks:
        whole += chunk
    return whole


async def _drained(chunks: AsyncIterator[Any]) -> list[Any]:
    return [chunk async for chunk in chunks]


def _four_ways(chat: ChatModel) -> list[AIMessage]:
    return [
        chat.invoke("hi"),
        asyncio.run(chat.ainvoke("hi")),
        _merged(list(chat.stream("hi"))),
        _merged(asyncio.run(_drained(chat.astream("hi")))),
    ]


def test_thoughts_usage_and_name_in_every_way(served: Served) -> None:
    chat, _ = served.chat(Reply("It is Paris.", USAGE, "stop", "m-2026", "France, so Paris."))

    for answer in _four_ways(chat):
        assert answer.content == "It is Paris."
        assert answer.additional_kwargs == {"reasoning_content": "France, so Paris."}
        assert answer.usage_metadata == {
            "input_tokens": 12,
            "output_tokens": 7,
            "total_tokens": 19,
            "input_token_details": {"cache_read": 8},
            "output_token_details": {"reasoning": 3},
        }
        assert answer.response_metadata["model_name"] == "m-2026"
        assert answer.response_metadata["finish_reason"] == "stop"


def test_tool_calls_in_every_way(served: Served) -> None:
    chat, _ = served.chat(Reply({**CALLS, "tool_calls": CALLS["tool_calls"][:1]}))

    for answer in _four_ways(chat):
        assert [(call["id"], call["args"]) for call in answer.tool_calls] == [("call_1", {"zone": "UTC"})]
        assert answer.response_metadata["finish_reason"] == "tool_calls"


def test_a_call_that_is_broken_is_none(served: Served) -> None:
    chat, _ = served.chat(Reply(CALLS))

    answer = chat.invoke("hi")

    assert [call["id"] for call in answer.tool_calls] == ["call_1"]
    assert [call["id"] for call in answer.invalid_tool_calls] == ["call_2", "call_3"]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        (True, "required"),
        ("clock", {"type": "function", "function": {"name": "clock"}}),
    ],
)
def test_tools_and_the_choice_among_them_are_sent(served: Served, choice: Any, sent: Any) -> None:
    chat, endpoint = served.chat("noon")

    chat.bind_tools([clock], tool_choice=choice, parallel_tool_calls=False).invoke("hi")

    body = endpoint.requests[0]
    assert body.get("tool_choice") == sent
    assert body["tools"][0]["function"]["name"] == "clock"
    assert body["parallel_tool_calls"] is False


def test_settings_of_a_call_win_over_those_of_the_object(served: Served) -> None:
    chat, endpoint = served.chat("yes", max_tokens=9, temperature=0.5, stop=("x",), seed=1)

    chat.invoke("hi")
    chat.invoke("hi", stop=["y"], max_tokens=3, top_p=0.1, model="other")

    names = ("model", "max_tokens", "temperature", "stop", "seed", "top_p")
    sent = [tuple(body.get(name) for name in names) for body in endpoint.requests]
    assert sent == [("m", 9, 0.5, ["x"], 1, None), ("other", 3, 0.5, ["y"], 1, 0.1)]


@pytest.mark.parametrize("schema", [City, City.model_json_schema()], ids=["pydantic", "JSON schema"])
def test_an_endpoint_is_asked_to_hold_to_a_schema(served: Served, schema: Any) -> None:
    chat, endpoint = served.chat('{"name": "Paris"}', "no JSON")
    held = chat.with_structured_output(schema, method="json_schema", include_raw=True)

    first, second = held.invoke("hi"), held.invoke("hi")

    assert first["parsed"] in (City(name="Paris"), {"name": "Paris"})
    assert (first["raw"].content, first["parsing_error"]) == ('{"name": "Paris"}', None)
    assert second["parsed"] is None
    assert second["parsing_error"] is not None
    wanted = endpoint.requests[0]["response_format"]
    assert wanted["json_schema"]["schema"]["properties"]["name"]["type"] == "string"


def test_a_method_that_there_is_not_is_named(served: Served) -> None:
    chat, _ = served.chat("never")

    with pytest.raises(ConfigError, match="json_schema"):
        chat.with_structured_output(City, method="magic")  # type: ignore[arg-type]


async def test_a_stream_that_is_left_hangs_up(served: Served) -> None:
    chat, endpoint = served.chat(Hang(2))

    async for _ in chat.astream("hi"):
        break

    assert await asyncio.to_thread(endpoint.wait_for_hang_up)


def test_a_stream_that_broke_off_is_not_stored(served: Served) -> None:
    chat, endpoint = served.chat(Drop(3), "whole")
    router = ChatRouter(models={"m": chat}, cache=LECCache())
    with pytest.raises(ModelUnavailableError):
        list(router.stream("hi"))

    assert [router.invoke("hi").content for _ in range(2)] == ["whole", "whole"]
    assert len(endpoint.requests) == 2


def test_an_empty_answer_is_not_stored(served: Served) -> None:
    chat, endpoint = served.chat("", "whole")
    router = ChatRouter(models={"m": chat}, cache=LECCache())

    assert [router.invoke("hi").content for _ in range(3)] == ["", "whole", "whole"]
    assert len(endpoint.requests) == 2


def test_its_cache_string_tells_endpoints_apart_and_holds_no_key() -> None:
    pytest.importorskip("openai", reason="needs lecmux[openai]")
    models = [
        OpenAICompatible("m", base_url="http://a/v1", api_key="sk-canary"),
        OpenAICompatible("m", base_url="http://b/v1"),
        OpenAICompatible("m", base_url="http://a/v1", body={"top_p": 0.5}),
        OpenAICompatible("other", base_url="http://a/v1", name="m"),
    ]
    strings = [ChatOpenAICompatible(model=model)._get_llm_string() for model in models]

    assert len(set(strings)) == 4
    assert "sk-canary" not in "".join(strings)
    assert "0x" not in "".join(strings)


def test_any_model_of_lecmux_will_do() -> None:
    chat = ChatModel(model=ScriptedModel({"hi": "good day"}), max_tokens=5)

    for answer in _four_ways(chat):
        assert answer.content == "good day"
    with pytest.raises(ValueError, match="auto"):
        chat.bind_tools([clock], tool_choice="any")
    with pytest.raises(ValueError, match="Model"):
        ChatModel(model="gpt")  # type: ignore[arg-type]


def test_a_setting_that_a_model_does_not_know_is_an_error() -> None:
    chat: Any = ChatModel(model=ScriptedModel(default="yes"))

    with pytest.raises(TypeError, match="top_k"):
        chat.invoke("hi", top_k=3)
