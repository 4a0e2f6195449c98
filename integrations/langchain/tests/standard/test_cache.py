"""LangChain's own cache suites: plain, shared, among threads, read back from a file, with hits by meaning."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import BaseCache
from langchain_tests.integration_tests import AsyncCacheTestSuite, SyncCacheTestSuite

from langchain_lecmux import LECCache
from lecmux import Cache, Semantic
from lecmux.testing import TopicEmbedder


class ThreadedCache(LECCache):
    """Performs every operation in eight threads at once and insists that they agree."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = ThreadPoolExecutor(8)

    def lookup(self, prompt: str, llm_string: str) -> Any:
        found = list(self.pool.map(lambda _: LECCache.lookup(self, prompt, llm_string), range(8)))
        assert all(each == found[0] for each in found)
        return found[0]

    def update(self, prompt: str, llm_string: str, return_val: Any) -> None:
        list(self.pool.map(lambda _: LECCache.update(self, prompt, llm_string, return_val), range(8)))

    def clear(self, **kwargs: Any) -> None:
        list(self.pool.map(lambda _: LECCache.clear(self, **kwargs), range(8)))


class ReloadedCache(LECCache):
    """Goes through a snapshot file before every lookup: nothing but what the file holds can be found."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def lookup(self, prompt: str, llm_string: str) -> Any:
        self.save(self.path)
        return LECCache.load(self.path).lookup(prompt, llm_string)

    async def alookup(self, prompt: str, llm_string: str) -> Any:
        self.save(self.path)
        return await LECCache.load(self.path).alookup(prompt, llm_string)


class AllAlike(TopicEmbedder):
    """Tells no text from another."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return super().embed(["all"] * len(texts))


class _Kinds:
    """The same caches for both suites."""

    @pytest.fixture(params=["plain", "shared", "threads", "reloaded", "semantic", "all alike"])
    def cache(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCache]:
        kind = request.param
        if kind == "threads":
            cache = ThreadedCache()
            yield cache
            cache.pool.shutdown()
        elif kind == "reloaded":
            yield ReloadedCache(tmp_path / "answers.lecmux")
        elif kind in {"semantic", "all alike"}:
            embedder = TopicEmbedder() if kind == "semantic" else AllAlike()
            yield LECCache(semantic=Semantic(embedder, max_error=0.1))
        elif kind == "shared":
            yield LECCache(cache=Cache(1_000_000))
        else:
            yield LECCache()


class TestSync(_Kinds, SyncCacheTestSuite):
    pass


class TestAsync(_Kinds, AsyncCacheTestSuite):
    pass
