"""LangChain's InMemoryCache (Python): first in, first out; values are lists of generations."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from langchain_core.caches import InMemoryCache
from langchain_core.outputs import Generation

_MODEL = "model='large', temperature=0.0"


class LangChainMemory:
    """Keyed by prompt and a description of the model."""

    name: ClassVar[str] = "LangChain InMemoryCache"
    module: ClassVar[str] = "langchain_core.caches"
    miss: ClassVar[object] = None

    def __init__(self, entries: int) -> None:
        self._cache = InMemoryCache(maxsize=entries)
        self.get: Callable[[str], object] = partial(self._cache.lookup, llm_string=_MODEL)

    def put_all(self, keys: Sequence[str], values: Sequence[str], costs: Sequence[float]) -> None:
        """Stores each; the generation is part of the entry, so it is made here."""
        update = self._cache.update
        for key, value, _ in zip(keys, values, costs, strict=True):
            update(key, _MODEL, [Generation.model_construct(text=value)])

    def holds(self, key: str, /) -> bool:
        """Whether the key is there."""
        return self._cache.lookup(key, _MODEL) is not None

    def __len__(self) -> int:
        return len(self._cache._cache)
