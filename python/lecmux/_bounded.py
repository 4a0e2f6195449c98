"""The store behind both caches, with its hooks, books, clock and files."""

import json
import os
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, Self

from lecmux import _core, _snapshot, flow
from lecmux._deadline import Deadline
from lecmux._envelope import Entry, unseal, unsealed_but_value
from lecmux._hook_runner import HookRunner
from lecmux._semantic import SemanticStage
from lecmux._single_flight import SingleFlight
from lecmux.costs.ledger import Ledger
from lecmux.erase import StoredEntry, chosen
from lecmux.errors import ConfigError, PriceError, SnapshotError
from lecmux.events import Bypass, Store
from lecmux.hooks import Hooks
from lecmux.policies._check import MOST, instance, positive, whole
from lecmux.policies.estimate import Estimator, ValueOfInformation, estimator_from_spec
from lecmux.policies.evict import Eviction, Lec, eviction_from_spec
from lecmux.policies.scored import EntryView, Scored
from lecmux.policies.semantic import Semantic
from lecmux.query import CacheMode, Key, Unit
from lecmux.report import Report
from lecmux.routers.router import Router
from lecmux.stats import Stats
from lecmux.values import encode_value

__all__ = ["Bounded", "only_arm"]


class Bounded(_core.Store):
    """What both caches share: everything but `answer`. `get`, `put` and the like are the core's own."""

    def __new__(
        cls,
        capacity_bytes: int,
        *,
        evict: Eviction = Lec(),
        estimator: Estimator = ValueOfInformation(),
        default_ttl_seconds: float | None = None,
        clock: Callable[[], float] | None = None,
        seed: int = 0,
        tenant_share: float = 1.0,
        hooks: Hooks | None = None,
        semantic: Semantic | None = None,
    ) -> Self:
        """Makes the core's part; `__init__` adds what is Python's."""
        whole("capacity_bytes", capacity_bytes, most=MOST)
        whole("seed", seed, least=0, most=MOST)
        if default_ttl_seconds is not None:
            positive("default_ttl_seconds", default_ttl_seconds)
        if isinstance(tenant_share, bool) or not isinstance(tenant_share, (int, float)):
            raise ConfigError(f"tenant_share must be a number in (0, 1], not {tenant_share!r}")
        if not isinstance(evict, Eviction):
            raise ConfigError(f"evict must be a policy such as Lec(), not {evict!r}")
        if semantic is not None:
            instance("semantic", semantic, Semantic)
        if not isinstance(estimator, Estimator):
            raise ConfigError(f"estimator must be one such as ValueOfInformation(), not {estimator!r}")
        return super().__new__(
            cls,
            capacity_bytes,
            evict=evict._spec(),
            estimator=estimator._spec(),
            default_ttl_seconds=default_ttl_seconds,
            clock=clock,
            seed=seed,
            tenant_share=tenant_share,
            shards=None,
            semantic=None
            if semantic is None or semantic.max_error == 0
            else {
                "max_error": float(semantic.max_error),
                "gated": getattr(semantic.embedder, "gate", None) is not None,
                "serve_contradictions": semantic.serve_contradictions,
                "near_twins": semantic.near_twins,
            },
        )

    def __init__(
        self,
        capacity_bytes: int,
        *,
        evict: Eviction = Lec(),
        estimator: Estimator = ValueOfInformation(),
        default_ttl_seconds: float | None = None,
        clock: Callable[[], float] | None = None,
        seed: int = 0,
        tenant_share: float = 1.0,
        hooks: Hooks | None = None,
        semantic: Semantic | None = None,
    ) -> None:
        self._settings = {
            "capacity_bytes": capacity_bytes,
            "evict": evict._spec(),
            "estimator": estimator._spec(),
            "default_ttl_seconds": default_ttl_seconds,
            "seed": seed,
            "tenant_share": tenant_share,
        }
        self._stopwatch = clock or time.perf_counter
        self._clock = clock or time.time
        self._hooks = HookRunner(hooks, score=evict.score if isinstance(evict, Scored) else None)
        self._flight = SingleFlight()
        self._deadline = Deadline()
        self._ledger = Ledger()
        self._unit: Unit | None = None
        self._routers: list[Router] = []
        self._semantic: SemanticStage | None = None
        if semantic is not None and semantic.max_error > 0:
            self._semantic = SemanticStage(semantic, capacity_bytes, self._stopwatch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes every entry. The cache can be used again."""
        self.clear()

    def _decode(self, data: bytes) -> Any:
        """A fresh copy of a value that is not str or bytes; the core calls this for `get`."""
        return unseal(data).value

    def _decode_hit(self, data: bytes) -> Entry:
        """The same with what is known of it; the core calls this for `lookup` and `peek`."""
        return unseal(data)

    def _score(
        self,
        key: tuple[str, str, str],
        value: object,
        known: tuple[float, float | None, float, int, float | None],
        new: bool,
    ) -> float | None:
        """The score of an entry by `Scored`; the core asks for it with no lock held."""
        count, cost, hit_cost, size_bytes, ttl_seconds = known
        try:
            about = unsealed_but_value(value.data) if isinstance(value, _core.Encoded) else Entry(None)
            age = 0.0 if new else None
            if age is None and about.stored_at is not None:
                age = max(0.0, self._clock() - about.stored_at)
        except Exception as error:
            self._hooks.incident("score", error)
            return None
        entry = EntryView(Key(*key), count, cost, size_bytes, age, ttl_seconds, hit_cost, about.model)
        return self._hooks.score(entry)

    def _put(
        self,
        key: str,
        value: object,
        *,
        cost_usd: float | None,
        ttl_seconds: float | None,
        scope: str,
        fingerprint: str,
    ) -> bool:
        """Puts what the core's `put` leaves to Python: a first cost, other objects, anything listened to."""
        if cost_usd is not None and self._unit != "usd":
            self.settle_unit("usd")
        if ttl_seconds is not None:
            positive("ttl_seconds", ttl_seconds)
        stored = self.put_value(
            key,
            encode_value(value),
            cost=cost_usd,
            ttl_seconds=ttl_seconds,
            scope=scope,
            fingerprint=fingerprint,
        )
        if self._hooks.listening:
            name = Key(key, scope, fingerprint)
            self._hooks.emit(Store(name, None, cost_usd) if stored else Bypass(name, None, "worth"))
        return stored

    def forget(self, hit_id: str) -> bool:
        """Removes the entry that served a hit, by the hit's `hit_id`; False: it is gone already."""
        return hit_id.isascii() and super().forget(hit_id)

    def report_wrong(self, hit_id: str) -> bool:
        """Takes a wrong answer out of service, and learns from it. False: nothing of that name is known.

        The entry is removed. After a hit by meaning, the two texts are kept as a pair that must not answer
        for each other, nor any as near to them, and the tenant's evidence takes in that the hit was wrong.

        Args:
            hit_id: `Decision.hit_id`, or `Decision.id` of the one hit that was wrong.
        """
        known = [] if self._semantic is None else self._semantic.recall(hit_id)
        for _, proposal in known:
            proposal.report(self)
        entries = {entry for entry, _ in known} or {hit_id}
        removed = sum(map(self.forget, entries))
        return bool(removed or known)

    def erase(self, predicate: Callable[[StoredEntry], bool]) -> int:
        """Removes every entry of which `predicate` says True, from both stages; returns how many.

        First it is asked about each entry, with no lock held; then they go. Where it raises, nothing has
        gone. An entry that is stored anew meanwhile stays. A file that was saved before still holds what is
        gone: save again. Takes a look at every entry there is.

        Args:
            predicate: takes a `lecmux.erase.StoredEntry`, and returns True or False.

        Raises:
            ConfigError: it returned something else, such as a coroutine.
        """
        gone = 0
        for entry in chosen(self, predicate):
            if entry._remove(self):
                gone += 1
                if self._semantic is not None:
                    self._semantic.recall(entry.hit_id)
        return gone

    def observe(self, decision_id: str, *, quality: float) -> bool:
        """Takes in the quality of an answer, learnt later. See `Router.observe`."""
        return any(router.observe(decision_id, quality=quality) for router in list(self._routers))

    def stats(self) -> Stats:
        """Counters so far."""
        return Stats.gather(
            self.statistics(),
            incidents=self._hooks.incidents,
            unit=self._unit,
            usd=self._ledger.account("usd"),
            seconds=self._ledger.account("seconds"),
            semantic=None if self._semantic is None else self._semantic.stats(self),
        )

    def report(self) -> Report:
        """What was spent and saved, by scope, model and day."""
        return Report.of(self._ledger, self._unit or "usd", list(self._routers))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the whole state to `path`: atomic, versioned, checksummed, readable by the owner only."""
        _snapshot.write(path, self._sealed())

    def _sealed(self) -> bytes:
        """What `save` writes."""
        about = json.dumps({"settings": self._settings, "unit": self._unit})
        return self.to_bytes(about, self._embedder)

    @property
    def _embedder(self) -> str:
        """Names what makes the vectors here: those of another are of no use."""
        return "" if self._semantic is None else self._semantic.embedder

    def _take_over(self, data: bytes) -> int:
        """Takes over the entries in `data`; where its vectors are of no use, the exact ones alone."""
        taken, fits = self.restore(data, self._embedder)
        if not fits and self._semantic is not None:
            self._semantic.unfit(self._hooks)
        return taken

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] | None = None,
        hooks: Hooks | None = None,
        evict: Eviction | None = None,
        semantic: Semantic | None = None,
    ) -> Self:
        """A cache with the settings and entries that `save` wrote.

        Args:
            path: of the file.
            clock: as for a new cache; a file holds none.
            hooks: as for a new cache; a file holds none.
            evict: in place of the policy that the file names. A file holds no function: a cache under
                `Scored` goes on under `Lec(decay=None)`, unless `Scored` is passed here to score each entry.
            semantic: as for a new cache; a file holds vectors and evidence, no settings. Without it, or with
                another embedder, the entries are served exactly.

        Raises:
            SnapshotError: for a file that is corrupt, foreign or of another version.
            OSError: when it cannot be read.
        """
        return cls._unsealed(
            _snapshot.read(path), path, clock=clock, hooks=hooks, evict=evict, semantic=semantic
        )

    @classmethod
    def _unsealed(
        cls,
        data: bytes,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] | None = None,
        hooks: Hooks | None = None,
        evict: Eviction | None = None,
        semantic: Semantic | None = None,
    ) -> Self:
        """The cache in `data`, which was read from `path`."""
        try:
            about = _core.snapshot_about(data)
        except SnapshotError as error:
            raise SnapshotError(f"{path}: {_snapshot.other_kind(data) or error}") from None
        try:
            kept = json.loads(about)
            settings = dict(kept["settings"])
            settings["evict"] = evict or eviction_from_spec(settings["evict"])
            settings["estimator"] = estimator_from_spec(settings["estimator"])
            cache = cls(**settings, clock=clock, hooks=hooks, semantic=semantic)
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"{path} holds settings that this release does not know: {error}") from error
        cache._unit = kept.get("unit")
        cache._take_over(data)
        return cache

    def _adopt(self, data: bytes, path: str | os.PathLike[str]) -> int:
        """Takes over the entries in `data`, which was read from `path`; returns how many fitted.

        Raises:
            SnapshotError: when it is damaged or foreign, or counts costs in another unit than this cache.
        """
        try:
            unit = json.loads(_core.snapshot_about(data)).get("unit")
            if unit is not None:
                self.settle_unit(unit)
        except (PriceError, SnapshotError, AttributeError, ValueError) as error:
            raise SnapshotError(f"{path}: {error}") from None
        return self._take_over(data)

    def core(
        self,
        models: Sequence[str],
        router: Router | None = None,
        *,
        codec: flow.Codec | None = None,
        allowed: Sequence[str] | None = None,
        mode: CacheMode = "use",
        shadow: bool = False,
    ) -> flow.Core:
        """What `flow.answer` runs on, over this cache; for drivers of your own.

        Arguments as in `flow.Core`.

        Raises:
            ConfigError: for models that do not fit the router.
            PriceError: when the router counts in another unit than this cache so far.
        """
        core = flow.Core(
            models,
            self,
            router,
            self._hooks,
            self._ledger,
            self._flight,
            codec=codec,
            clock=self._clock,
            allowed=allowed,
            mode=mode,
            shadow=shadow,
            stopwatch=self._stopwatch,
            semantic=self._semantic,
        )
        if self._unit != core.unit:
            self.settle_unit(core.unit)
        if router is not None and not any(known is router for known in self._routers):
            self._routers.append(router)
        return core

    def _supposed(
        self,
        models: Collection[str] | None,
        router: Router | None,
        mode: CacheMode,
        route: str | None,
    ) -> flow.Core:
        """As `core`, to think about: nothing is settled by it."""
        names = tuple(models or (router.models if router else ("",)))
        only = only_arm(route, names, router)
        parts = (self._hooks, self._ledger, self._flight)
        clock, semantic = self._clock, self._semantic
        return flow.Core(names, self, router, *parts, clock=clock, allowed=only, mode=mode, semantic=semantic)

    def _now(self) -> float:
        """For durations. A clock that fails costs the measurement, not the request."""
        try:
            return self._stopwatch()
        except Exception as error:
            self._hooks.incident("clock", error)
            return 0.0

    @property
    def semantic(self) -> Semantic | None:
        """How hits of questions that are only alike are decided; None: there are none."""
        return None if self._semantic is None else self._semantic.settings

    def aside(
        self,
        models: Sequence[str],
        *,
        codec: flow.Codec | None = None,
        hooks: HookRunner | None = None,
        mode: CacheMode = "use",
        unit: Unit = "seconds",
    ) -> flow.Core:
        """As `core`, without a router, and without settling what costs are counted in: `unit` says it."""
        return flow.Core(
            models,
            self,
            None,
            hooks or self._hooks,
            self._ledger,
            self._flight,
            codec=codec,
            clock=self._clock,
            mode=mode,
            stopwatch=self._stopwatch,
            semantic=self._semantic,
            counted_in=unit,
        )

    @property
    def hooks(self) -> HookRunner:
        """The hooks it was made with, under the rules of `lecmux.hooks`; for drivers of your own."""
        return self._hooks

    @property
    def ledger(self) -> Ledger:
        """What was spent and saved; for drivers of your own."""
        return self._ledger

    @property
    def unit(self) -> Unit | None:
        """The unit of every cost here; None before the first cost is known."""
        return self._unit

    def settle_unit(self, unit: Unit) -> None:
        """Says what costs are counted in. One cache compares them in one unit: the first that is used.

        Raises:
            PriceError: when it already counts in another.
        """
        if self._unit not in {None, unit}:
            raise PriceError(
                f"this cache counts costs in {self._unit}, not in {unit}: pass a "
                "Router([...], prices={...}) with a Price for every model, or use a second cache"
            )
        self._unit = unit
        if unit == "usd" and not self._hooks.listening:
            self._put_plainly()


def only_arm(route: str | None, models: Collection[str], router: Router | None) -> tuple[str, ...] | None:
    """The arms that a forced route leaves."""
    if route is None:
        return None
    arms = router.arms if router else tuple(models)
    if route not in arms:
        raise ConfigError(f"route must be one of {', '.join(map(repr, arms))}, not {route!r}")
    return (route,)
