"""Hooks: what users may decide themselves. Each is a small protocol, or a bare callable of the same shape.

None abstains, and the built-in rule decides. An exception is counted, logged once per hook, and the
built-in rule decides. A synchronous hook cannot be interrupted: an overrun of `time_budget_seconds` is
measured on return, and three in a row switch the hook off. `Threaded` gives a hard deadline.
No lock is held while a hook runs.

A scope hook that fails is the exception to the rule: its request is served without the cache, because the
built-in scope could be another tenant's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lecmux._threaded import Threaded
from lecmux.events import Event
from lecmux.policies._check import positive
from lecmux.query import Query, Reply

__all__ = [
    "AdmitHook",
    "CostHook",
    "Hooks",
    "Listener",
    "QualityHook",
    "ScopeHook",
    "Threaded",
    "TtlHook",
]


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
    """

    cost: CostHook | Callable[[Query, Reply], float | None] | None = None
    admit: AdmitHook | Callable[[Query, Reply], bool | None] | None = None
    ttl: TtlHook | Callable[[Query, Reply], float | None] | None = None
    scope: ScopeHook | Callable[[Query], str | None] | None = None
    quality: QualityHook | Callable[[Query, Reply], float | None] | None = None
    listeners: Sequence[Listener | Callable[[Event], object]] = ()
    time_budget_seconds: float = 0.1

    def __post_init__(self) -> None:
        positive("Hooks.time_budget_seconds", self.time_budget_seconds)
