"""What a `LECCache` knows of money: which amounts go into the ledger, and what is kept beside an answer.

Amounts beside an answer are text of one width: a measured duration must not decide by its digits how large an
entry is, and so what is evicted.
"""

import time
from collections.abc import Mapping
from typing import Any

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


def book_hit(ledger: Ledger, key: Key, about: Mapping[str, Any], unit: Unit) -> None:
    """An answer was served; `about` is what `about_answer` said of it, where anything did."""
    saved = float(about["saved"]) if about.get("unit") == unit else 0.0
    ledger.add_hit(unit, key.scope, about.get("model"), saved, float(about.get("seconds", 0)))


def about_answer(answer: Reply, unit: Unit, cost: float | None) -> dict[str, Any]:
    """What a later hit tells of this answer."""
    about: dict[str, Any] = {"at_ms": int(time.time() * 1000), "seconds": _amount(answer.usage.seconds)}
    if answer.model:
        about["model"] = answer.model
    if cost is not None:
        about |= {"unit": unit, "saved": _amount(cost)}
    return about


def facts_from(about: Mapping[str, Any], hit_id: str) -> dict[str, Any]:
    """What is told of the hit on a stored answer: its age, its model, and what it had cost."""
    age = time.time() - about.get("at_ms", 0) / 1000
    facts: dict[str, Any] = {
        "kind": "hit",
        "reason": "exact",
        "hit_id": hit_id,
        "cost": 0.0,
        "age_seconds": age if age > 0.0 else 0.0,
    }
    if "model" in about:
        facts["model"] = about["model"]
    if "unit" in about:
        facts["unit"] = about["unit"]
    if "saved" in about:
        facts["saved"] = float(about["saved"])
    return facts


def _amount(amount: float) -> str:
    return f"{amount:017.9f}"
