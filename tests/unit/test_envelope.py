"""Stored answers: the value beside who gave it."""

from typing import Any

import pytest

from lecmux._envelope import Entry, entry_in, seal, unseal
from lecmux.errors import ValueTypeError
from lecmux.values import encode_json


@pytest.mark.parametrize(
    "value", ["text\nof two lines", "", "\ud800", b"\x00\n", {"a": [1, None]}, [], 0, True]
)
def test_an_entry_comes_back_whole(value: Any) -> None:
    entry = Entry(value, "large", 0.25, 1.5, 1000.0, "origin")

    back = unseal(seal(entry).data)

    assert back == entry
    assert type(back.value) is type(value)


def test_what_was_stored_by_hand_has_no_model() -> None:
    assert entry_in("text") == Entry("text")
    assert unseal(b"J" + encode_json({"a": 1})) == Entry({"a": 1})


def test_refuses_what_cannot_be_stored() -> None:
    for value in (None, object()):
        with pytest.raises(ValueTypeError):
            seal(Entry(value))


def test_refuses_a_kind_of_another_version() -> None:
    with pytest.raises(ValueTypeError, match="unknown kind"):
        unseal(b'Az["m",0.0,0.0,null,null]\npayload')
