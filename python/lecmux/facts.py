"""What an answer tells its caller of the decision behind it: plain JSON, None and empty left out."""

from typing import Any, Final

from lecmux.query import Decision

__all__ = ["end_facts", "facts", "start_facts"]

_EMPTY: Final[tuple[Any, ...]] = ({}, [])


def facts(decision: Decision) -> dict[str, Any]:
    """All of it."""
    return start_facts(decision) | end_facts(decision)


def start_facts(decision: Decision) -> dict[str, Any]:
    """What is known before the model answers; the first chunk of a stream carries it."""
    told: dict[str, Any] = {
        "id": decision.id,
        "kind": decision.kind,
        "model": decision.model,
        "reason": decision.reason,
        "unit": decision.unit,
        "lower": dict(decision.lower),
        "mean": dict(decision.mean),
        "tries": dict(decision.tries),
        "propensity": decision.propensity,
        "hit_id": decision.hit_id,
        "age_seconds": decision.age_seconds,
        "arm": None if decision.arm == decision.model else decision.arm,  # usually it says nothing new
        "failed": list(decision.failed),
    }
    return {name: value for name, value in told.items() if value is not None and value not in _EMPTY}


def end_facts(decision: Decision) -> dict[str, Any]:
    """What is known afterwards; the last chunk carries it. No name of `start_facts`: chunks are merged."""
    return {"cost": decision.cost, "saved": decision.saved}
