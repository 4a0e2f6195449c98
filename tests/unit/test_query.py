"""The records of the pipeline."""

import dataclasses

import pytest

from lecmux import Answer, Decision, Query, Reply, Usage
from lecmux.query import Key


@pytest.mark.parametrize(
    "record",
    [
        Query("q"),
        Usage(),
        Reply("r"),
        Decision("id", "call", "m", "only", "usd"),
        Answer("v", Decision("", "hit", None, "exact", "usd")),
    ],
    ids=lambda record: type(record).__name__,
)
def test_records_are_frozen_and_slotted(record: object) -> None:
    field = dataclasses.fields(record)[0].name  # type: ignore[arg-type]

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, field, "changed")
    assert not hasattr(record, "__dict__")


def test_attributes_are_no_part_of_what_a_query_is() -> None:
    assert Query("q", attributes={"a": 1}) == Query("q", attributes={"b": 2})
    assert hash(Query("q", attributes={"a": 1})) == hash(Query("q"))


def test_a_key_tells_its_parts_apart() -> None:
    assert Key("ab", "c") != Key("a", "bc")
