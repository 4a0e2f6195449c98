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
    entry = Entry(value, "large", 0.25, 1.5, 1000.0, "origin", -0.125)

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
        unseal(b'Az["m",0,0,0,null,null]\npayload')


def test_measured_figures_do_not_decide_how_large_an_entry_is() -> None:
    measured = [0.0, 1.5, 0.1234567890123, 1 / 3, 59.99999999, 2e-7, 4321.1]

    sizes = {
        len(seal(Entry("text", "m", cost, seconds, 1.7e9 + seconds, "origin", saved)).data)
        for cost in measured
        for seconds in measured
        for saved in (*measured, -0.001234567)
    }

    assert len(sizes) == 1


def test_amounts_are_kept_to_the_billionth_that_ledgers_count() -> None:
    back = unseal(seal(Entry("text", "m", 0.1 + 0.2, 1 / 3, 1.7e9 + 1 / 3, "origin", 2 / 3)).data)

    assert (back.cost, back.seconds, back.saved) == (0.3, 0.333333333, 0.666666667)
    assert back.stored_at == 1_700_000_000.333
