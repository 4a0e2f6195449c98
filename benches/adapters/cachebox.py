"""cachebox (Rust): its LRU and LFU."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import cachebox


class CacheboxLru:
    """Least recently used."""

    name: ClassVar[str] = "cachebox LRU"
    module: ClassVar[str] = "cachebox"
    miss: ClassVar[object] = None

    def __init__(self, entries: int) -> None:
        self._cache: cachebox.LRUCache[str, str] = cachebox.LRUCache(entries)
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


class CacheboxLfu:
    """Least frequently used."""

    name: ClassVar[str] = "cachebox LFU"
    module: ClassVar[str] = "cachebox"
    miss: ClassVar[object] = None

    def __init__(self, entries: int) -> None:
        self._cache: cachebox.LFUCache[str, str] = cachebox.LFUCache(entries)
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
