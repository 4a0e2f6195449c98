"""Putting the chunks of a generation together."""

from lecmux.models._generation import Collected


def _delta(finish_reason: str | None = None, **delta: object) -> dict[str, object]:
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
