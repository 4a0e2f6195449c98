"""Same meaning, same key; different meaning, different key."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumps
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_lecmux.canonical import UnstableKeyError, canonical_key, describe_model, plain_key
from lecmux.key_text import MAX_KEY_CHARS

words = st.text(max_size=12)
identifiers = st.text(min_size=1, max_size=8)
scalars = st.none() | st.booleans() | st.integers(-9, 9) | words
arguments = st.dictionaries(
    words, st.recursive(scalars, lambda inner: st.lists(inner, max_size=2), max_leaves=4), max_size=3
)
blocks = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": words}),
    st.fixed_dictionaries({"type": st.just("reasoning"), "reasoning": words}),
    st.fixed_dictionaries({"type": st.just("image"), "url": words}),
    st.fixed_dictionaries({"type": st.just("image_url"), "image_url": st.fixed_dictionaries({"url": words})}),
)
content = words | st.lists(blocks, min_size=1, max_size=3)
calls = st.lists(st.fixed_dictionaries({"name": identifiers, "args": arguments}), max_size=2)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Turns as plain facts: what was said and called, without a single id."""
    turns = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["human", "system", "ai"]))
        turn = {"kind": kind, "content": draw(content)}
        if kind == "ai":
            turn["calls"] = draw(calls)
        if kind == "human" and draw(st.booleans()):
            turn["name"] = draw(identifiers)
        turns.append(turn)
    return turns


def spoken(turns: list[dict[str, Any]], run: str) -> str:
    """The prompt LangChain would make of `turns` in a run whose ids all begin with `run`."""
    messages: list[BaseMessage] = []
    for place, turn in enumerate(deepcopy(turns)):
        said = turn["content"]
        if isinstance(said, list):
            for number, block in enumerate(said):
                if block["type"] != "image_url":
                    block |= {"id": f"{run}{place}{number}", "index": number}
        if turn["kind"] != "ai":
            make = {"human": HumanMessage, "system": SystemMessage}[turn["kind"]]
            messages.append(make(said, id=run, name=turn.get("name")))
            continue
        made = [{**call, "id": f"{run}-{place}-{number}"} for number, call in enumerate(turn["calls"])]
        messages.append(
            AIMessage(
                said,
                id=f"{run}-ai",
                tool_calls=made,
                response_metadata={"created": run, "lecmux": {"hit_id": run}},
                usage_metadata={"input_tokens": len(run), "output_tokens": 1, "total_tokens": len(run) + 1},
            )
        )
        messages += [ToolMessage("done", tool_call_id=call["id"], artifact=object()) for call in made]
    return dumps(messages)


@given(conversations())
def test_same_meaning_same_key(turns: list[dict[str, Any]]) -> None:
    assert canonical_key(spoken(turns, "first")) == canonical_key(spoken(turns, "second run"))


def simplified(turns: list[dict[str, Any]]) -> str:
    """Turns with a lone text block written as the text it is."""
    plain = deepcopy(turns)
    for turn in plain:
        said = turn["content"]
        if isinstance(said, list) and len(said) == 1 and said[0]["type"] == "text":
            turn["content"] = said[0]["text"]
    return json.dumps(plain, sort_keys=True)


@given(conversations(), conversations())
def test_different_meaning_different_key(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    same = simplified(one) == simplified(other)
    assert (canonical_key(spoken(one, "a")) == canonical_key(spoken(other, "a"))) == same


@given(conversations(), st.data())
def test_one_changed_word_changes_the_key(turns: list[dict[str, Any]], data: st.DataObject) -> None:
    changed = deepcopy(turns)
    turn = data.draw(st.sampled_from(changed))
    said = turn["content"]
    if isinstance(said, str):
        turn["content"] = said + "!"
    else:
        block = data.draw(st.sampled_from(said))
        name = next(name for name in block if name != "type")
        block[name] = (
            {"url": block[name]["url"] + "!"} if isinstance(block[name], dict) else block[name] + "!"
        )
    assert canonical_key(spoken(turns, "a")) != canonical_key(spoken(changed, "a"))


@given(words, words)
def test_a_text_prompt_is_its_own_key(one: str, other: str) -> None:
    assert (canonical_key(one) == canonical_key(other)) == (one == other)


def key(*messages: BaseMessage) -> str:
    return canonical_key(dumps(list(messages)))


def test_a_chat_prompt_and_a_text_prompt_never_share_a_key() -> None:
    chat = key(HumanMessage("hi"))
    assert chat != canonical_key(chat)
    assert chat != canonical_key(chat[1:])


def test_which_call_an_answer_belongs_to_is_part_of_the_key() -> None:
    calls = [{"name": "f", "args": {}, "id": "a"}, {"name": "f", "args": {}, "id": "b"}]
    straight = [ToolMessage("1", tool_call_id="a"), ToolMessage("2", tool_call_id="b")]
    crossed = [ToolMessage("1", tool_call_id="b"), ToolMessage("2", tool_call_id="a")]
    assert key(AIMessage("", tool_calls=calls), *straight) != key(AIMessage("", tool_calls=calls), *crossed)


def test_ids_inside_arguments_are_arguments() -> None:
    def call(order: str) -> AIMessage:
        return AIMessage(
            "", tool_calls=[{"name": "f", "args": {"id": order, "tool_call_id": order}, "id": "x"}]
        )

    assert key(call("1")) != key(call("2"))


def test_the_order_of_keys_in_arguments_does_not_matter() -> None:
    first = AIMessage("", tool_calls=[{"name": "f", "args": {"a": 1, "b": {"c": 1, "d": 2}}, "id": "x"}])
    second = AIMessage("", tool_calls=[{"name": "f", "args": {"b": {"d": 2, "c": 1}, "a": 1}, "id": "y"}])
    assert key(first) == key(second)


def test_provider_formats_of_a_call_are_renamed_too() -> None:
    def asked(run: str) -> list[BaseMessage]:
        raw = {"tool_calls": [{"id": run, "type": "function", "function": {"name": "f", "arguments": "{}"}}]}
        return [
            AIMessage([{"type": "tool_use", "id": run, "name": "f", "input": {}}], additional_kwargs=raw),
            HumanMessage([{"type": "tool_result", "tool_use_id": run, "content": "4"}]),
            AIMessage(
                [{"type": "function_call", "id": f"fc_{run}", "call_id": run, "name": "f", "arguments": ""}]
            ),
        ]

    assert key(*asked("toolu_1")) == key(*asked("toolu_2"))


@pytest.mark.parametrize("name", ["base64", "url", "file_id"])
@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_two_pictures_are_two_keys(kind: str, name: str) -> None:
    """Media count in full, whatever their id says."""

    def shown(value: str, block_id: str) -> str:
        block = {"type": kind, name: value, "mime_type": "x/y", "id": block_id}
        return key(HumanMessage([{"type": "text", "text": "what is this?"}, block]))

    assert shown("AAAA", "1") == shown("AAAA", "2")
    assert shown("AAAA", "1") != shown("BBBB", "1")


def test_a_file_known_only_by_its_id_keeps_it() -> None:
    def shown(block: dict[str, str]) -> str:
        return key(HumanMessage([block]))

    assert shown({"type": "image", "id": "file-1"}) != shown({"type": "image", "id": "file-2"})
    by_id = {"type": "image", "source_type": "id", "mime_type": "x/y"}
    assert shown({**by_id, "id": "file-1"}) != shown({**by_id, "id": "file-2"})


def test_a_streamed_turn_equals_the_same_turn_called() -> None:
    streamed = AIMessageChunk("four", id="run-1") + AIMessageChunk("", chunk_position="last")
    assert key(streamed) == key(AIMessage("four", id="run-2"))


def test_prompt_caching_marks_do_not_change_the_answer() -> None:
    marked = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    assert key(HumanMessage([marked])) == key(HumanMessage("hi"))


def test_a_parsed_object_is_a_copy_of_the_content() -> None:
    assert key(AIMessage("{}", additional_kwargs={"parsed": {"a": 1}})) == key(AIMessage("{}"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HumanMessage("x"), SystemMessage("x")),
        (HumanMessage("x"), AIMessage("x")),
        (HumanMessage("x", name="ann"), HumanMessage("x", name="bob")),
        (FunctionMessage("x", name="f"), FunctionMessage("x", name="g")),
        (ToolMessage("x", tool_call_id="1"), ToolMessage("x", tool_call_id="1", status="error")),
        (AIMessage("x"), AIMessage("x", additional_kwargs={"refusal": "no"})),
        (
            HumanMessage([{"type": "unheard_of", "id": "1"}]),
            HumanMessage([{"type": "unheard_of", "id": "2"}]),
        ),
    ],
)
def test_what_a_model_can_see_stays(one: BaseMessage, other: BaseMessage) -> None:
    assert key(one) != key(other)


def test_the_number_of_messages_counts() -> None:
    assert key(HumanMessage("a"), HumanMessage("b")) != key(HumanMessage("ab"))
    assert key() != key(HumanMessage(""))


def test_long_keys_are_short_and_still_distinct() -> None:
    long = "x" * 10_000_000
    keys = {
        key(HumanMessage(long)),
        key(HumanMessage(long + "y")),
        canonical_key(long),
        canonical_key(long + "y"),
    }
    assert len(keys) == 4
    assert all(len(each) <= MAX_KEY_CHARS for each in keys)


def test_lone_surrogates_have_keys() -> None:
    keys = {
        key(HumanMessage("\ud800")),
        key(HumanMessage("\ud801")),
        canonical_key("\ud800"),
        canonical_key("\ud801"),
    }
    assert len(keys) == 4
    for each in keys:
        each.encode()


def test_objects_without_a_stable_form_are_refused() -> None:
    with pytest.raises(UnstableKeyError):
        key(AIMessage("", tool_calls=[{"name": "f", "args": {"x": object()}, "id": "1"}]))


def test_endless_nesting_is_refused() -> None:
    deep = '[{"lc": 1, "type": "constructor", "id": ["HumanMessage"], "kwargs": {"content": ' + "[" * 100_000
    with pytest.raises(UnstableKeyError):
        canonical_key(deep + "]" * 100_000 + "}}]")


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "[1]", '[{"lc": 1}]', '[{"lc":', '[{"lc": 1, "kwargs": {}}]']
)
def test_text_that_looks_like_messages_is_text(text: str) -> None:
    assert canonical_key(text)


def test_model_strings_are_told_apart_by_every_character() -> None:
    assert describe_model("a").fingerprint != describe_model("b").fingerprint
    assert describe_model("bc", "a").fingerprint != describe_model("c", "ab").fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "[('_type', 'x'), ('stop', None), ('tools', [<function f at 0x7f00aa11>])]",
        "[('response_format', <class 'mod.Joke'>), ('stop', None)]",
    ],
)
def test_unstable_model_strings_are_seen(text: str) -> None:
    assert describe_model(text).unstable is not None


def test_a_model_string_that_names_no_model_is_seen() -> None:
    assert describe_model("[('_type', 'custom'), ('stop', None)]").anonymous
    assert describe_model("[('_type', 'custom'), ('stop', ['a'])]").anonymous
    assert not describe_model("[('_type', 'custom'), ('stop', None)]", "a name").anonymous
    assert not describe_model("[('_type', 'custom'), ('model', 'm'), ('stop', None)]").anonymous


def test_sampling_settings_are_read() -> None:
    plain = describe_model("[('_type', 'x'), ('n', 2), ('stop', None), ('temperature', 0.7)]")
    assert (plain.temperature, plain.n) == (0.7, 2)
    serialised = describe_model(
        '{"kwargs": {"temperature": 0.0, "n": 1}}---[(\'stop\', None), (\'temperature\', 1)]'
    )
    assert (serialised.temperature, serialised.n) == (1.0, 1)
    assert describe_model("x").temperature is None


PLAIN: list[list[BaseMessage]] = [
    [],
    [HumanMessage("hi")],
    [SystemMessage("be brief"), HumanMessage("hi", id="1"), AIMessage("hello", id="2"), HumanMessage("")],
    [AIMessage("hello", usage_metadata={"input_tokens": 1, "output_tokens": 1, "total_tokens": 2})],
    [AIMessage("hello", response_metadata={"model_name": "small"})],
    [HumanMessage('quotes " and \\ and \n and é and 😀')],
    [HumanMessage("long " * 1000)],
]
OTHERS: list[list[BaseMessage]] = [
    [HumanMessage("hi", name="Ann")],
    [HumanMessage("hi", extra="said")],
    [HumanMessage("hi", additional_kwargs={"a": 1})],
    [HumanMessage([{"type": "text", "text": "hi"}])],
    [AIMessage("", tool_calls=[{"name": "add", "args": {}, "id": "1"}])],
    [AIMessage("", invalid_tool_calls=[{"name": "add", "args": "{", "id": "1", "error": "no"}])],
    [ToolMessage("3", tool_call_id="1")],
    [HumanMessage("\ud83d\ude00")],
    [HumanMessage("\ud83d")],
]


@pytest.mark.parametrize("messages", PLAIN)
def test_plain_text_has_the_same_key_without_the_json(messages: list[BaseMessage]) -> None:
    assert plain_key(messages) == canonical_key(dumps(messages))


@pytest.mark.parametrize("messages", OTHERS)
def test_no_shortcut_for_what_says_more_than_its_text(messages: list[BaseMessage]) -> None:
    assert plain_key(messages) is None
