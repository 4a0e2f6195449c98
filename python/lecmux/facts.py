"""What an answer tells its caller of the decision behind it: plain JSON, None and empty left out."""

from typing import Any, Final

from lecmux.query import Decision

__all__ = ["end_facts", "facts", "start_facts"]

_BY_MODEL: Final = ("lower", "mean", "tries", "prior")
_OF_HITS: Final = ("hit_id", "age_seconds", "similarity", "risk")


def facts(decision: Decision) -> dict[str, Any]:
    """All of it."""
    return start_facts(decision) | end_facts(decision)


def start_facts(decision: Decision) -> dict[str, Any]:
    """What is known before the model answers; the first chunk of a stream carries it."""
    told: dict[str, Any] = {"id": decision.id, "kind": decision.kind}
    if decision.model is not None:
        told["model"] = decision.model
    told["reason"] = decision.reason
    told["unit"] = decision.unit
    for name in _BY_MODEL:
        if known := getattr(decision, name):
            told[name] = dict(known)
    told["propensity"] = decision.propensity
    for name in _OF_HITS:
        if (value := getattr(decision, name)) is not None:
            told[name] = value
    if decision.arm not in (None, decision.model):  # usually it says nothing new
        told["arm"] = decision.arm
    if decision.failed:
        told["failed"] = list(decision.failed)
    if decision.degraded:
        told["degraded"] = True
    return told


def end_facts(decision: Decision) -> dict[str, Any]:
    """What is known afterwards; the last chunk carries it. No name of `start_facts`: chunks are merged."""
    return {"cost": decision.cost, "saved": decision.saved}
