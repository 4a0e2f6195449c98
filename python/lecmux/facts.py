"""What an answer tells its caller of the decision behind it: plain JSON, None and empty left out."""

from typing import Any, Final

from lecmux.query import Decision

__all__ = ["end_facts", "facts", "start_facts"]

_AT_THE_END: Final = ("cost", "saved")
_AT_THE_START: Final = (
    "id", "kind", "model", "reason", "unit", "lower", "mean", "tries", "propensity", "hit_id", "age_seconds",
    "arm", "failed",
)  # fmt: skip
_BY_MODEL: Final = frozenset({"lower", "mean", "tries"})


def facts(decision: Decision) -> dict[str, Any]:
    """All of it."""
    return start_facts(decision) | end_facts(decision)


def start_facts(decision: Decision) -> dict[str, Any]:
    """What is known before the model answers; the first chunk of a stream carries it."""
    told = {name: getattr(decision, name) for name in _AT_THE_START}
    told["failed"] = list(decision.failed)
    if decision.arm == decision.model:  # the usual case, in which it says nothing new
        del told["arm"]
    return {
        name: dict(value) if name in _BY_MODEL else value
        for name, value in told.items()
        if value is not None and value not in ({}, [])
    }


def end_facts(decision: Decision) -> dict[str, Any]:
    """What is known afterwards; the last chunk carries it. No name of `start_facts`: chunks are merged."""
    return {name: getattr(decision, name) for name in _AT_THE_END}
