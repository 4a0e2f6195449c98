"""The same question is one key, another question is another, and what has no stable form has none."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import (
    CacheControl,
    CachePoint,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from pydantic import BaseModel

from llama_index.llms.lecmux.canonical import UnstableKeyError, chat_key, completion_key, plain

PIXEL, OTHER = (b"\x89PNG\r\n\x1a\n" + bytes([n]) * 16 for n in (0, 1))


def with_tool(call_id: str, **extra: Any) -> list[ChatMessage]:
    call = ToolCallBlock(tool_call_id=call_id, tool_name="add", tool_kwargs={"a": 1, "b": 2})
    return [
        ChatMessage("add 1 and 2"),
        ChatMessage(role="assistant", blocks=[call], additional_kwargs=extra),
        ChatMessage("3", role="tool", additional_kwargs={"tool_call_id": call_id}),
    ]


def listed(call_id: str) -> dict[str, Any]:
    return {"tool_calls": [{"id": call_id, "index": 0, "function": {"name": "add", "arguments": "{}"}}]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (with_tool("call_a"), with_tool("call_b")),
        (with_tool("call_a", **listed("call_a")), with_tool("call_b", **listed("call_b"))),
        ([ChatMessage("hi", additional_kwargs={"lecmux": {"id": "x"}})], [ChatMessage("hi")]),
        ([ChatMessage("hi", additional_kwargs={"prompt_tokens": 3})], [ChatMessage("hi")]),
        ([ChatMessage("hi", additional_kwargs={"refusal": None, "notes": []})], [ChatMessage("hi")]),
        (
            [ChatMessage([TextBlock(text="hi"), CachePoint(cache_control=CacheControl(type="ephemeral"))])],
            [ChatMessage("hi")],
        ),
        (
            [ChatMessage([ThinkingBlock(content="hm", num_tokens=3)])],
            [ChatMessage([ThinkingBlock(content="hm", num_tokens=4)])],
        ),
        (
            [ChatMessage([ToolCallBlock(tool_name="t", tool_kwargs={"b": 1, "a": 2})])],
            [ChatMessage([ToolCallBlock(tool_name="t", tool_kwargs='{"a": 2, "b": 1}')])],
        ),
        ([ChatMessage([ImageBlock(image=PIXEL)])], [ChatMessage([ImageBlock(image=PIXEL)])]),
    ],
    ids=range(9),
)
def test_the_same_question_is_one_key(one: Any, other: Any) -> None:
    assert chat_key(one) == chat_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([ChatMessage("hi")], [ChatMessage("Hi")]),
        ([ChatMessage("hi")], [ChatMessage("hi", role="system")]),
        ([ChatMessage("a"), ChatMessage("b")], [ChatMessage("b"), ChatMessage("a")]),
        ([ChatMessage("a b")], [ChatMessage("a"), ChatMessage("b")]),
        ([ChatMessage([ImageBlock(image=PIXEL)])], [ChatMessage([ImageBlock(image=OTHER)])]),
        (
            [ChatMessage([ImageBlock(url="https://example.org/a.png")])],
            [ChatMessage([ImageBlock(url="https://example.org/b.png")])],
        ),
        ([ChatMessage([ThinkingBlock(content="a")])], [ChatMessage([ThinkingBlock(content="b")])]),
        ([ChatMessage("hi", additional_kwargs={"name": "a"})], [ChatMessage("hi")]),
        (
            [ChatMessage([ToolCallBlock(tool_name="t", tool_kwargs={"a": 1})])],
            [ChatMessage([ToolCallBlock(tool_name="t", tool_kwargs={"a": 2})])],
        ),
        ([ChatMessage("x" * 5_000 + "a")], [ChatMessage("x" * 5_000 + "b")]),
    ],
    ids=range(10),
)
def test_another_question_is_another_key(one: Any, other: Any) -> None:
    assert chat_key(one) != chat_key(other)


def test_which_call_an_answer_of_a_tool_belongs_to_matters() -> None:
    calls = [ToolCallBlock(tool_call_id=name, tool_name="t", tool_kwargs={"of": name}) for name in "ab"]

    def answered(*ids: str) -> str:
        answers = [ChatMessage("x", role="tool", additional_kwargs={"tool_call_id": name}) for name in ids]
        return chat_key([ChatMessage(role="assistant", blocks=list(calls)), *answers])

    assert answered("a", "b") != answered("b", "a")


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    for path, data in ((one, PIXEL), (same, PIXEL), (other, OTHER)):
        path.write_bytes(data)

    keys = [chat_key([ChatMessage([ImageBlock(path=path)])]) for path in (one, same, other)]

    assert keys[0] == keys[1] != keys[2]


def test_an_open_file_counts_by_its_content_and_stays_where_it_was() -> None:
    stream = BytesIO(PIXEL)
    stream.seek(3)

    keys = {chat_key([ChatMessage([ImageBlock(image=stream)])]) for _ in range(2)}

    assert len(keys) == 1
    assert stream.tell() == 3


def test_a_file_that_is_gone_has_no_key() -> None:
    with pytest.raises(UnstableKeyError, match="cannot be read"):
        chat_key([ChatMessage([DocumentBlock(path="/nowhere/report.pdf")])])


def test_an_object_without_a_stable_form_has_no_key() -> None:
    with pytest.raises(UnstableKeyError, match="without a stable form"):
        chat_key([ChatMessage("hi", additional_kwargs={"handle": object()})])


def test_a_chat_and_a_completion_of_the_same_text_are_apart() -> None:
    assert chat_key([ChatMessage("hi")]) != completion_key("hi")


def test_a_class_counts_by_its_schema() -> None:
    def made(kind: type) -> Any:
        return plain(type("Answer", (BaseModel,), {"__annotations__": {"n": kind}}))

    assert made(int) == made(int)
    assert made(int) != made(str)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_arguments_in_any_order_are_one_key(value: Any) -> None:
    def key(arguments: dict[str, Any]) -> str:
        return chat_key([ChatMessage([ToolCallBlock(tool_name="t", tool_kwargs=arguments)])])

    assert key({"a": value, "b": 1}) == key({"b": 1, "a": value})


def test_keys_can_be_stored_whatever_the_text() -> None:
    for text in ("", "\ud800", "x" * 100_000):
        chat_key([ChatMessage(text)]).encode()
        completion_key(text).encode()
