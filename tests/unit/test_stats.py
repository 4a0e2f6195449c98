"""The record of what a cache has done."""

import dataclasses

import pytest

from lecmux import Cache, Price, Reply, Router, Stats, Usage
from lecmux.query import Key


def test_it_is_frozen_and_counts_what_happened() -> None:
    cache = Cache(20_000)
    cache.get("q")
    cache.put("q", "r", cost_usd=0.5)
    cache.get("q")
    cache.put("large", "x" * 50_000)

    stats = cache.stats()

    assert (stats.requests, stats.hits, stats.misses, stats.hit_rate) == (2, 1, 1, 0.5)
    assert (stats.entries, stats.stored, stats.too_large, stats.incidents) == (1, 1, 1, 0)
    assert 0 < stats.bytes_used <= stats.capacity_bytes == 20_000
    assert stats.structure_bytes > 0
    assert stats.unit == "usd"
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.hits = 5  # type: ignore[misc]


def test_a_new_cache_has_done_nothing() -> None:
    stats = Cache(20_000).stats()

    assert (stats.requests, stats.hit_rate, stats.spent_usd, stats.saved_nano) == (0, 0.0, 0.0, 0)
    assert stats.unit is None


def test_plain_gets_save_what_their_misses_would_cost() -> None:
    cache = Cache(20_000)
    cache.put("q", "r", cost_usd=2.0)
    before = cache.stats().saved_nano

    cache.get("q")

    assert 0 < cache.stats().saved_nano - before <= 2 * 10**9


def test_seconds_have_the_same_four_sums() -> None:
    cache = Cache(20_000)
    router = Router(["small", "large"], price_of_wrong_seconds=30.0)
    router.learn(Key("another"), "large", paid=9.0, error=0.0)
    models = {name: lambda query, name=name: Reply(name, Usage(seconds=2.0)) for name in ("small", "large")}
    for number in range(6):
        decision = cache.answer(f"q{number}", models=models, router=router).decision
        cache.observe(decision.id, quality=0.5)

    stats: Stats = cache.stats()

    assert stats.spent_seconds == 12.0
    assert stats.saved_by_routing_seconds > 0.0
    assert stats.price_of_errors_seconds == 6 * 15.0


def test_it_reads_in_units_people_know() -> None:
    cache = Cache(20_000)
    router = Router(["m"], prices={"m": Price(usd_per_second=0.005)})
    for _ in range(3):
        cache.answer("q", models={"m": lambda query: Reply("r", Usage(seconds=0.5))}, router=router)

    text = str(cache.stats())

    lines = dict(line.split("  ", 1) for line in text.splitlines())
    assert lines["requests"].strip() == "3: 2 hits, 1 misses"
    assert lines["hit rate"].strip() == "66.7 %"
    assert "$0.0025" in text
    assert "0.500 s" in text
    assert "2500000" not in text
    assert "2500000" not in repr(cache.stats())
    assert repr(cache.stats().usd) == "<Account: spent 0.0025, saved by hits 0.005, calls 1, hits 2>"
    assert repr(Cache(20_000).stats().usd) == "<Account: empty>"
