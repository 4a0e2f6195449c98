"""Putting the chunks of a generation together."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from lecmux.models._collected import Collected


def _delta(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "finish_reason": finish_reason}]}


def test_text_and_usage() -> None:
    collected = Collected()
    pieces = [
        collected.add(chunk)
        for chunk in (
            _delta(role="assistant", content=None),
            _delta(content="Pa"),
            _delta(content="ris"),
            _delta("stop"),
            {
                "choices": [],
                "usage": {"prompt_tokens": 9, "completion_tokens": 2},
                "timings": {"prompt_ms": 30.0, "predicted_ms": 20.0},
            },
        )
    ]

    reply = collected.reply("small")
    assert pieces == ["", "Pa", "ris", "", ""]
    assert (reply.value, reply.finish_reason, reply.model) == ("Paris", "stop", "small")
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.seconds) == (9, 2, 0.05)


def test_tool_calls_are_joined_by_their_index() -> None:
    collected = Collected()
    for chunk in (
        _delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "clock", "arguments": ""}}]),
        _delta(tool_calls=[{"index": 1, "id": "b", "function": {"name": "map", "arguments": "{}"}}]),
        _delta(tool_calls=[{"index": 0, "function": {"arguments": '{"zone":'}}]),
        _delta(tool_calls=[{"index": 0, "function": {"arguments": ' "UTC"}'}}]),
        _delta("tool_calls"),
    ):
        collected.add(chunk)

    value = collected.reply("large").value
    assert [call["function"]["name"] for call in value["tool_calls"]] == ["clock", "map"]
    assert value["tool_calls"][0]["function"]["arguments"] == '{"zone": "UTC"}'
    assert value["tool_calls"][0]["id"] == "a"


def test_seconds_are_measured_where_the_model_does_not_say() -> None:
    collected = Collected()
    collected.add(_delta("stop", content="yes"))

    assert 0 < collected.reply("small").usage.seconds < 10


FIELDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "chunk": lambda odd: odd,
    "choices": lambda odd: {"choices": odd},
    "choice": lambda odd: {"choices": [odd]},
    "delta": lambda odd: {"choices": [{"delta": odd}]},
    "finish_reason": lambda odd: {"choices": [{"delta": {"content": "x"}, "finish_reason": odd}]},
    "content": lambda odd: _delta(content=odd),
    "reasoning": lambda odd: _delta(reasoning=odd),
    "reasoning_content": lambda odd: _delta(reasoning_content=odd),
    "refusal": lambda odd: _delta(refusal=odd),
    "tool_calls": lambda odd: _delta(tool_calls=odd),
    "tool call": lambda odd: _delta(tool_calls=[odd]),
    "id": lambda odd: _delta(tool_calls=[{"id": odd, "function": {"name": "f"}}]),
    "index": lambda odd: _delta(tool_calls=[{"index": odd, "function": {"name": "f"}}]),
    "function": lambda odd: _delta(tool_calls=[{"id": "a", "function": odd}]),
    "name": lambda odd: _delta(tool_calls=[{"id": "a", "function": {"name": odd}}]),
    "arguments": lambda odd: _delta(tool_calls=[{"id": "a", "function": {"arguments": odd}}]),
    "model": lambda odd: {"model": odd},
    "usage": lambda odd: {"usage": odd},
    "prompt_tokens": lambda odd: {"usage": {"prompt_tokens": odd, "completion_tokens": odd}},
    "details": lambda odd: {"usage": {"prompt_tokens_details": odd, "completion_tokens_details": odd}},
    "cached_tokens": lambda odd: {"usage": {"prompt_tokens_details": {"cached_tokens": odd}}},
    "timings": lambda odd: {"timings": odd},
    "prompt_ms": lambda odd: {"timings": {"prompt_ms": odd}},
}
ODD: list[Any] = [
    None,
    True,
    7,
    -7,
    1.5,
    float("nan"),
    float("inf"),
    "x",
    [],
    [7],
    [{"text": 7}],
    {},
    {"x": 7},
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("field", FIELDS)
def test_what_a_server_sends_is_an_answer_or_one_of_four_errors(field: str, odd: Any) -> None:
    collected = Collected()
    text = collected.add(_delta(content="before "))
    with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
        text += collected.add(FIELDS[field](odd))

    reply = collected.reply("m")

    assert text == (reply.value if isinstance(reply.value, str) else reply.value["content"])
    assert reply.reasoning is None or isinstance(reply.reasoning, str)
    assert reply.finish_reason is None or isinstance(reply.finish_reason, str)
    counts = (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_input_tokens)
    assert all(type(count) is int and count >= 0 for count in counts)
    assert 0 <= reply.usage.seconds < float("inf")
    json.dumps(reply.value)


def test_arguments_as_an_object_and_content_in_parts() -> None:
    collected = Collected()
    collected.add(_delta(tool_calls=[{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}]))
    collected.add(_delta(content=[{"type": "text", "text": "Pa"}, {"type": "text", "text": "ris"}]))

    value = collected.reply("m").value

    assert value["tool_calls"][0]["function"]["arguments"] == '{"x": 1}'
    assert value["content"] == "Paris"
