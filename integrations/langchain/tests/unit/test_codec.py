"""The stored form: lossless for every message and content-block type, closed to everything else."""

import contextlib
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from answers import BLOCKS, MESSAGES, USAGE
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk
from pydantic import BaseModel, RootModel

from langchain_lecmux import codec
from langchain_lecmux.codec import MAX_DEPTH, UnstorableError, encode


def decode(data: bytes) -> list[Any]:
    return codec.decode(data)[0]


def same(one: BaseMessage, other: BaseMessage) -> bool:
    """Equal but for the id, type by type and field by field."""
    return type(one) is type(other) and one == other.model_copy(update={"id": one.id})


def kept(message: BaseMessage, info: dict[str, Any] | None = None) -> ChatGeneration:
    (generation,) = decode(encode([ChatGeneration(message=message, generation_info=info)]))
    assert type(generation) is ChatGeneration
    return generation


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_type_comes_back_equal(name: str) -> None:
    message = MESSAGES[name]
    generation = kept(message)
    assert same(message, generation.message)
    assert generation.text == ChatGeneration(message=message).text
    assert (
        generation.message.model_dump()
        == message.model_copy(update={"id": generation.message.id}).model_dump()
    )


@pytest.mark.parametrize("name", BLOCKS)
def test_every_content_block_comes_back_equal(name: str) -> None:
    message = AIMessage([BLOCKS[name]], response_metadata={"output_version": "v1"})
    generation = kept(message)
    assert same(message, generation.message)
    assert generation.message.content_blocks == message.content_blocks


class Plain(Enum):
    A = 1


class Colour(StrEnum):
    RED = "red"


class Joke(BaseModel):
    setup: str
    stars: tuple[int, ...] = ()


class Inside(BaseModel):
    joke: Joke
    extra: Any = None


class Numbers(RootModel[list[int]]):
    pass


@pytest.mark.parametrize(
    "value",
    [
        {1: "a", (2, 3): "b", None: "c"},
        {"~": ["bytes", "AAAA"]},
        {"deep": [{"~": 1}, ({"~": ()},)]},
        b"\x00\xff",
        (1, (2, [3])),
        {1, 2},
        frozenset({"a"}),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        date(2026, 1, 2),
        time(3, 4),
        timedelta(days=-1, microseconds=7),
        Decimal("0.10"),
        UUID(int=7),
        float("inf"),
        10**30,
        Colour.RED,
        Joke(setup="knock", stars=(1, 2)),
        Inside(joke=Joke(setup="who"), extra={"a": (1,)}),
        Numbers([1, 2]),
    ],
)
def test_python_values_in_metadata_come_back_equal(value: Any) -> None:
    message = AIMessage("x", additional_kwargs={"parsed": value}, response_metadata={"v": [value]})
    back = kept(message, {"v": value})
    assert same(message, back.message)
    assert back.generation_info == {"v": value}
    assert type(back.message.additional_kwargs["parsed"]) in (type(value), str)


def test_a_parsed_object_is_a_dictionary_in_another_process() -> None:
    data = encode(
        [ChatGeneration(message=AIMessage("{}", additional_kwargs={"parsed": Joke(setup="knock")}))]
    )
    foreign = data.replace(data.split(b'"model",["')[1][:24], b"0" * 24)
    (generation,) = decode(foreign)
    assert generation.message.additional_kwargs["parsed"] == {"setup": "knock", "stars": ()}
    assert b"Joke" not in data
    assert b"test_codec" not in data


def test_text_and_chat_generations_stay_what_they_are_in_any_number() -> None:
    generations = [
        Generation(text="a", generation_info={"finish_reason": "stop"}),
        ChatGeneration(message=AIMessage("b"), generation_info={"logprobs": None}),
        Generation(text=""),
    ]
    back = decode(encode(generations))
    assert [type(each) for each in back] == [Generation, ChatGeneration, Generation]
    assert back[0] == generations[0]
    assert back[2] == generations[2]
    assert decode(encode([])) == []


def test_what_was_said_about_an_answer_comes_back() -> None:
    about = {"cost": 0.25, "unit": "usd", "pieces": [1, 2]}
    assert codec.decode(encode([Generation(text="a")], about)) == ([Generation(text="a")], about)


def test_every_decoding_makes_new_objects_and_new_ids() -> None:
    data = encode([ChatGeneration(message=AIMessage("a", id="mine", additional_kwargs={"k": [1]}))] * 2)
    one, other = decode(data), decode(data)
    ids = {generation.message.id for generation in (*one, *other)}
    assert len(ids) == 4
    assert all(each.startswith("lc_run--") for each in ids)
    one[0].message.additional_kwargs["k"].append(2)
    assert other[0].message.additional_kwargs == {"k": [1]}


def test_a_chunk_is_stored_as_the_message_it_amounts_to() -> None:
    chunk = AIMessageChunk("a", usage_metadata=USAGE, chunk_position="last")
    (generation,) = decode(encode([ChatGenerationChunk(message=chunk)]))
    assert type(generation) is ChatGeneration
    assert same(AIMessage("a", usage_metadata=USAGE), generation.message)
    assert decode(encode([GenerationChunk(text="a")])) == [Generation(text="a")]


class OddMessage(AIMessage):
    """A class of someone's own."""


class OddGeneration(ChatGeneration):
    """Another."""


@pytest.mark.parametrize(
    "generation",
    [
        ChatGeneration(message=OddMessage("x")),
        OddGeneration(message=AIMessage("x")),
        ChatGeneration(message=AIMessage("x", additional_kwargs={"f": print})),
        ChatGeneration(message=AIMessage("x", response_metadata={"o": object()})),
        ChatGeneration(message=AIMessage("x", response_metadata={"o": Plain.A})),
        Generation(text="x", generation_info={"o": object()}),
    ],
)
def test_what_is_outside_the_schema_is_refused(generation: Generation) -> None:
    with pytest.raises(UnstorableError):
        encode([generation])


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "data",
    [
        {"lc": 1, "type": "secret", "id": ["LECMUX_TEST_SECRET"]},
        {"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", "AIMessage"], "kwargs": {}},
        {"py/object": "os.system", "__reduce__": ["os.system", ["true"]]},
    ],
)
def test_data_that_ask_for_a_class_or_a_secret_stay_data(
    data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LECMUX_TEST_SECRET", "leaked")
    call = {"name": "f", "args": {"x": data}, "id": "call_1", "type": "tool_call"}
    message = AIMessage([{"type": "odd", "v": data}], additional_kwargs={"v": data}, tool_calls=[call])
    back = kept(message, {"v": [data]})
    assert same(message, back.message)
    assert back.generation_info == {"v": [data]}
    assert type(back.message.additional_kwargs["v"]) is dict


def test_depth_is_limited() -> None:
    assert kept(AIMessage("x", response_metadata={"v": nested(MAX_DEPTH - 2)}))
    with pytest.raises(UnstorableError, match="levels deep"):
        encode([ChatGeneration(message=AIMessage("x", response_metadata={"v": nested(MAX_DEPTH + 2)}))])
    with pytest.raises(UnstorableError):
        decode(b"[1,0," + b"[" * 200_000 + b"]" * 200_000 + b",{}]")


def test_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("langchain_lecmux.codec.generations.MAX_BYTES", 1000)
    with pytest.raises(UnstorableError, match="bytes"):
        encode([Generation(text="x" * 1000)])
    with pytest.raises(UnstorableError, match="size"):
        decode(b" " * 1001)


FOREIGN = [
    b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[1,0]", b"[2,0,[],{}]", b"[1,0,[]]", b"[1,0,[],1]",
    b"[1,0,null,{}]", b"[1,0,[1],{}]",
    b'[1,0,[["chat",["ai",5,{}],null]],{}]',
    b'[1,0,[["chat",["ai",[5],{}],null]],{}]',
    b'[1,0,[["chat",["os.system","x",{}],null]],{}]',
    b'[1,0,[["chat",["ai","x",{"id":"1"}],null]],{}]',
    b'[1,0,[["chat",["ai","x",{"tool_calls":[{"name":"f","args":"text"}]}],null]],{}]',
    b'[1,0,[["chat",["ai","x",{"usage_metadata":{"input_tokens":"many"}}],null]],{}]',
    b'[1,0,[["chat",["ai","x",{"additional_kwargs":[]}],null]],{}]',
    b'[1,0,[["chat",["ai","x",[]],null]],{}]',
    b'[1,0,[["chat",["tool","x",{}],null]],{}]',
    b'[1,0,[["chat",["tool","x",{"tool_call_id":"1","status":"odd"}],null]],{}]',
    b'[1,0,[["chat",["chat","x",{}],null]],{}]',
    b'[1,0,[["text","x",[]]],{}]',
    b'[1,0,[["text",5,null]],{}]',
    b'[1,0,[["pickle","x",null]],{}]',
    b'[1,1,[["text","x",{"v":{"~":["eval","1"]}}]],{}]',
    b'[1,1,[["text","x",{"v":{"~":["bytes","%%"]}}]],{}]',
    b'[1,1,[["text","x",{"v":{"~":["model",[["a"],1]]}}]],{}]',
    b'[1,1,[["text","x",{"v":{"~":["set",[[1]]]}}]],{}]',
    b'[1,1,[["text","x",{"v":{"~":7}}]],{}]',
]  # fmt: skip


@pytest.mark.parametrize("data", FOREIGN)
def test_foreign_data_are_a_typed_error(data: bytes) -> None:
    with pytest.raises(UnstorableError):
        decode(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
python_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.binary()
    | st.dates()
    | st.decimals(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.just("~") | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), python_values, max_size=3))
def test_any_value_round_trips(value: dict[str, Any]) -> None:
    message = AIMessage("x", additional_kwargs={"v": value}, response_metadata=value)
    assert same(message, kept(message, value).message)


@given(json_values)
def test_any_json_is_decoded_or_refused(value: Any) -> None:
    chat = [["chat", value, None]]
    message = [["chat", ["ai", "x", value], None]]
    for data in (value, [1, 1, value, {}], [1, 1, chat, {}], [1, 0, message, {}], [1, 0, [], value]):
        with contextlib.suppress(UnstorableError):
            decode(json.dumps(data).encode())


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with pytest.raises(UnstorableError):
        decode(data)


def test_copies_of_a_remembered_answer_share_nothing() -> None:
    message = AIMessage(
        [{"type": "text", "text": "four", "annotations": [{"a": [1]}]}],
        additional_kwargs={"extra": {"deep": [1]}},
        tool_calls=[{"name": "add", "args": {"a": [1]}, "id": "call_1", "type": "tool_call"}],
        response_metadata={"logprobs": {"content": [1]}},
        parsed_by=["us"],
    )
    data = encode([ChatGeneration(message=message, generation_info={"deep": [1]})], {"about": [1]})
    (first,), about = codec.decode(data)
    _scribble([first.message.__dict__, first.message.__pydantic_extra__, first.generation_info, about])
    first.message.content = "else"
    (second,), about = codec.decode(data)
    assert second.message.content == message.content
    assert second.message.tool_calls == message.tool_calls
    assert second.message.response_metadata == message.response_metadata
    assert second.message.additional_kwargs == message.additional_kwargs
    assert second.message.parsed_by == ["us"]
    assert (second.generation_info, about) == ({"deep": [1]}, {"about": [1]})
    assert first.message.id != second.message.id


def _scribble(value: Any) -> None:
    for item in list(value.values() if isinstance(value, dict) else value):
        if isinstance(item, (dict, list)):
            _scribble(item)
    if isinstance(value, dict):
        value["scribbled"] = True
    else:
        value.append("scribbled")
