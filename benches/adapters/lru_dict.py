"""lru-dict (C)."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import lru


class LruDict:
    """Least recently used."""

    name: ClassVar[str] = "lru-dict"
    module: ClassVar[str] = "lru"
    miss: ClassVar[object] = None

    def __init__(self, entries: int) -> None:
        self._cache: lru.LRU[str, str] = lru.LRU(entries)
        self.get: Callable[[str], object] = self._cache.get

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Stores each."""
        cache = self._cache
        for key, value, _ in zip(keys, values, costs, strict=True):
            cache[key] = value

    def holds(self, key: str, /) -> bool:
        """Whether the key is there."""
        return key in self._cache

    def __len__(self) -> int:
        return len(self._cache)
