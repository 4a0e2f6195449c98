"""Reading the tool calls that models write as text."""

import json

import pytest

from lecmux.models._tool_calls import forced_start, read_calls

NAMES = {"weather"}
ROME = {"city": "Rome"}


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>',
        '<tool_call>{"name": "weather", "arguments": {"city": "Rome"}}',
        '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Rome"}}]',
        '<|python_tag|>{"name": "weather", "parameters": {"city": "Rome"}}',
        '{"name": "weather", "parameters": {"city": "Rome"}}',
        '```json\n{"name": "weather", "arguments": {"city": "Rome"}}\n```',
        '[{"name": "weather", "arguments": {"city": "Rome"}}]',
    ],
    ids=["qwen", "cut mark", "mistral", "llama", "bare", "fenced", "list"],
)
def test_reads_the_forms_of_the_open_models(text: str) -> None:
    said, calls = read_calls(text, NAMES)

    assert said == ""
    (call,) = calls
    assert call["type"] == "function"
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == ROME
    assert call["id"]


def test_several_calls_keep_their_order_and_differ_in_their_ids() -> None:
    one = '<tool_call>{"name": "weather", "arguments": {"city": "%s"}}</tool_call>'

    said, calls = read_calls("Both. " + one % "Rome" + "\n" + one % "Paris", NAMES)

    assert said == "Both. "
    assert [json.loads(call["function"]["arguments"])["city"] for call in calls] == ["Rome", "Paris"]
    assert len({call["id"] for call in calls}) == 2


def test_a_name_between_marks_counts_even_if_it_was_not_offered() -> None:
    _, calls = read_calls('<tool_call>{"name": "map", "arguments": {}}</tool_call>', NAMES)

    assert calls[0]["function"]["name"] == "map"


@pytest.mark.parametrize(
    ("choice", "names"),
    [("required", ["weather"]), ("required", ["map", "weather"]), ("weather", ["map", "weather"])],
)
def test_a_call_that_was_begun_for_the_model_is_read_whole(choice: str, names: list[str]) -> None:
    begun = forced_start(choice, names)
    whole = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'

    assert whole.startswith(begun)
    assert not begun.endswith(" ")
    (call,) = read_calls(whole, names)[1]
    assert json.loads(call["function"]["arguments"]) == ROME


@pytest.mark.parametrize(
    "text",
    [
        "It is sunny.",
        '{"city": "Rome"}',
        '{"name": "map", "arguments": {}}',
        '{"name": "weather"}',
        '<tool_call>{"name": "weather", "arguments": </tool_call>',
        '<tool_call>{"name": "weather", "arguments": "Rome"}</tool_call>',
        '{"name": 1, "arguments": {}}',
        "[" * 100_000,
        "",
    ],
    ids=lambda text: str(text)[:24],
)
def test_text_that_is_no_call_stays_text(text: str) -> None:
    assert read_calls(text, NAMES) == (text, [])
