"""What connects a router to the pipeline: which cache is in use, and the stages over it."""

import logging
import os
from dataclasses import replace
from operator import is_
from typing import Any

from langchain_core.globals import get_llm_cache

from langchain_lecmux.bypass import Store
from langchain_lecmux.cache import LECCache
from lecmux import AsyncCache, Cache, Query, Router, Semantic, flow
from lecmux.errors import ConfigError, PriceError
from lecmux.query import CacheMode
from lecmux.report import Report
from lecmux.state import StateFile

_LOGGER = logging.getLogger("langchain_lecmux")
UNSTABLE = "what was asked holds an object without a stable form: it is not cached"


class Stores:
    """The parts of one router that stay from call to call.

    Attributes:
        state: the file that is kept up to date; None where there is none.

    Raises:
        ConfigError: a cache of another kind, or a `path` that cannot be written to.
        PriceError: a cache that counts in another unit.
    """

    def __init__(
        self,
        router: Router,
        *,
        cache: Any,
        codec: flow.Codec | None,
        judge: flow.HookRunner | None,
        shadow: bool = False,
        path: str | os.PathLike[str] | None = None,
    ) -> None:
        if not (cache is None or isinstance(cache, (LECCache, Cache, AsyncCache, bool))):
            raise ConfigError(
                f"cache must be a LECCache, a lecmux Cache or AsyncCache, True, False or None, not {cache!r}"
            )
        self.router = router
        self._cache = cache
        self._codec = codec
        self._judge = judge
        self._shadow = shadow
        self._alone = flow.Core(router.models, None, router, codec=codec)
        self._said: set[str] = set()
        store = self._store()[0]
        if store is not None:
            store.core(router.models, router)  # raises here, not in the first call, where units do not fit
            self._alone = replace(self._alone, ledger=store.ledger)
        self._last: tuple[tuple[Any, ...] | None, flow.Core] = (None, self._alone)
        self.state = None if path is None else self._state_file(path)

    def core(
        self,
        query: Query,
        *,
        stable: bool,
        route: str | None,
        mode: CacheMode,
        codec: flow.Codec | None = None,
    ) -> tuple[flow.Core, LECCache | None]:
        """The stages for one request, and the LECCache that was looked into.

        Args:
            query: the request.
            stable: whether its key can be found again.
            route: the one that may answer.
            mode: what to do with the cache.
            codec: in place of that of the constructor.

        Raises:
            ConfigError: the call names a model that is not there, or no way to use the cache.
            ValueError: `cache=True`, and no global cache is set.
        """
        if route is not None and route not in self.router.arms:
            raise ConfigError(f"no model {route!r} here; there are {', '.join(self.router.arms)}")
        store, through = self._store()
        if not stable:
            self._say_once(UNSTABLE)
            store = None
        elif through is not None and not through.may_serve(query):
            store = None
        core = self._made(store, route, mode, codec)
        return core, through if core.store is not None and mode == "use" else None

    def _made(
        self,
        store: Store | None,
        route: str | None,
        mode: CacheMode,
        codec: flow.Codec | None,
    ) -> flow.Core:
        """The stages for requests of one kind; most requests are of the kind of the last one."""
        kind = (store, route, mode, codec)
        last, core = self._last
        if last is not None and all(map(is_, last, kind)):
            return core
        base = self._core(store)
        core = replace(
            base,
            allowed=None if route is None else (route,),
            judge=self._judge,
            mode=mode,
            shadow=self._shadow,
            codec=codec or base.codec,
        )
        if base is not self._alone or store is None:  # else the units may fit the next time
            self._last = (kind, core)
        return core

    @property
    def semantic(self) -> Semantic | None:
        """How the cache in use decides hits of questions that are only alike; None: it serves none."""
        store = self._store()[0]
        return None if store is None else store.semantic

    def report(self) -> Report:
        """What was spent and saved: with the cache in use, else by this router alone."""
        store = self._store()[0]
        if store is not None:
            return store.report()
        return Report.of(self._alone.ledger, self.router.unit, [self.router])

    def _state_file(self, path: str | os.PathLike[str]) -> StateFile:
        through = self._store()[1]
        elsewhere = through is not None and through.state is not None
        ledger = None if elsewhere else self._alone.ledger
        return StateFile(path, cache=self._kept_here(), router=self.router, ledger=ledger)

    def _kept_here(self) -> Store | None:
        """The cache whose answers go into the router's file: its own, unless that has a file itself."""
        if isinstance(self._cache, LECCache):
            return None if self._cache.state else self._cache.store
        return self._cache if isinstance(self._cache, (Cache, AsyncCache)) else None

    def _store(self) -> tuple[Store | None, LECCache | None]:
        """The store in use, and the LECCache it came in."""
        cache: Any = self._cache
        if cache is None or cache is True:
            found = get_llm_cache()
            if cache is True and not isinstance(found, LECCache):
                raise ValueError(
                    "cache=True, and the global cache is no LECCache: call set_llm_cache(LECCache())"
                )
            cache = found
        if isinstance(cache, LECCache):
            return cache.store, cache
        return (cache, None) if isinstance(cache, (Cache, AsyncCache)) else (None, None)

    def _core(self, store: Store | None) -> flow.Core:
        if store is None:
            return self._alone
        try:
            return store.core(self.router.models, self.router, codec=self._codec)
        except PriceError as error:  # a global cache that was set later and counts in another unit
            self._alone.incident("exact", error)
            return self._alone

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            _LOGGER.warning(text)
