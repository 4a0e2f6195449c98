"""The stages of the pipeline, each over the parts of one cache; `flow.answer` puts them in order.

Whatever goes wrong in a stage is counted as an incident, and the request proceeds without that stage.
"""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from lecmux import _core
from lecmux._attempt import NOTHING, Before, Outcome
from lecmux._books import Books
from lecmux._envelope import Entry, entry_in, unseal
from lecmux._hook_runner import HookFailedError, HookRunner
from lecmux._semantic import SemanticStage, answer_name
from lecmux._settle import settle, spent
from lecmux._single_flight import Handoff, SingleFlight
from lecmux.costs.ledger import Ledger
from lecmux.costs.objective import Objective
from lecmux.errors import ConfigError, ValueTypeError
from lecmux.events import CacheHit, CacheMiss, Route
from lecmux.query import Answer, CacheMode, Decision, Key, Query, Reply, Unit, check_cache_mode, new_id
from lecmux.routers.router import Router

_SECONDS = Objective("seconds", {})
_NO_KEY = Key("", fingerprint="lecmux: no key")


class Codec(Protocol):
    """Turns a framework's values into storable ones and back, afresh each time."""

    def dump(self, value: Any, /) -> Any:
        """`value` as str, bytes or a JSON-able object."""
        ...

    def load(self, stored: Any, /) -> Any:
        """The value that was dumped."""
        ...


@dataclass(frozen=True, slots=True)
class Core:
    """What one run of the pipeline works on.

    Attributes:
        models: the names to choose among; those of the router, or one.
        store: keeps the answers; None for routing alone.
        router: chooses and learns; None where there is one model.
        hooks: the user's hooks, with the count of incidents.
        ledger: sums what was spent and saved.
        flight: the claims; shared by all that share the store.
        codec: between the values of a framework and storable ones; None keeps values as they are.
        clock: seconds, by which entries know their age.
        allowed: models and cascades to which this request is confined; stored answers of other models are
            not served.
        judge: whose quality hook is asked in place of that of `hooks`.
        mode: what this request does with the store.
        shadow: the baseline answers; what would have been done instead is recorded.
        one_call: the driver can perform one call only, so there is no cascade and no fallback.
        stopwatch: seconds, by which failed calls are timed and models rest.
        semantic: the semantic stage; None without one.
        counted_in: the unit of costs; None: that of the money rules.
        proposal: what that stage found for this request; its answer is stored and compared accordingly.
    """

    models: Sequence[str]
    store: _core.Store | None = None
    router: Router | None = None
    hooks: HookRunner = field(default_factory=HookRunner)
    ledger: Ledger = field(default_factory=Ledger)
    flight: SingleFlight = field(default_factory=SingleFlight)
    codec: Codec | None = None
    clock: Callable[[], float] = time.time
    allowed: Sequence[str] | None = None
    judge: HookRunner | None = None
    mode: CacheMode = "use"
    shadow: bool = False
    one_call: bool = False
    stopwatch: Callable[[], float] = time.perf_counter
    semantic: SemanticStage | None = None
    proposal: _core.Proposal | None = None
    counted_in: Unit | None = None

    def __post_init__(self) -> None:
        _check_models(self.models, self.router, self.allowed)
        check_cache_mode(self.mode)

    @property
    def objective(self) -> Objective:
        """The money rules: the router's, or seconds."""
        return self.router.objective if self.router else _SECONDS

    @property
    def awaits(self) -> bool:
        """Whether any hook here can be awaited, so that the driver is asked to consult it."""
        return bool(self.hooks.awaited or (self.judge and self.judge.awaited))

    @property
    def among(self) -> Sequence[str]:
        """The arms that this request may take: models, and cascades where the driver can perform them."""
        may = self.allowed or self.models
        if self.router is None:
            return may
        if self.allowed is None and not self.one_call:
            return self.router.arms
        if self.one_call:
            asked = self.router.asked(may)
            return [model for model in self.models if model in asked]
        return self.router.arms_within(may)

    def stores(self, key: Key | None) -> bool:
        """Whether an answer under `key` may be stored."""
        return key is not None and self.store is not None and self.mode != "skip"

    @property
    def books(self) -> Books:
        """Where what decisions cost and saved is written."""
        return Books(self.ledger, self.hooks, self.router)

    @property
    def unit(self) -> Unit:
        """The unit of every amount here."""
        return self.counted_in or self.objective.unit

    # key

    def key(self, query: Query) -> Key | None:
        """Under what the query is stored; None when that cannot be known, and the cache is left aside."""
        try:
            key = Key(self.hooks.text(query), self.hooks.scope(query), query.fingerprint)
            _check_key(key)
        except Exception as error:
            self.trouble("key", error)
            return None
        return key

    # exact

    def exact(self, key: Key | None, *, again: bool = False) -> Answer | None:
        """The stored answer, where serving it costs no more than a call.

        Args:
            key: of the query.
            again: a second look by the same request, which is not counted as a request.
        """
        if key is None or self.store is None:
            return None
        if self.mode != "use":
            self.tell(CacheMiss, key, self.mode)
            return None
        try:
            look = self.store.peek if again else self.store.lookup
            hit = look(key.text, scope=key.scope, fingerprint=key.fingerprint)
            if hit is None:
                if not again:
                    self.tell(CacheMiss, key, "absent")
                return None
            served = self._serve(key, entry_in(hit.value), hit, again=again)
            if self.semantic is not None and served is not None and not (again or self.shadow):
                _core.answered(self.store, key.scope)
            return served
        except Exception as error:
            self.trouble("exact", error)
            return None

    def handed(self, key: Key, handoff: Handoff | None) -> Answer | None:
        """The answer of another request that this one waited for, where the store had no place for it."""
        if handoff is None:
            return None
        with self.contained("exact"):
            return self._serve(key, unseal(handoff.sealed.data), handoff, again=True)
        return None

    def _serve(
        self,
        key: Key,
        entry: Entry,
        hit: _core.Hit | Handoff,
        *,
        again: bool,
        proposal: _core.Proposal | None = None,
    ) -> Answer | None:
        kept = None if isinstance(hit, Handoff) else hit
        if refusal := self.refusal(key, entry, hit.hit_cost, kept.count if kept else 1.0):
            self.tell(CacheMiss, key, refusal)
            return None
        decision = Decision(
            id=new_id(),
            kind="hit",
            model=entry.model,
            reason="semantic" if proposal else "exact",
            unit=self.unit,
            saved=entry.cost,
            hit_id=kept.hit_id if kept else None,
            age_seconds=None if entry.stored_at is None else max(0.0, self.clock() - entry.stored_at),
            similarity=proposal.similarity if proposal else None,
            risk=proposal.risk[0] if proposal and proposal.risk else None,
        )
        value = self.codec.load(entry.value) if self.codec else entry.value
        if not self.shadow:
            self.books.hit(key, decision, entry, hit.hit_cost, self.store)
            self.tell(CacheHit, key, decision, hit.hit_cost, again)
        return Answer(value, decision)

    def refusal(
        self, key: Key, entry: Entry, hit_cost: float, count: float
    ) -> Literal["not_allowed", "declined"] | None:
        """Why a stored answer is not served: of a barred model, or known to be worse than a call."""
        if self.allowed is not None and entry.model not in self._may_answer(self.allowed):
            return "not_allowed"
        if self.router and hit_cost > 0 and hit_cost > self.router.expected(key, count=count):
            return "declined"
        return None

    # semantic

    def means(self, query: Query, key: Key | None) -> bool:
        """Whether the semantic stage is asked about this request."""
        if self.semantic is None or key is None or self.store is None or self.mode == "skip":
            return False
        return query.salient is not None or self.semantic.settings.text is not None

    def entering(self, value: Any) -> tuple[_core.Proposal, int] | None:
        """What an answer is stored with, so that it can answer for others; None: it cannot."""
        return None if self.proposal is None else (self.proposal, answer_name(self, value))

    def with_proposal(self, proposal: "_core.Proposal") -> "Core":
        """A copy with `proposal`. `dataclasses.replace` would check all the rest again, on every lookup."""
        copy = object.__new__(Core)
        for name in Core.__slots__:
            object.__setattr__(copy, name, getattr(self, name))
        object.__setattr__(copy, "proposal", proposal)
        return copy

    def alike(self, key: Key, proposal: _core.Proposal) -> Answer | None:
        """The answer of the entry that a proposal serves."""
        hit = proposal.hit
        if hit is None or self.semantic is None:
            return None
        answer = self._serve(key, entry_in(hit.value), hit, again=False, proposal=proposal)
        if answer is not None and not self.shadow:
            self.semantic.remember(answer.decision.id, hit.hit_id, proposal)
        return answer

    # claim

    def shares(self, key: Key | None) -> bool:
        """Whether equal requests wait for one call; not where the caller itself leads, further up."""
        if key is None or self.store is None or self.mode != "use" or self.shadow:
            return False
        return not self.flight.leads(key)

    def leading(self, key: Key, role: str) -> "AbstractContextManager[None]":
        """Gives the claim back at the end: as done, or, when the request failed, to the next who waits."""
        return _Leading(self, key) if role == "lead" else nullcontext()

    # route

    def route(self, query: Query, key: Key | None, decision: Decision) -> Decision:
        """Whom to ask, which listeners are told of: as decided, unless the route hook names another arm."""
        decision = self.steer(query, decision)
        self.tell_route(key, decision)
        return decision

    def steer(self, query: Query, decision: Decision) -> Decision:
        """`decision`, or the word of the route hook where there is a choice."""
        if self.hooks.routes and len(self.among) > 1:
            with self.contained("route"):
                arm = self.hooks.route(query, decision, self.among)
                if arm is not None:
                    cascade = self.router.cascade(arm) if self.router else None
                    model = cascade.first if cascade else arm
                    return replace(decision, model=model, arm=arm, reason="hook", propensity=1.0)
        return decision

    def choose(self, key: Key | None, query: Query | None = None) -> Decision:
        """The model that the router names. Where it fails, the first that is allowed.

        Args:
            key: of the query.
            query: itself, for a router with a multiplexer.
        """
        if (
            query is not None
            and key is not None
            and self.router is not None
            and self.router.multiplexer is not None
        ):
            with self.contained("route"):
                self.router.meet(key, query)
        try:
            return self._routed(key)
        except Exception as error:
            self.trouble("route", error)
        may = self._may_answer(self.allowed or self.models)
        return Decision(new_id(), "call", next(m for m in self.models if m in may), "fallback", self.unit)

    def another(self, key: Key | None, tried: Collection[str]) -> str | None:
        """Of the models not tried yet, the one expected to cost least; None when there is none."""
        may = self._may_answer(self.allowed or self.models)
        left = [model for model in self.models if model in may and model not in tried]
        if self.router is None or self.one_call or not left:
            return None
        with self.contained("route"):
            awake = self.router.awake(left, self.now)
            count = None if key is None else self.asked(key)
            return self.router.route(key or _NO_KEY, count=count, allowed=awake, cascades=False).model
        return left[0]

    def tell_route(self, key: Key | None, decision: Decision) -> None:
        """Tells listeners whom this request is about to ask."""
        if key is not None:
            self.tell(Route, key, decision)

    def compare(self, key: Key | None, instead: Decision) -> Decision:
        """In shadow: the baseline is to be called, or where it is barred, what `instead` names."""
        baseline = self.router.baseline if self.router else self.models[0]
        barred = self.allowed is not None and baseline not in self._may_answer(self.allowed)
        decision = Decision(new_id(), "call", instead.model if barred else baseline, "shadow", self.unit)
        self.tell_route(key, decision)
        return decision

    def _routed(self, key: Key | None) -> Decision:
        if self.router is None:
            return Decision(new_id(), "call", self.models[0], "only", self.unit)
        allowed = self.router.awake(self.allowed, self.now)
        if allowed is not None and self.one_call:
            allowed = self._may_answer(allowed)
        count = 1.0 if key is None else self.asked(key)
        return self.router.route(key or _NO_KEY, count=count, allowed=allowed, cascades=not self.one_call)

    def _may_answer(self, allowed: Collection[str]) -> Collection[str]:
        return self.router.asked(allowed) if self.router else allowed

    def asked(self, key: Key) -> float | None:
        """How often the query was asked, this time included; None takes the calls made for it.

        A request that looks nothing up is not among those the store counts: asked that way alone, no query
        would ever seem to come often enough to try another model on.
        """
        return self.count(key) if self.mode == "use" else None

    def count(self, key: Key) -> float | None:
        """How often the query was looked up; None where nobody counts."""
        if self.store is None:
            return None
        return self.store.count(key.text, scope=key.scope, fingerprint=key.fingerprint)

    # call

    def spend(self, query: Query, model: str, reply: Reply) -> float | None:
        """What one call cost; None where that cannot be known."""
        with self.contained("observe"):
            return spent(self, query, model, reply)
        return None

    def book(self, key: Key | None, model: str, cost: float | None, seconds: float) -> None:
        """Books a call whose answer is not given."""
        with self.contained("observe"):
            self.books.lost(key, model, self.unit, cost, seconds)

    def now(self) -> float:
        """For durations; 0.0 where the clock fails."""
        try:
            return self.stopwatch()
        except Exception as error:
            self.trouble("clock", error)
            return 0.0

    # observe

    def observe(
        self, query: Query, key: Key | None, decision: Decision, reply: Reply, *, before: Before = NOTHING
    ) -> Answer:
        """Learns what the call cost, and stores the answer."""
        return settle(self, query, key, Outcome(decision, reply, before))

    # trouble

    def incident(self, stage: str, error: BaseException) -> None:
        """Counts trouble that was contained; the first of each stage is logged."""
        self.hooks.incident(stage, error)

    def trouble(self, stage: str, error: Exception) -> None:
        """Contains an exception: it becomes an incident."""
        if not isinstance(error, HookFailedError):  # that one is counted where it happened
            self.incident(stage, error)

    def contained(self, stage: str) -> "_Contained":
        """Turns an exception in a block into an incident; `trouble` does so where a block takes too long."""
        return _Contained(self, stage)

    def tell(self, kind: Callable[..., Any], *details: Any) -> None:
        """Tells listeners of an event, which is made only where somebody listens."""
        if self.hooks.listening:
            self.hooks.emit(kind(*details))


class _Leading:
    """The lead of a key, within the block."""

    __slots__ = ("_core", "_key", "_lead")

    def __init__(self, core: Core, key: Key) -> None:
        self._core = core
        self._key = key

    def __enter__(self) -> None:
        self._lead = self._core.flight.take(self._key)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        flight = self._core.flight
        try:
            (flight.release if error is None else flight.fail)(self._key, self._lead)
        except Exception as trouble:
            self._core.trouble("claim", trouble)


class _Contained:
    """Turns an exception in its block into an incident."""

    __slots__ = ("_core", "_stage")

    def __init__(self, core: Core, stage: str) -> None:
        self._core = core
        self._stage = stage

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._core.trouble(self._stage, error)
        return True


def _check_key(key: Key) -> None:
    """Refuses a key that the core cannot take. To ask whether a str is ASCII costs nothing."""
    if key.text.isascii() and key.scope.isascii() and key.fingerprint.isascii():
        return
    for name, part in zip(Key._fields, key, strict=True):
        if not part.isascii():
            try:
                part.encode()
            except UnicodeEncodeError as error:
                raise ValueTypeError(f"the {name} of a query must hold no lone surrogates") from error


def _check_models(models: Sequence[str], router: Router | None, allowed: Sequence[str] | None) -> None:
    """Refuses what no request could proceed with."""
    if not models:
        raise ConfigError("models is empty: give at least one")
    if router is None and len(models) > 1:
        raise ConfigError(f"{len(models)} models need a router to choose: pass router=Router([...])")
    if router is not None and set(router.models) != set(models):
        raise ConfigError(f"the router knows {list(router.models)}, but the models are {list(models)}")
    names = router.arms if router else models
    if allowed is not None and (not allowed or not set(allowed) <= set(names)):
        raise ConfigError(f"allowed must name some of {list(names)}, not {list(allowed)}")
