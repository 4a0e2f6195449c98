"""Cache and AsyncCache: a bounded store, and two short drivers of the pipeline in `lecmux.flow`."""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any, Self, TypeVar

from lecmux import flow
from lecmux._bounded import Bounded, only_arm
from lecmux._deadline import within
from lecmux.errors import ConfigError
from lecmux.explain import Explanation, aexplain, explain
from lecmux.policies._check import instance, positive
from lecmux.query import Answer, CacheMode, Query, Reply
from lecmux.routers.router import Router

__all__ = ["AsyncCache", "Cache"]

Model = Callable[[Query], Reply | Any]
Given = TypeVar("Given", bound=Callable[..., Any])
AsyncModel = Callable[[Query], Reply | Any | Awaitable[Reply | Any]]


class Cache(Bounded):
    """A byte-bounded cache that keeps what would cost most to miss; for threads.

    >>> cache = Cache(capacity_bytes=1_000_000)
    >>> cache.put("capital of France?", "Paris", cost_usd=0.002)
    True
    >>> cache.get("capital of France?")
    'Paris'

    Args:
        capacity_bytes: budget for keys, values, metadata and index.
        evict: who leaves when it is full.
        estimator: how sure to be of a cost before it counts.
        default_ttl_seconds: time to live where none is given; None for ever.
        clock: seconds, rising; None takes the system's.
        seed: keys the hash.
        tenant_share: largest share of the budget that one scope may hold, in (0, 1].
        hooks: what you decide yourself.
        semantic: lets questions that are alike share an answer, such as `Semantic(MiniLM(), max_error=0.02)`.

    Raises:
        ConfigError: for settings that cannot work.
    """

    def answer(
        self,
        query: Query | str,
        *,
        models: Mapping[str, Model],
        router: Router | None = None,
        cache: CacheMode = "use",
        route: str | None = None,
        shadow: bool = False,
        timeout_seconds: float | None = None,
    ) -> Answer:
        """Answers from the store, or by one call to the model that the router chooses.

        Equal requests at the same time share one call. A failure of the model passes through untouched;
        trouble in the cache, the router or a hook is counted in `stats().incidents` and costs no request.

        Args:
            query: the request; a str is a Query of that text.
            models: each takes a Query and returns a Reply, or just the value.
            router: chooses among the models; needed where there are several.
            cache: "use" it, "refresh" what it holds with a new answer, or "skip" it.
            route: the one model or cascade that may answer; stored answers of others are not served.
            shadow: ask the router's baseline whatever was decided, and record what that cost more.
            timeout_seconds: of each call of a model. One that takes longer has failed; it runs on on its own
                thread, and its answer is dropped.

        Raises:
            ModelTimeoutError: no model answered in time.
            ConfigError: for models that do not fit the router, and a `cache` or `route` that is unknown.
            PriceError: when the router counts in another unit than this cache so far.
        """
        query = _checked(query, models, router, salient=self._semantic is not None)
        core = self.core(
            tuple(models), router, allowed=only_arm(route, models, router), mode=cache, shadow=shadow
        )

        if timeout_seconds is not None:
            positive("timeout_seconds", timeout_seconds)

        def call(effect: flow.Call) -> Reply:
            started = self._now()
            model = _named(effect.model, models)
            if timeout_seconds is None:
                result = model(effect.query)
            else:
                result = self._deadline.call(effect.model, timeout_seconds, lambda: model(effect.query))
            if isinstance(result, Coroutine):
                result.close()
                raise ConfigError(f"the model {effect.model!r} is async: ask it through AsyncCache")
            return flow.reply_from(result, self._now() - started, effect.model)

        return flow.run(flow.answer(query, core), call)

    def explain(
        self,
        query: Query | str,
        *,
        models: Collection[str] | None = None,
        router: Router | None = None,
        cache: CacheMode = "use",
        route: str | None = None,
        answer_bytes: int | None = None,
    ) -> Explanation:
        """What `answer` would do with this request now, and why. Counts nothing and changes nothing.

        Args:
            query: as for `answer`.
            models: names of the models; by default those of the router.
            router: as for `answer`.
            cache: as for `answer`.
            route: as for `answer`.
            answer_bytes: size of the answer, to tell what would leave for it; None takes the mean of what
                is there.
        """
        return explain(
            _query(query, self._semantic is not None),
            self._supposed(models, router, cache, route),
            answer_bytes=answer_bytes,
        )


class AsyncCache(Bounded):
    """As `Cache`, for asyncio: `answer` is awaited. The rest takes microseconds and stays plain.

    `save` and `load` read and write files: run them in a thread where that matters.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def answer(
        self,
        query: Query | str,
        *,
        models: Mapping[str, AsyncModel],
        router: Router | None = None,
        cache: CacheMode = "use",
        route: str | None = None,
        shadow: bool = False,
        timeout_seconds: float | None = None,
    ) -> Answer:
        """As `Cache.answer`; models may be coroutine functions.

        Plain ones run on the loop's thread, where `timeout_seconds` cannot reach them; a coroutine that takes
        longer is cancelled.
        """
        query = _checked(query, models, router, salient=self._semantic is not None)
        core = self.core(
            tuple(models), router, allowed=only_arm(route, models, router), mode=cache, shadow=shadow
        )

        if timeout_seconds is not None:
            positive("timeout_seconds", timeout_seconds)

        async def call(effect: flow.Call) -> Reply:
            started = self._now()
            result = _named(effect.model, models)(effect.query)
            if isinstance(result, Awaitable):
                if timeout_seconds is not None:
                    result = within(effect.model, timeout_seconds, result)
                result = await result
            return flow.reply_from(result, self._now() - started, effect.model)

        return await flow.arun(flow.answer(query, core), call)

    async def explain(
        self,
        query: Query | str,
        *,
        models: Collection[str] | None = None,
        router: Router | None = None,
        cache: CacheMode = "use",
        route: str | None = None,
        answer_bytes: int | None = None,
    ) -> Explanation:
        """As `Cache.explain`; hooks that can be awaited are."""
        core = self._supposed(models, router, cache, route)
        return await aexplain(_query(query, self._semantic is not None), core, answer_bytes=answer_bytes)


def _query(query: Query | str, salient: bool) -> Query:
    if isinstance(query, Query):
        return query
    if not isinstance(query, str):
        raise ConfigError(f"query must be a Query or its text, not {query!r}")
    return Query(query, salient=query) if salient else Query(query)


def _checked(query: Query | str, models: Mapping[str, Any], router: Router | None, *, salient: bool) -> Query:
    """The query of a request whose arguments are of the right kinds.

    Raises:
        ConfigError: naming the one that is not.
    """
    if type(models) is not dict and not isinstance(models, Mapping):  # the first question is the faster one
        raise ConfigError(f"models must map names to callables, not {models!r}")
    if router is not None:
        instance("router", router, Router, "a Router")
    return _query(query, salient)


def _named(name: str, models: Mapping[str, Given]) -> Given:
    """The model of a name, at last to be called.

    Raises:
        ConfigError: the name is none, or what it names cannot be called.
    """
    if not isinstance(name, str):
        raise ConfigError(f"names of models must be str, not {name!r}")
    model = models[name]
    if not callable(model):
        raise ConfigError(f"the model {name!r} must be callable, not {model!r}")
    return model
