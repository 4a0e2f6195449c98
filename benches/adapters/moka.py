"""moka-py (Rust moka): TinyLFU, which declines newcomers that were asked for too seldom."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import moka_py


class MokaTinyLfu:
    """TinyLFU."""

    name: ClassVar[str] = "moka-py TinyLFU"
    module: ClassVar[str] = "moka_py"
    miss: ClassVar[object] = None

    def __init__(self, entries: int) -> None:
        self._cache: moka_py.Moka[str, str] = moka_py.Moka(entries)
        self.get: Callable[[str], object] = self._cache.get

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Offers each."""
        put = self._cache.set
        for key, value, _ in zip(keys, values, costs, strict=True):
            put(key, value)

    def holds(self, key: str, /) -> bool:
        """Whether the key is there."""
        return self._cache.get(key) is not None

    def __len__(self) -> int:
        self._cache.run_pending_tasks()
        return self._cache.count()
