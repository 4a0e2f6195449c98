"""What LlamaIndex's instrumentation hears of decisions: one event each, without a word of a prompt."""

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.event_handlers import NullEventHandler
from pydantic import Field

from lecmux import Decision

__all__ = ["LECCacheHitEvent", "LECRouteEvent"]

dispatcher = get_dispatcher(__name__)


class LECCacheHitEvent(BaseEvent):
    """A stored answer was served. Amounts are in `unit`: "usd", or "seconds" where a price is missing."""

    decision_id: str
    hit_id: str
    model: str | None
    reason: str
    unit: str
    saved: float
    age_seconds: float | None

    @classmethod
    def class_name(cls) -> str:
        """Name in exports."""
        return "LECCacheHitEvent"


class LECRouteEvent(BaseEvent):
    """A model was chosen and is about to be called, with the beliefs behind the choice by model.

    Where it fails or its answer is not good enough, one more event names the model that is asked next.
    """

    decision_id: str
    model: str
    reason: str
    unit: str
    propensity: float
    lower: dict[str, float]
    mean: dict[str, float]
    tries: dict[str, float]
    failed: list[str] = Field(default_factory=list)
    """The models that failed before this one was asked."""

    @classmethod
    def class_name(cls) -> str:
        """Name in exports."""
        return "LECRouteEvent"


def heard() -> bool:
    """Whether anybody listens. Making an event takes longer than serving a hit."""
    place = dispatcher
    while True:
        if any(not isinstance(handler, NullEventHandler) for handler in place.event_handlers):
            return True
        if not place.propagate or not place.parent_name or place.parent is place:
            return False
        place = place.parent


def tell_route(decision: Decision) -> None:
    """Tells handlers of a call."""
    if not heard():
        return
    dispatcher.event(
        LECRouteEvent(
            decision_id=decision.id,
            model=str(decision.model),
            reason=decision.reason,
            unit=decision.unit,
            propensity=decision.propensity,
            lower=dict(decision.lower),
            mean=dict(decision.mean),
            tries=dict(decision.tries),
            failed=list(decision.failed),
        )
    )


def tell_hit(decision: Decision) -> None:
    """Tells handlers of a hit."""
    if not heard():
        return
    dispatcher.event(
        LECCacheHitEvent(
            decision_id=decision.id,
            hit_id=decision.hit_id or "",
            model=decision.model,
            reason=decision.reason,
            unit=decision.unit,
            saved=decision.saved,
            age_seconds=decision.age_seconds,
        )
    )
