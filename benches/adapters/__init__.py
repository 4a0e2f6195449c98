"""The caches under measurement, one file each, behind one small protocol.

Each is used as its own documentation shows, with nothing between the loop and the cache but what its users
need too: a lock where it has none, the second argument of LangChain's lookup.
"""

from benches.adapters.builtin_dict import BuiltinDict
from benches.adapters.cachebox import CacheboxLfu, CacheboxLru
from benches.adapters.cachetools import CachetoolsLfu
from benches.adapters.langchain import LangChainMemory
from benches.adapters.lecmux import LecmuxCache, LecmuxCore
from benches.adapters.lru_dict import LruDict
from benches.adapters.moka import MokaTinyLfu
from benches.adapters.peer import Peer
from benches.adapters.theine import TheineTinyLfu

__all__ = [
    "ALL",
    "LARGE",
    "BuiltinDict",
    "CacheboxLfu",
    "CacheboxLru",
    "LecmuxCache",
    "LecmuxCore",
    "Peer",
    "by_name",
]


ALL: tuple[type[Peer], ...] = (
    BuiltinDict,
    LecmuxCache,
    CacheboxLru,
    CacheboxLfu,
    LruDict,
    MokaTinyLfu,
    CachetoolsLfu,
    TheineTinyLfu,
    LangChainMemory,
)
"""Every cache, the floor first."""

LARGE: tuple[type[Peer], ...] = (BuiltinDict, LecmuxCache, CacheboxLru, CacheboxLfu)
"""Those that are measured at a million entries too."""


def by_name(name: str) -> type[Peer]:
    """The adapter of that name."""
    return next(peer for peer in ALL if peer.name == name)
