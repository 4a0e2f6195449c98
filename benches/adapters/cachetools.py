"""cachetools (Python): its LFU behind the lock that its documentation asks for."""

from collections.abc import Sequence
from threading import Lock
from typing import ClassVar

import cachetools


class CachetoolsLfu:
    """Least frequently used."""

    name: ClassVar[str] = "cachetools LFU + lock"
    module: ClassVar[str] = "cachetools"
    miss: ClassVar[object] = None

    def __init__(self, entries: int) -> None:
        self._cache: cachetools.LFUCache[str, str] = cachetools.LFUCache(entries)
        self._lock = Lock()

    def get(self, key: str, /) -> object:
        """One lookup."""
        with self._lock:
            return self._cache.get(key)

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Stores each."""
        cache, lock = self._cache, self._lock
        for key, value, _ in zip(keys, values, costs, strict=True):
            with lock:
                cache[key] = value

    def holds(self, key: str, /) -> bool:
        """Whether the key is there."""
        return key in self._cache

    def __len__(self) -> int:
        return len(self._cache)
