"""`LECCache`: the answer cache for `set_llm_cache`. It can only help: trouble inside never fails a call."""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

from langchain_core.caches import RETURN_VAL_TYPE, BaseCache
from langchain_core.outputs import Generation
from langchain_core.runnables.config import var_child_runnable_config

from langchain_lecmux import codec
from langchain_lecmux.alike import Alike
from langchain_lecmux.booking import Told, about_answer, book_call, book_hit, facts_of, told_by
from langchain_lecmux.bypass import is_bypassed
from langchain_lecmux.cache_stats import COUNTED, LECCacheStats
from langchain_lecmux.counting import Counters, StopWatches
from langchain_lecmux.generated import Generated, reply
from langchain_lecmux.hooking import KEY_HOOKS, REPLY_HOOKS, key_of, told
from langchain_lecmux.questions import Questions, SayOnce
from langchain_lecmux.serve_hook import ServeHook
from langchain_lecmux.serving import mark_generation
from langchain_lecmux.shapes import mode_of
from lecmux import AsyncCache, Cache, Hooks, Lec, Query, Reply, Semantic, flow
from lecmux.costs import AnyPrice, PriceList
from lecmux.erase import StoredEntry
from lecmux.errors import ConfigError, PriceError
from lecmux.events import Bypass, CacheHit, CacheMiss, Event, Store
from lecmux.hooks import AdmitHook, CostHook, Listener, ScopeHook, TtlHook
from lecmux.policies import Eviction, ended_normally
from lecmux.query import CacheMode, Decision, Key, Unit
from lecmux.report import Report
from lecmux.state import StateFile

__all__ = ["LECCache", "LECCacheStats"]

DEFAULT_CAPACITY_BYTES: Final = 256 * 2**20
_Search = Generator[flow.Effect, Any, list[Generation] | None]
_Teaching = Generator[flow.Effect, Any, "_Paid"]


class LECCache(BaseCache):
    """Keeps the answers that would cost most to ask for again, within a budget of bytes.

    Each served message is new, with a new id, zero usage, and in `response_metadata["lecmux"]` the `hit_id`
    (for `forget`), `model`, `age_seconds`, what was `saved` in `unit`, and the `usage` of the original call.

    Args:
        capacity_bytes: counted over keys, answers, metadata and index; memory is taken as it is used.
        cache: a `lecmux.Cache` to share; its own budget, policy and hooks then hold.
        prices: by the name a model gives itself in `response_metadata`, or a `PriceList`. An answer is worth
            its dollars; without prices, the seconds its call took.
        namespace: keeps apart what the model string cannot, such as two models of a class that names neither.
        scope: `(query) -> str | None`, the tenant, read from a context variable perhaps.
        admit: `(query, reply) -> bool | None`; by default answers that ended normally are stored.
        ttl: `(query, reply) -> float | None`, seconds to live.
        cost: `(query, reply) -> float | None`, in the unit of the cache.
        serve: `(query) -> bool | None`; False turns a lookup away, for example
            `lambda query: not query.attributes["temperature"]`. By default every stored answer is served.
        listeners: hear of every event in `lecmux.events`.
        serve_unstable: serve although the model string holds a class or an address, whose text may stay while
            its meaning changes.
        renew_tool_call_ids: give served tool calls ids of their own.
        evict: who leaves when the budget is full; by default `Lec()`.
        default_ttl_seconds: time to live where no hook gives one; None for ever.
        seed: keys the hash.
        path: a file to start from and to keep up to date; written at `close`, at exit and every few minutes.
        hooks: all hooks at once, those without a setting of their own here among them.
        semantic: lets the answer to a question that is only alike be served, such as
            `Semantic(MiniLM(), max_error=0.02)`; None: only the exact question is looked up. See the how-to
            "Hits by meaning".

    Raises:
        ConfigError: settings that cannot work together, or a `path` that cannot be written to.
        PriceError: `prices` for a `cache` that counts in seconds.
    """

    def __init__(
        self,
        capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
        *,
        cache: Cache | AsyncCache | None = None,
        prices: Mapping[str, AnyPrice] | PriceList | None = None,
        namespace: str = "",
        scope: ScopeHook | Callable[[Query], str | None] | None = None,
        admit: AdmitHook | Callable[[Query, Reply], bool | None] | None = None,
        ttl: TtlHook | Callable[[Query, Reply], float | None] | None = None,
        cost: CostHook | Callable[[Query, Reply], float | None] | None = None,
        serve: Callable[[Query], bool | None] | None = None,
        listeners: Sequence[Listener | Callable[[Event], object]] = (),
        serve_unstable: bool = False,
        renew_tool_call_ids: bool = True,
        evict: Eviction | None = None,
        default_ttl_seconds: float | None = None,
        seed: int = 0,
        path: str | os.PathLike[str] | None = None,
        hooks: Hooks | None = None,
        semantic: Semantic | None = None,
    ) -> None:
        if hooks is not None and (scope or admit or ttl or cost or listeners):
            raise ConfigError("give hooks one by one, or all of them as hooks=Hooks(...), not both")
        if not (cache is None or isinstance(cache, (Cache, AsyncCache))):
            raise ConfigError(f"cache must be a lecmux Cache or AsyncCache, or None, not {cache!r}")
        if cache is None:
            cache = Cache(
                capacity_bytes,
                evict=evict or Lec(),
                default_ttl_seconds=default_ttl_seconds,
                seed=seed,
                hooks=hooks or Hooks(scope=scope, admit=admit, ttl=ttl, cost=cost, listeners=listeners),
                semantic=semantic,
            )
        elif scope or admit or ttl or cost or listeners or hooks or evict or default_ttl_seconds or semantic:
            raise ConfigError(
                "hooks, evict, semantic and default_ttl_seconds belong to the Cache that is passed as cache="
            )
        if prices is not None:
            cache.settle_unit("usd")
        self.store = cache
        self._ledger = cache.ledger
        self.namespace = namespace
        self.renew_tool_call_ids = renew_tool_call_ids
        self._prices = prices
        self._hooks = cache.hooks
        self._serve = ServeHook(serve, cache.hooks)
        self._counts = Counters()
        self._watches = StopWatches()
        self._alike = None if cache.semantic is None else Alike(cache, namespace, lambda: self._unit)
        self._say_once = SayOnce()
        self._questions = Questions(
            namespace, serve_unstable=serve_unstable, say_once=self._say_once, count=self._counts.add
        )
        # Where nobody is asked about a query, its key alone is made.
        self._unasked = not (self._hooks.keys or self._serve.asks or self._alike)
        self.state = None if path is None else StateFile(path, cache=cache)

    # what LangChain calls

    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """The stored answer as new objects; None when there is none, or when anything goes wrong."""
        try:
            if self._unasked:
                key = None if is_bypassed(self.store) else self._questions.key(prompt, llm_string)
                return self._found(key) if key else None
            query = self._query(prompt, llm_string)
            if query is None:
                return None
            if self._alike is None:
                return self._lookup(query, self._hooks)
            return flow.run(self._search(query, self._hooks, self._alike), _never_called)
        except Exception as error:  # as `_contained` does it, in less time
            self._hooks.incident("exact", error)
            return None

    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """Stores an answer where that pays; whatever goes wrong is counted, and the answer is not lost."""
        with self._contained("admit"):
            if query := self._query(prompt, llm_string):
                paid = self._paid(query, return_val, self._hooks)
                if self._alike:
                    paid = flow.run(self._taught(paid, self._hooks, self._alike), _never_called)
                self._keep(paid, self._hooks)

    def clear(self, **kwargs: Any) -> None:
        """Removes every entry, or with `scope=` those of one tenant."""
        try:
            self.store.clear(kwargs.get("scope"))
        except Exception as error:
            self._hooks.incident("clear", error)

    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        """As `lookup`, on no thread of its own: it takes microseconds. Hooks and embedders are awaited."""
        with self._contained("exact"):
            if query := self._query(prompt, llm_string):
                hooks = await told(self._hooks, KEY_HOOKS, query)
                if self._alike is None:
                    return self._lookup(query, hooks)
                return await flow.arun(self._search(query, hooks, self._alike), _never_called)
        return None

    async def aupdate(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        """As `update`."""
        with self._contained("admit"):
            if query := self._query(prompt, llm_string):
                hooks = await told(self._hooks, KEY_HOOKS, query)
                paid = self._paid(query, return_val, hooks)
                if self._alike:
                    paid = await flow.arun(self._taught(paid, hooks, self._alike), _never_called)
                self._keep(paid, await told(hooks, REPLY_HOOKS, query, paid.answer))

    async def aclear(self, **kwargs: Any) -> None:
        """As `clear`."""
        self.clear(**kwargs)

    # what users call

    def forget(self, hit_id: str) -> bool:
        """Removes the answer served under this `response_metadata["lecmux"]["hit_id"]`; False: it is gone."""
        return self.store.forget(hit_id)

    def report_wrong(self, hit_id: str) -> bool:
        """Takes out of service what was served under this `hit_id`, and learns from it. False: it is unknown.

        After a hit by likeness, questions as near to this one get no answers of entries as near to that one.
        """
        return self.store.report_wrong(hit_id)

    def erase(self, predicate: Callable[[StoredEntry], bool]) -> int:
        """Removes every answer of which `predicate` says True; returns how many. See `lecmux.Cache.erase`."""
        return self.store.erase(predicate)

    def stats(self) -> LECCacheStats:
        """Counters so far."""
        counts = {name: self._counts[name] for name in COUNTED}
        return LECCacheStats(**counts, incidents=self._hooks.incidents, store=self.store.stats())

    def report(self) -> Report:
        """What was spent and saved, by scope, model and day; that of a `ChatRouter` over this cache too."""
        return self.store.report()

    def close(self) -> None:
        """Saves to the `path` of the constructor a last time; the cache goes on."""
        if self.state:
            self.state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes every answer to a file that only its owner can read.

        Raises:
            OSError: the file cannot be written.
        """
        self.store.save(path)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        scope: ScopeHook | Callable[[Query], str | None] | None = None,
        admit: AdmitHook | Callable[[Query, Reply], bool | None] | None = None,
        ttl: TtlHook | Callable[[Query, Reply], float | None] | None = None,
        cost: CostHook | Callable[[Query, Reply], float | None] | None = None,
        listeners: Sequence[Listener | Callable[[Event], object]] = (),
        hooks: Hooks | None = None,
        semantic: Semantic | None = None,
        **settings: Any,
    ) -> Self:
        """A cache with what `save` wrote. The file holds budget and policy; the rest is given anew.

        Raises:
            SnapshotError: the file is corrupt, foreign or of another version.
            OSError: it cannot be read.
        """
        hooks = hooks or Hooks(scope=scope, admit=admit, ttl=ttl, cost=cost, listeners=listeners)
        return cls(cache=Cache.load(path, hooks=hooks, semantic=semantic), **settings)

    # key

    def _query(self, prompt: str, llm_string: str) -> Query | None:
        """What is asked; None where this cache has no part in it."""
        return None if is_bypassed(self.store) else self._questions.query(prompt, llm_string)

    def _contained(self, stage: str) -> "_Contained":
        return _Contained(self._hooks, stage)

    def _mode(self) -> CacheMode:
        """What the config of the chain or graph around this call says; LangChain passes on no other."""
        try:
            return mode_of(var_child_runnable_config.get())
        except ConfigError as error:
            self._hooks.incident("key", error)
            return "use"

    # exact

    def _lookup(self, query: Query, hooks: flow.HookRunner) -> list[Generation] | None:
        key = key_of(query, hooks)
        if self._mode() == "use" and not self.may_serve(query):
            self._watches.start(key)
            return None
        return self._found(key)

    def _found(self, key: Key) -> list[Generation] | None:
        if var_child_runnable_config.get() and self._mode() != "use":
            self._watches.start(key)
            return None
        hit = self.store.lookup(key.text, scope=key.scope, fingerprint=key.fingerprint)
        if hit is None:
            self._missed(key)
            return None
        return self._served(key, hit)

    def _search(self, query: Query, hooks: flow.HookRunner, alike: Alike) -> _Search:
        """As `_lookup`; where the exact question is not stored, one that is alike may answer."""
        key = key_of(query, hooks)
        if self._mode() != "use" or not self.may_serve(query):
            self._watches.start(key)
            return None
        hit = self.store.lookup(key.text, scope=key.scope, fingerprint=key.fingerprint)
        if hit is not None:
            served = self._served(key, hit)
            alike.answered(key)
            return served
        core = yield from alike.looked(query, key, hooks)
        found = core.proposal
        if found is not None and found.verdict == "serve" and found.hit is not None:
            return self._served(key, found.hit, alike.served(core, found.hit.hit_id))
        self._missed(key, core)
        return None

    def _missed(self, key: Key, core: flow.Core | None = None) -> None:
        self._counts.add("misses")
        self._watches.start(key, core)
        if self._hooks.listening:
            self._hooks.emit(CacheMiss(key, "absent"))

    def _served(self, key: Key, hit: Any, how: Mapping[str, Any] | None = None) -> list[Generation]:
        try:
            ready = codec.remembered(hit.value)
            told: Told = ready.told or told_by(ready.about)
            ready.told = told
            generations = codec.anew(ready)
        except Exception:
            self.store.forget(hit.hit_id)  # it would fail every time
            self._watches.start(key)
            raise
        self._counts.add("hits")
        facts = facts_of(told, hit.hit_id)
        if how:
            facts |= how
        book_hit(self._ledger, key.scope, told, self._unit)
        for generation in generations:
            mark_generation(generation, facts, renew_tool_calls=self.renew_tool_call_ids)
        if self._hooks.listening:
            self._hooks.emit(CacheHit(key, _decision(facts), hit.hit_cost))
        return generations

    def may_serve(self, query: Query) -> bool:
        """What the `serve` hook says; True where there is none, or where it fails."""
        served = self._serve(query)
        if not served:
            self._counts.add("unserved")
        return served

    def noted(self, *, hit: bool) -> None:
        """Counts a lookup that a `ChatRouter` made in the store itself."""
        self._counts.add("hits" if hit else "misses")

    # admit

    def _paid(self, query: Query, return_val: RETURN_VAL_TYPE, hooks: flow.HookRunner) -> "_Paid":
        key = key_of(query, hooks)
        seconds, core = self._watches.stop(key)
        generated = Generated(tuple(return_val))
        return _Paid(query, key, generated, reply(generated, seconds=seconds), seconds, core)

    def _taught(self, paid: "_Paid", hooks: flow.HookRunner, alike: Alike) -> _Teaching:
        """`paid`, once its answer was compared with that of the question that is alike."""
        if self._mode() == "skip":
            return replace(paid, core=None)
        core = yield from alike.taught(paid.query, paid.key, paid.core, hooks, paid.answer)
        return replace(paid, core=core)

    def _keep(self, paid: "_Paid", hooks: flow.HookRunner) -> None:
        query, key, answer = paid.query, paid.key, paid.answer
        unit, cost = self._cost(paid, hooks)
        book_call(self.store.ledger, key, answer, unit, cost)
        if paid.core and paid.core.semantic:
            paid.core.semantic.paid(cost)
        if self._mode() == "skip":
            return
        admitted = hooks.admit(query, answer)
        if not (ended_normally(answer.finish_reason) if admitted is None else admitted):
            self._counts.add("refused")
            self._tell_bypass(key, answer, "admit")
            return
        try:
            data = codec.encode(paid.generated.generations, about_answer(answer, unit, cost))
        except codec.UnstorableError as error:
            self._counts.add("unstorable")
            self._say_once(str(error), "not cached: the answer holds %s")
            return
        stored = self.store.put_value(
            key.text,
            data,
            cost=cost,
            ttl_seconds=hooks.ttl(query, answer),
            scope=key.scope,
            fingerprint=key.fingerprint,
            proposal=None if paid.core is None else paid.core.entering(paid.generated),
        )
        self._counts.add("stored" if stored else "bypassed")
        if not stored:
            self._tell_bypass(key, answer, "worth")
        elif self._hooks.listening:
            self._hooks.emit(Store(key, answer.model, cost))

    # estimate

    @property
    def _unit(self) -> Unit:
        """What costs are counted in."""
        return self.store.unit or ("seconds" if self._prices is None else "usd")

    def _cost(self, paid: "_Paid", hooks: flow.HookRunner) -> tuple[Unit, float | None]:
        """What asking again would cost, in the one unit of the store; None takes its running mean."""
        unit = self._unit
        cost = hooks.cost(paid.query, paid.answer)
        if cost is None:
            cost = self._price(paid.answer) if unit == "usd" else paid.seconds
        if cost is not None:
            self.store.settle_unit(unit)
        return unit, cost

    def _price(self, answer: Reply) -> float | None:
        try:
            price = None if self._prices is None else self._prices.get(answer.model or "")
            if price is not None and not price.lacking(answer.usage):
                return price.cost_usd(answer.usage)
        except PriceError as error:  # a price that is not in force yet, or of something nobody counts
            self._say_once(str(error), "%s")
        self._counts.add("unpriced")
        self._say_once(
            repr(answer.model),
            "no price for %s, or no token counts from it: its answers are taken to be worth the mean",
        )
        return None

    def _tell_bypass(self, key: Key, answer: Reply, reason: Literal["admit", "worth"]) -> None:
        if self._hooks.listening:
            self._hooks.emit(Bypass(key, answer.model, reason))


@dataclass(frozen=True, slots=True)
class _Paid:
    """An answer that LangChain has just paid for.

    `seconds`: None when nobody saw the call begin. `core`: what was found that is alike.
    """

    query: Query
    key: Key
    generated: Generated
    answer: Reply
    seconds: float | None
    core: flow.Core | None = None


class _Contained:
    """Turns an exception in its block into an incident: trouble in a cache fails nobody's call."""

    __slots__ = ("_hooks", "_stage")

    def __init__(self, hooks: flow.HookRunner, stage: str) -> None:
        self._hooks = hooks
        self._stage = stage

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._hooks.incident(self._stage, error)
        return True


def _decision(facts: Mapping[str, Any]) -> Decision:
    return Decision(
        id=facts["hit_id"],
        kind="hit",
        model=facts.get("model"),
        reason=facts["reason"],
        unit=facts.get("unit", "seconds"),
        saved=facts.get("saved", 0.0),
        hit_id=facts["hit_id"],
        age_seconds=facts["age_seconds"],
        similarity=facts.get("similarity"),
        risk=facts.get("risk"),
    )


def _never_called(call: flow.Call) -> Any:
    raise AssertionError("a cache calls no model")
