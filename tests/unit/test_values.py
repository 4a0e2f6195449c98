"""The closed schema of values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecmux._core import Encoded
from lecmux.errors import ValueTypeError
from lecmux.values import MAX_DEPTH, decode_value, encode_value

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@given(st.lists(JSON, max_size=3) | st.dictionaries(st.text(), JSON, max_size=3))
def test_objects_come_back_equal_and_of_the_same_types(value: Any) -> None:
    encoded = encode_value(value)

    assert isinstance(encoded, Encoded)
    assert repr(decode_value(encoded.data)) == repr(value)


def test_str_and_bytes_are_kept_by_reference() -> None:
    text, data = "a text" * 9, b"some bytes" * 9

    assert encode_value(text) is text
    assert encode_value(data) is data


def test_subclasses_of_str_and_bytes_are_kept_as_plain_ones() -> None:
    class Text(str):
        __slots__ = ()

    class Data(bytes):
        __slots__ = ()

    assert type(encode_value(Text("x"))) is str
    assert type(encode_value(Data(b"x"))) is bytes


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ud83d\ude00 as two halves"])
def test_lone_surrogates_in_a_text_come_back_as_they_were(text: str) -> None:
    encoded = encode_value(text)

    assert isinstance(encoded, Encoded)
    assert decode_value(encoded.data) == text


def test_each_reading_is_a_fresh_copy() -> None:
    encoded = encode_value({"a": []})
    assert isinstance(encoded, Encoded)

    assert decode_value(encoded.data)["a"] is not decode_value(encoded.data)["a"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        object(),
        {1: "a"},
        {"a": {2: "b"}},
        (1, 2),
        {"a": (1,)},
        {"a": {1, 2}},
        float("nan"),
        [float("inf")],
        bytearray(b"x"),
        {"a": b"bytes inside"},
        1 + 2j,
        10**5000,
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_refuses_what_json_would_change_or_cannot_hold(value: Any) -> None:
    with pytest.raises(ValueTypeError):
        encode_value(value)


def test_refuses_a_cycle_and_too_deep_nesting() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    encode_value(_nested(MAX_DEPTH - 1))
    with pytest.raises(ValueTypeError, match="nested deeper"):
        encode_value(_nested(MAX_DEPTH + 1))
    with pytest.raises(ValueTypeError, match="cycle"):
        encode_value(cycle)


def test_refuses_to_decode_an_unknown_tag() -> None:
    with pytest.raises(ValueTypeError, match="unknown tag"):
        decode_value(b"?rubbish")
