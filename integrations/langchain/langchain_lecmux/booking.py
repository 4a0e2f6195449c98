"""What a `LECCache` knows of money: which amounts go into the ledger, and what is kept beside an answer.

Amounts beside an answer are text of one width: a measured duration must not decide by its digits how large an
entry is, and so what is evicted.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from lecmux import Reply
from lecmux.costs import Ledger
from lecmux.query import Key, Unit


def book_call(ledger: Ledger, key: Key, answer: Reply, unit: Unit, cost: float | None) -> None:
    """A model was called; `cost` is None where it could not be known."""
    ledger.add(
        unit,
        scope=key.scope,
        model=answer.model,
        kind="call",
        spent=cost or 0.0,
        unpriced=cost is None,
        seconds=answer.usage.seconds,
    )


class Told(NamedTuple):
    """What was kept beside an answer, read once.

    Attributes:
        at: seconds since 1970 when it was stored.
        model: who gave it, as the ledger has it.
        unit: of `saved`; None where it is not known.
        saved: what it had cost.
        seconds: that its call took.
        facts: what every hit on it tells.
    """

    at: float
    model: str | None
    unit: Unit | None
    saved: float
    seconds: float
    facts: dict[str, Any]


def told_by(about: Mapping[str, Any]) -> Told:
    """Reads what `about_answer` wrote, or what else was kept beside an answer."""
    facts: dict[str, Any] = {"kind": "hit", "reason": "exact", "cost": 0.0}
    if "model" in about:
        facts["model"] = about["model"]
    if "unit" in about:
        facts["unit"] = about["unit"]
    if "saved" in about:
        facts["saved"] = float(about["saved"])
    saved, seconds = facts.get("saved", 0.0), float(about.get("seconds", 0))
    return Told(about.get("at_ms", 0) / 1000, about.get("model"), about.get("unit"), saved, seconds, facts)


def book_hit(ledger: Ledger, scope: str, told: Told, unit: Unit) -> None:
    """An answer was served."""
    saved = told.saved if told.unit == unit else 0.0
    ledger.add_hit(unit, scope, told.model, saved, told.seconds)


def facts_of(told: Told, hit_id: str) -> dict[str, Any]:
    """What a hit tells: how old the answer is, its model, and what it had cost."""
    age = time.time() - told.at
    return {**told.facts, "hit_id": hit_id, "age_seconds": age if age > 0.0 else 0.0}


def about_answer(answer: Reply, unit: Unit, cost: float | None) -> dict[str, Any]:
    """What a later hit tells of this answer."""
    about: dict[str, Any] = {"at_ms": int(time.time() * 1000), "seconds": _amount(answer.usage.seconds)}
    if answer.model:
        about["model"] = answer.model
    if cost is not None:
        about |= {"unit": unit, "saved": _amount(cost)}
    return about


def _amount(amount: float) -> str:
    return f"{amount:017.9f}"
