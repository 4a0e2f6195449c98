"""theine (Python over a Rust core): W-TinyLFU, which lets a newcomer stay a while, then may decline it."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import theine


class TheineTinyLfu:
    """W-TinyLFU."""

    name: ClassVar[str] = "theine W-TinyLFU"
    module: ClassVar[str] = "theine"
    miss: ClassVar[object] = (None, False)

    def __init__(self, entries: int) -> None:
        self._cache: theine.Cache[str, str] = theine.Cache(entries)
        self.get: Callable[[str], object] = self._cache.get

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Offers each."""
        put = self._cache.set
        for key, value, _ in zip(keys, values, costs, strict=True):
            put(key, value)

    def holds(self, key: str, /) -> bool:
        """Whether the key is there."""
        return bool(self._cache.get(key)[1])

    def __len__(self) -> int:
        return len(self._cache)
