"""What `lecmux evaluate semantic` prints."""

from collections.abc import Iterator
from dataclasses import asdict
from statistics import fmean
from typing import Any

from lecmux.semantic import StreamEvaluation
from lecmux.semantic._after_drift import SETTLING_REQUESTS

__all__ = ["figures", "lines"]


def figures(found: StreamEvaluation, name: str) -> dict[str, Any]:
    """The object that `--json` prints."""
    told = (
        "seed", "requests", "hits", "wrong_hits", "audits", "embed_calls", "hindsight_hits",
        "hindsight_threshold", "first_hit", "drifts", "interval_held",
    )  # fmt: skip
    return {
        "file": name,
        "max_error": found.max_error,
        "answers_hidden": found.answers_hidden,
        "contradictions_refused": found.contradictions_refused,
        "embedder": found.embedder,
        "hit_rate": found.hit_rate,
        "wrong_rate": found.wrong_rate,
        "orders_within_budget": found.within_budget,
        "orders": [
            {key: getattr(order, key) for key in told}
            | {"live_rate": asdict(order.live_rate)}
            | {"after_drift": order.after_drift and asdict(order.after_drift)}
            for order in found.orders
        ],
    }


def lines(found: StreamEvaluation, name: str) -> Iterator[str]:
    """What is printed without `--json`."""
    orders = found.orders
    last = orders[-1].live_rate
    best = fmean(order.hindsight_hits / order.requests for order in orders)
    first = [order.first_hit for order in orders if order.first_hit]
    yield f"{name}: {len(orders)} orders of {orders[0].requests} requests, max_error {found.max_error}"
    yield f"hits {found.hit_rate:.2%}, wrong hits {found.wrong_rate:.3%} of all requests"
    yield f"within the budget: {found.within_budget} of {len(orders)} orders"
    if first:
        yield f"first hit: at request {fmean(first):.0f} on average, in {len(first)} of {len(orders)} orders"
    yield f"what the last order's audits told: {last.estimate:.2%}, within {last.low:.2%} and {last.high:.2%}"
    held = sum(order.interval_held for order in orders)
    yield f"this interval held the truth all the way in {held} of {len(orders)} orders"
    yield f"best static threshold of each order, in hindsight: {best:.2%}"
    yield from _drift_lines(found)


def _drift_lines(found: StreamEvaluation) -> Iterator[str]:
    after = [order.after_drift for order in found.orders if order.after_drift]
    if not after:
        return
    seen = sum(order.drifts > 0 for order in found.orders)
    wrong = fmean(each.settling_wrong_hits for each in after)
    within = sum(each.within(found.max_error) for each in after)
    yield f"drift: found in {seen} of {len(after)} orders"
    yield f"wrong hits in the {SETTLING_REQUESTS} requests after: {wrong:.1f}"
    yield f"from then on within the budget: {within} of {len(after)} orders"
