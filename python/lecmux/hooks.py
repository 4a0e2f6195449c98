"""Hooks: what users may decide themselves. Each is a small protocol, or a bare callable of the same shape.

None abstains, and the built-in rule decides. An exception is counted, logged once per hook, and the
built-in rule decides. A synchronous hook cannot be interrupted: an overrun of `time_budget_seconds` is
measured on return, and three in a row switch the hook off. `Threaded` gives a hard deadline.
No lock is held while a hook runs.

A hook may be async: a coroutine function, or an object with `acost` beside or in place of `cost`. Drivers
that await, such as `AsyncCache`, await it and cancel it at its time budget. The others count a hook that is
only async as failed.

A scope hook that fails is the exception to the rule: its request is served without the cache, because the
built-in scope could be another tenant's.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from lecmux._threaded import Threaded
from lecmux.errors import ConfigError
from lecmux.events import Event
from lecmux.normaliser import Normaliser
from lecmux.policies._check import positive
from lecmux.query import Decision, Query, Reply

__all__ = [
    "AdmitHook",
    "CostHook",
    "Hooks",
    "Listener",
    "Normaliser",
    "QualityHook",
    "RouteHook",
    "SameAnswerHook",
    "ScopeHook",
    "TextHook",
    "Threaded",
    "TtlHook",
]

_Word = TypeVar("_Word")
_MaybeAwaited: TypeAlias = _Word | Awaitable[_Word | None] | None


@runtime_checkable
class CostHook(Protocol):
    """Prices a call in place of the price list."""

    def cost(self, request: Query, reply: Reply, /) -> float | None:
        """Cost of the call in the router's unit (or the cache's, where there is no router)."""
        ...


@runtime_checkable
class AdmitHook(Protocol):
    """Decides whether an answer may be stored."""

    def admit(self, request: Query, reply: Reply, /) -> bool | None:
        """True to admit, False to refuse; the built-in rule admits answers that ended normally."""
        ...


@runtime_checkable
class TtlHook(Protocol):
    """Decides how long an answer is served."""

    def ttl(self, request: Query, reply: Reply, /) -> float | None:
        """Seconds to live, above 0; the built-in is the cache's `default_ttl_seconds`."""
        ...


@runtime_checkable
class ScopeHook(Protocol):
    """Names the tenant of a request."""

    def scope(self, request: Query, /) -> str | None:
        """The scope; the built-in is the query's own."""
        ...


@runtime_checkable
class TextHook(Protocol):
    """Makes the text of a key."""

    def text(self, request: Query, /) -> str | None:
        """What is looked up and stored under; the built-in is the query's own text.

        Whatever changes the answer must be in it, or in the query's fingerprint.
        """
        ...


@runtime_checkable
class RouteHook(Protocol):
    """Names the model to call, where there is a choice."""

    def route(self, request: Query, decision: Decision, /) -> str | None:
        """One of the models; `decision` is the router's own, with its estimates."""
        ...


@runtime_checkable
class SameAnswerHook(Protocol):
    """Says whether two answers to one question say the same."""

    def same_answer(self, one: Any, other: Any, /) -> bool | None:
        """Of two values, as models return them; the built-in compares them with ==."""
        ...


@runtime_checkable
class QualityHook(Protocol):
    """Judges an answer at once, such as a test or an answer key does."""

    def quality(self, request: Query, reply: Reply, /) -> float | None:
        """0.0 (wrong) to 1.0 (right); None while nobody knows."""
        ...


@runtime_checkable
class Listener(Protocol):
    """Hears of events, on the thread where they happen."""

    def on_event(self, event: Event, /) -> None:
        """Called after the fact; its failures change nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The hooks of one cache.

    Attributes:
        cost: prices a call.
        admit: may refuse to store an answer.
        ttl: seconds an answer lives.
        scope: names the tenant.
        quality: judges an answer at once.
        listeners: hear of every event.
        time_budget_seconds: longest time one call of a hook should take.
        text: makes the text of the key.
        normalise: drops differences of writing from that text, such as `Normaliser(case=True)`.
        route: names the model to call.
        same_answer: compares a stored answer with a new one: in shadow, and to label hits by meaning.
        log_texts: lets the log quote messages of errors, which may hold prompts and answers.
    """

    cost: CostHook | Callable[[Query, Reply], _MaybeAwaited[float]] | None = None
    admit: AdmitHook | Callable[[Query, Reply], _MaybeAwaited[bool]] | None = None
    ttl: TtlHook | Callable[[Query, Reply], _MaybeAwaited[float]] | None = None
    scope: ScopeHook | Callable[[Query], _MaybeAwaited[str]] | None = None
    quality: QualityHook | Callable[[Query, Reply], _MaybeAwaited[float]] | None = None
    listeners: Sequence[Listener | Callable[[Event], object]] = ()
    time_budget_seconds: float = 0.1
    text: TextHook | Callable[[Query], _MaybeAwaited[str]] | None = None
    normalise: Callable[[str], str | None] | None = None
    route: RouteHook | Callable[[Query, Decision], _MaybeAwaited[str]] | None = None
    same_answer: SameAnswerHook | Callable[[Any, Any], _MaybeAwaited[bool]] | None = None
    log_texts: bool = False

    def __post_init__(self) -> None:
        positive("Hooks.time_budget_seconds", self.time_budget_seconds)
        if not isinstance(self.log_texts, bool):
            raise ConfigError(f"Hooks.log_texts must be True or False, not {self.log_texts!r}")
