"""The two ways of `put`: by the core alone, and through Python for what the core leaves to it."""

from typing import Any

import pytest

from lecmux import Cache
from lecmux.errors import ConfigError, CostError, PriceError, ValueTypeError
from lecmux.events import Event, Store
from lecmux.hooks import Hooks


@pytest.fixture
def dollars() -> Cache:
    """A cache whose puts need no Python any more."""
    cache = Cache(1 << 20)
    assert cache.put("first", "value", cost_usd=1.0)
    return cache


@pytest.mark.parametrize(
    "value",
    ["plain", "", b"bytes", b"", "façade", "\u20ac", "\U0001f600", "lone \ud800", {"a": [1, None]}, 7, True],
)
def test_every_kind_of_value_comes_back(dollars: Cache, value: Any) -> None:
    assert dollars.put("key", value, cost_usd=1.0)
    assert dollars.get("key") == value
    assert type(dollars.get("key")) is type(value)


def test_a_subclass_of_str_comes_back_as_str(dollars: Cache) -> None:
    class Marked(str):
        __slots__ = ()

    assert dollars.put("key", Marked("text"), cost_usd=1.0)
    assert type(dollars.get("key")) is str


def test_what_cannot_be_stored_is_refused(dollars: Cache) -> None:
    for value in (None, object(), (1, 2)):
        with pytest.raises(ValueTypeError):
            dollars.put("key", value, cost_usd=1.0)
    with pytest.raises(ValueTypeError):
        dollars.put("lone \ud800", "value", cost_usd=1.0)
    for cost in (float("nan"), -1.0, float("inf")):
        with pytest.raises(CostError):
            dollars.put("key", "value", cost_usd=cost)
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError):
            dollars.put("key", "value", cost_usd=1.0, ttl_seconds=seconds)
    assert dollars.get("key") is None


def test_scope_fingerprint_and_time_to_live_reach_the_core() -> None:
    now = [0.0]
    cache = Cache(1 << 20, clock=lambda: now[0])
    cache.put("first", "value", cost_usd=1.0)
    cache.put("key", "value", cost_usd=1.0, ttl_seconds=5.0, scope="tenant", fingerprint="model")
    assert cache.get("key") is None
    assert cache.get("key", scope="tenant", fingerprint="model") == "value"
    now[0] = 6.0
    assert cache.get("key", scope="tenant", fingerprint="model") is None


def test_a_listener_hears_of_every_put() -> None:
    heard: list[Event] = []
    cache = Cache(1 << 20, hooks=Hooks(listeners=[heard.append]))
    for number in range(3):
        cache.put(f"key {number}", "value", cost_usd=1.0)
    assert [event.key.text for event in heard if isinstance(event, Store)] == ["key 0", "key 1", "key 2"]


def test_dollars_are_refused_where_seconds_count() -> None:
    cache = Cache(1 << 20)
    cache.settle_unit("seconds")
    with pytest.raises(PriceError):
        cache.put("key", "value", cost_usd=1.0)
    assert cache.put("key", "value")


def test_equal_values_are_charged_alike_on_both_ways() -> None:
    heard: list[Event] = []
    plain, listening = Cache(1 << 20), Cache(1 << 20, hooks=Hooks(listeners=[heard.append]))
    for cache in (plain, listening):
        cache.put("first", "value", cost_usd=1.0)
        cache.put("text", "x" * 500, cost_usd=1.0)
        cache.put("bytes", b"x" * 500, cost_usd=1.0)
    assert plain.stats().bytes_used == listening.stats().bytes_used
