"""Binds the caches to their contract."""

from collections.abc import Callable

import pytest

from lecmux import AsyncCache, Cache, Gdsf, Lfu, Lru, S3Fifo, Scored
from lecmux.testing import FakeClock
from lecmux.testing.contracts import CacheContract


class TestCache(CacheContract):
    @pytest.fixture
    def make(self) -> Callable[[FakeClock], Cache]:
        return lambda clock: Cache(100_000, clock=clock)


class TestAsyncCache(CacheContract):
    @pytest.fixture
    def make(self) -> Callable[[FakeClock], AsyncCache]:
        return lambda clock: AsyncCache(100_000, clock=clock)


OTHERS = [Gdsf(), Lfu(), Lru(), S3Fifo(), Scored(lambda entry: entry.saving_per_byte)]


@pytest.mark.parametrize("policy", OTHERS, ids=lambda policy: type(policy).__name__)
class TestOtherPolicies(CacheContract):
    @pytest.fixture
    def make(self, policy: Gdsf | Lfu | Lru | S3Fifo | Scored) -> Callable[[FakeClock], Cache]:
        return lambda clock: Cache(100_000, evict=policy, clock=clock)
