"""What listeners are told. A plain `get` tells nothing: it has no Python frame."""

from dataclasses import dataclass
from typing import Literal

from lecmux.query import Decision, Key, Unit

__all__ = ["Bypass", "CacheHit", "CacheMiss", "Event", "Incident", "Observe", "Route", "Shadow", "Store"]


@dataclass(frozen=True, slots=True)
class CacheHit:
    """A stored answer was served. `coalesced`: another request computed it while this one waited."""

    key: Key
    decision: Decision
    hit_cost: float
    coalesced: bool = False


@dataclass(frozen=True, slots=True)
class CacheMiss:
    """No stored answer was served.

    Attributes:
        key: of the request.
        reason: `absent`: none is there; `declined`: it is known to be worse than a call; `not_allowed`: it
            is of a barred model; `refresh`, `skip`: the request asked for a call.
    """

    key: Key
    reason: Literal["absent", "declined", "not_allowed", "refresh", "skip"]


@dataclass(frozen=True, slots=True)
class Route:
    """A model was chosen and is about to be called."""

    key: Key
    decision: Decision


@dataclass(frozen=True, slots=True)
class Observe:
    """A cost was learnt: after a call, or later when its quality became known."""

    key: Key
    decision_id: str
    model: str
    cost: float
    quality: float | None
    unit: Unit


@dataclass(frozen=True, slots=True)
class Store:
    """An answer was stored."""

    key: Key
    model: str | None
    cost: float | None


@dataclass(frozen=True, slots=True)
class Bypass:
    """An answer was not stored. `admit`: refused by admission; `worth`: nothing there is worth less."""

    key: Key
    model: str | None
    reason: Literal["admit", "worth"]


@dataclass(frozen=True, slots=True)
class Shadow:
    """The baseline was called, and this is what would have been done instead.

    Attributes:
        key: of the request.
        decision: the hit or the route that was not taken.
        would_save: cost of the baseline's call less what the decision was expected to cost; None where
            that is not known.
        same: for a hit, whether the stored answer and the new one are the same; None for a call.
    """

    key: Key
    decision: Decision
    would_save: float | None
    same: bool | None


@dataclass(frozen=True, slots=True)
class Incident:
    """Trouble inside that did not stop the request.

    Attributes:
        stage: the stage or hook, such as "exact" or "hook:cost".
        error: class and message of what went wrong.
    """

    stage: str
    error: str


Event = CacheHit | CacheMiss | Route | Observe | Store | Bypass | Shadow | Incident
"""What a listener is called with."""
