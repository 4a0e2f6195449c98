"""lecmux with its default policy: counts, costs and bounds, bypass allowed, self-tuned decay."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import ClassVar

import lecmux
from benches.payload import Payload

_SPARE = 1.05
"""Shards fill unevenly: with this much room over the mean none of them is full at `entries`."""


@cache
def _entry_bytes() -> float:
    """What one entry of the workload takes of a budget, history of keys that left included."""
    probe = lecmux.Cache(1 << 20, evict=lecmux.Lru())
    payload = Payload.load()
    probe.put(payload.key(0), payload.value(0), cost_usd=1.0)
    return probe.stats().bytes_used * 16 / 15


class LecmuxCache:
    """The public `Cache`."""

    name: ClassVar[str] = "lecmux"
    module: ClassVar[str] = "lecmux"
    miss: ClassVar[object] = None

    def __init__(self, entries: int, spare: float = _SPARE) -> None:
        self.cache = lecmux.Cache(int(entries * _entry_bytes() * spare))
        self.get: Callable[[str], object] = self.cache.get
        self.get_many: Callable[[Sequence[str]], list[object]] = self.cache.get_many

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Offers each at its cost."""
        put = self.cache.put
        for key, value, cost in zip(keys, values, costs, strict=True):
            put(key, value, cost_usd=cost)

    def holds(self, key: str, /) -> bool:
        """Whether the key is there."""
        return self.cache.peek(key) is not None

    def __len__(self) -> int:
        return len(self.cache)


class LecmuxCore(LecmuxCache):
    """The same without the Python part of `put`: what is left when values need no encoding."""

    name: ClassVar[str] = "lecmux, core alone"

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Offers each at its cost."""
        put = self.cache.put_value
        for key, value, cost in zip(keys, values, costs, strict=True):
            put(key, value, cost=cost)
