"""The built-in dict: the floor, without a bound."""

from collections.abc import Callable, Sequence
from typing import ClassVar


class BuiltinDict:
    """Keeps everything."""

    name: ClassVar[str] = "dict"
    module: ClassVar[str] = "builtins"
    miss: ClassVar[object] = None

    def __init__(self, entries: int) -> None:
        self._held: dict[str, str] = {}
        self.get: Callable[[str], object] = self._held.get

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Stores each."""
        held = self._held
        for key, value, _ in zip(keys, values, costs, strict=True):
            held[key] = value

    def holds(self, key: str, /) -> bool:
        """Whether the key is there."""
        return key in self._held

    def __len__(self) -> int:
        return len(self._held)
