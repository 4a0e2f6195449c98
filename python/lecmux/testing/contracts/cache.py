"""What every cache promises, whatever its policy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lecmux.cache import AsyncCache, Cache
from lecmux.errors import CostError, ValueTypeError
from lecmux.testing.clock import FakeClock

__all__ = ["CacheContract"]

AnyCache = Cache | AsyncCache
_VALUES: list[Any] = ["text", "", "\ud800", b"\x00\xff", {"a": [1, 2.5, None, True]}, [], 0, False, "x" * 999]
_UNFIT: list[Any] = [None, object(), {1: "int key"}, (1, 2), {"x": float("nan")}, bytearray()]


class CacheContract:
    """Subclass, and supply `make`, which returns an empty cache of 100,000 bytes or more on that clock."""

    @pytest.fixture
    def make(self) -> Callable[[FakeClock], AnyCache]:
        """A factory of empty caches."""
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> FakeClock:
        """The clock that `cache` runs on."""
        return FakeClock(1000.0)

    @pytest.fixture
    def cache(self, make: Callable[[FakeClock], AnyCache], clock: FakeClock) -> AnyCache:
        """An empty cache."""
        return make(clock)

    @pytest.mark.parametrize("value", _VALUES, ids=lambda value: repr(value)[:20])
    def test_reads_back_what_was_stored(self, cache: AnyCache, value: Any) -> None:
        """An entry is equal, and of the same type, after a round trip."""
        assert cache.put("key", value)

        assert cache.get("key") == value
        assert type(cache.get("key")) is type(value)

    def test_hands_out_fresh_copies(self, cache: AnyCache) -> None:
        """What one reader changes, the next does not see."""
        cache.put("key", {"list": []})

        cache.get("key")["list"].append(1)

        assert cache.get("key") == {"list": []}

    def test_scope_and_fingerprint_are_partitions(self, cache: AnyCache) -> None:
        """The same key in another scope, or under another fingerprint, is another entry."""
        cache.put("key", "mine", scope="a", fingerprint="f")

        assert cache.get("key", scope="b", fingerprint="f") is None
        assert cache.get("key", scope="a") is None
        assert cache.get("key", scope="af") is None
        assert cache.get("key", scope="a", fingerprint="f") == "mine"

    def test_an_entry_ends_with_its_time(self, cache: AnyCache, clock: FakeClock) -> None:
        """It is served before its time is up and never after."""
        cache.put("key", "value", ttl_seconds=10)
        clock.advance(9.9)
        assert cache.get("key") == "value"

        clock.advance(0.2)

        assert cache.get("key") is None

    def test_delete_and_clear_remove(self, cache: AnyCache) -> None:
        """A removed entry is not found again; clearing one scope leaves the others."""
        cache.put("one", "1", scope="a")
        cache.put("two", "2", scope="b")
        cache.put("three", "3", scope="b")

        assert cache.delete("one", scope="a")
        assert not cache.delete("one", scope="a")
        assert cache.clear("b") == 2
        assert len(cache) == 0

    def test_each_hit_has_an_id_that_forgets_it(self, cache: AnyCache) -> None:
        """One wrong answer can be removed by the id it was served with."""
        cache.put("key", "wrong")
        hit = cache.lookup("key")
        assert hit is not None

        assert cache.forget(hit.hit_id)

        assert cache.get("key") is None

    @pytest.mark.parametrize("value", _UNFIT)
    def test_refuses_what_it_cannot_store(self, cache: AnyCache, value: Any) -> None:
        """With a typed error, and without a trace."""
        with pytest.raises(ValueTypeError):
            cache.put("key", value)
        assert len(cache) == 0

    @pytest.mark.parametrize("cost", [float("nan"), -1.0, float("inf")])
    def test_refuses_an_impossible_cost(self, cache: AnyCache, cost: float) -> None:
        """With a typed error, and without a trace."""
        with pytest.raises(CostError):
            cache.put("key", "value", cost_usd=cost)
        assert len(cache) == 0

    def test_never_exceeds_its_budget(self, cache: AnyCache) -> None:
        """Whatever is put, the counted bytes stay within the capacity."""
        for number in range(2000):
            cache.put(f"key {number % 700}", "v" * (number % 501), cost_usd=number % 7)

            stats = cache.stats()
            assert stats.bytes_used <= stats.capacity_bytes
        cache.check()

    def test_survives_a_round_trip_through_a_file(
        self, cache: AnyCache, clock: FakeClock, tmp_path: Path
    ) -> None:
        """A loaded cache serves the same entries, in the same scopes, until the same time."""
        cache.put("for ever", {"a": 1})
        cache.put("timed", b"x", ttl_seconds=10, scope="s")
        cache.save(tmp_path / "snapshot")

        loaded = type(cache).load(tmp_path / "snapshot", clock=clock)

        assert loaded.get("for ever") == {"a": 1}
        assert loaded.get("timed", scope="s") == b"x"
        clock.advance(10.1)
        assert loaded.get("timed", scope="s") is None
        assert (tmp_path / "snapshot").stat().st_mode & 0o777 == 0o600
