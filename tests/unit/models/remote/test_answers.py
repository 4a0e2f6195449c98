"""Models behind an endpoint: what is asked, and what is given."""

import json
from typing import Any

import pytest

from lecmux import Cache, Query, Reply, Usage
from lecmux.models import AsyncModel
from lecmux.testing import Send

ASK = [{"role": "user", "content": "What is the capital of France?"}]
WAYS = ("chat", "achat", "stream", "astream")
TOOL = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": '{"zone": "UTC"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
    ],
}


@pytest.mark.parametrize("way", WAYS)
def test_text_usage_and_the_models_own_name_in_every_way(remotes: Any, way: str) -> None:
    usage = Usage(12, 7, cached_input_tokens=8, reasoning_tokens=3)
    model = remotes.ask(remotes.serve(Reply("It is Paris.", usage, "stop", "m-2026", "France, so Paris.")))

    reply = remotes.answered(model, way)

    assert (reply.value, reply.finish_reason, reply.model) == ("It is Paris.", "stop", "m-2026")
    assert reply.reasoning == "France, so Paris."
    assert reply.usage.seconds > 0
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (12, 7)
    assert (reply.usage.cached_input_tokens, reply.usage.reasoning_tokens) == (8, 3)


@pytest.mark.parametrize("way", WAYS)
def test_tool_calls_in_every_way(remotes: Any, way: str) -> None:
    served = remotes.serve(Reply(CALL))

    reply = remotes.answered(remotes.ask(served), way, tools=[TOOL], body={"tool_choice": "required"})

    assert reply.value == CALL
    assert reply.finish_reason == "tool_calls"
    assert served.requests[0]["tools"] == [TOOL]
    assert served.requests[0]["tool_choice"] == "required"


def test_the_settings_of_a_call_are_sent_and_nothing_else(remotes: Any) -> None:
    served = remotes.serve("yes")
    model = remotes.ask(served, body={"top_p": 0.5, "temperature": None}, headers={"X-Team": "blue"})

    model.chat(ASK, max_tokens=5, stop=["a", "b"], seed=3, body={"top_p": 0.6})

    assert served.requests == [
        {
            "model": "m",
            "messages": ASK,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 5,
            "stop": ["a", "b"],
            "seed": 3,
            "top_p": 0.6,
        }
    ]
    assert served.headers[0]["X-Team"] == "blue"


def test_an_endpoint_that_does_not_stream_is_understood(remotes: Any) -> None:
    whole = {
        "model": "plain",
        "choices": [{"message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
    model = remotes.ask(remotes.serve(Send(json.dumps(whole).encode(), "application/json")))

    assert list(model.stream(ASK)) == ["Paris"]
    assert model.chat(ASK).usage.input_tokens == 3


def test_calls_that_come_whole_and_without_a_count_stay_apart(remotes: Any) -> None:
    deltas: list[dict[str, Any]] = [
        {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
        {"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "{}"}}]},
    ]
    chunks = [{"choices": [{"delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    body = b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks)

    reply = remotes.ask(remotes.serve(Send(body))).chat(ASK, tools=[TOOL])

    assert [call["function"]["name"] for call in reply.value["tool_calls"]] == ["f", "g"]


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_answer_is_given_and_marked(remotes: Any, way: str) -> None:
    reply = remotes.answered(remotes.ask(remotes.serve("")), way)

    assert (reply.value, reply.finish_reason) == ("", "empty")


def test_an_empty_answer_is_not_stored(remotes: Any) -> None:
    served = remotes.serve("", "Paris")
    model = remotes.ask(served)
    cache = Cache(1_000_000)

    answers = [cache.answer("q", models={"m": model}) for _ in range(3)]

    assert [answer.value for answer in answers] == ["", "Paris", "Paris"]
    assert len(served.requests) == 2


async def test_it_serves_an_async_cache(remotes: Any) -> None:
    model = remotes.ask(remotes.serve("Paris"))

    reply = await model.acall(Query("q", attributes={"chat": {"max_tokens": 3}}))

    assert reply.value == "Paris"
    assert isinstance(model, AsyncModel)
