"""What a measure needs of a cache."""

from collections.abc import Sequence
from typing import ClassVar, Protocol


class Peer(Protocol):
    """A cache for `entries` entries of the workload's size."""

    name: ClassVar[str]
    module: ClassVar[str]
    """What its users import."""
    miss: ClassVar[object]
    """What `get` returns for a key that is not there."""

    def __init__(self, entries: int) -> None: ...

    def get(self, key: str, /) -> object:
        """One lookup. A bound native method where the cache has one."""

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Puts each key; caches that know no cost take no notice of it."""

    def holds(self, key: str, /) -> bool:
        """Whether the key is resident, unseen by the policy where the cache can tell it so."""

    def __len__(self) -> int: ...
