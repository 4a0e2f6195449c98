"""A record is a frozen dataclass in all that can be seen of it."""

import copy
import inspect
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any

import pytest

from lecmux._record import record
from lecmux.query import Decision


class _Fields:
    one: int
    two: str = "two"
    three: Mapping[str, int] = field(default_factory=dict, compare=False)
    four: tuple[int, ...] = ()


Plain: Any = dataclass(frozen=True, slots=True)(type("Thing", (), dict(vars(_Fields))))
Fast: Any = record(type("Thing", (), dict(vars(_Fields))))
CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "x"), {"three": {"a": 1}}),
    ((), {"one": 1, "four": (2,)}),
    ((1, "x", {}, (3, 4)), {}),
]


@pytest.mark.parametrize(("positional", "named"), CALLS)
def test_it_holds_what_a_dataclass_holds(positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    fast, plain = Fast(*positional, **named), Plain(*positional, **named)
    assert type(fast) is Fast
    assert repr(fast) == repr(plain)
    assert asdict(fast) == asdict(plain)
    assert hash(fast) == hash(plain)
    assert fast == Fast(*positional, **named) == replace(fast) == copy.copy(fast)
    assert replace(fast, one=7).one == 7


@pytest.mark.parametrize(
    ("positional", "named"), [((), {}), ((1, 2, 3, 4, 5), {}), ((1,), {"one": 2}), ((1,), {"six": 6})]
)
def test_it_refuses_what_a_dataclass_refuses(positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (Fast, Plain):
        with pytest.raises(TypeError, match="__init__"):
            kind(*positional, **named)


def test_it_is_frozen() -> None:
    thing = Fast(1)
    with pytest.raises(FrozenInstanceError):
        thing.one = 2
    with pytest.raises(FrozenInstanceError):
        del thing.one
    assert not hasattr(thing, "__dict__")


def test_it_is_described_as_one() -> None:
    assert inspect.signature(Fast) == inspect.signature(Plain)
    assert [each.name for each in fields(Fast)] == ["one", "two", "three", "four"]


def test_each_gets_a_default_of_its_own() -> None:
    assert Fast(1).three is not Fast(1).three


def test_a_subclass_stays_one() -> None:
    class More(Decision):
        note = "mine"

    more = More("id", "call", "large", "only", "usd")
    assert type(more) is More
    assert (more.model, more.note, more.tries) == ("large", "mine", {})


def test_it_can_be_pickled() -> None:
    decision = Decision("id", "call", "large", "only", "usd", lower={"large": 1.0})
    assert pickle.loads(pickle.dumps(decision)) == decision
