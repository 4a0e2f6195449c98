"""Values of any plain kind survive being JSON; nothing in the data names a class."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, RootModel

from lecmux.tagged import MAX_DEPTH, Packer, UnstorableError, unpack


class Person(BaseModel):
    name: str


class Names(RootModel[list[str]]):
    """A pydantic object that is a list."""


class Colour(StrEnum):
    RED = "red"


def kept(value: Any) -> Any:
    return unpack(json.loads(json.dumps(Packer().pack(value))))


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "x"]},
        {1: "a", (2, 3): "b"},
        {"~": ["dict", []]},
        b"\x00\xff",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        date(2026, 1, 2),
        time(3, 4),
        timedelta(days=1, microseconds=5),
        Decimal("1.10"),
        UUID(int=7),
        (1, (2, [3])),
        {1, 2},
        frozenset({"a"}),
        Person(name="Ada"),
        Names(["Ada"]),
    ],
    ids=repr,
)
def test_a_value_comes_back_equal_and_of_its_kind(value: Any) -> None:
    assert kept(value) == value
    assert type(kept(value)) is type(value)


def test_a_string_enum_becomes_its_text() -> None:
    assert kept({Colour.RED: Colour.RED}) == {"red": "red"}


def test_an_object_of_another_kind_is_refused() -> None:
    with pytest.raises(UnstorableError, match="object"):
        Packer().pack([object()])


def test_nesting_has_an_end() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH + 2):
        value = [value]

    with pytest.raises(UnstorableError, match="levels deep"):
        Packer().pack(value)


@pytest.mark.parametrize(
    "packed", [{"~": ["class", "os.system"]}, {"~": "x"}, {"~": ["decimal", []]}, {"~": ["uuid", 3]}]
)
def test_data_that_fit_no_tag_are_refused(packed: Any) -> None:
    with pytest.raises(UnstorableError):
        unpack(packed)


def test_a_class_of_another_process_comes_back_as_its_fields() -> None:
    assert unpack({"~": ["model", ["0" * 24, {"name": "Ada"}]]}) == {"name": "Ada"}


def test_pydantic_is_not_loaded_for_it() -> None:
    program = "import sys, lecmux.tagged as t; t.Packer().pack([{1}]); print('pydantic' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
