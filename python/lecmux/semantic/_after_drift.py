"""What became of an order after its drift."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["SETTLING_REQUESTS", "AfterDrift", "after_drift"]

SETTLING_REQUESTS = 500
"""Within so many requests after a drift the budget should hold again."""


@dataclass(frozen=True, slots=True)
class AfterDrift:
    """Wrong hits from the drift on."""

    settling_wrong_hits: int
    """Among the first `SETTLING_REQUESTS` after it."""
    later_requests: int
    later_wrong_hits: int

    def within(self, max_error: float) -> bool:
        """Whether the requests after the settling kept within the budget, taken alone."""
        return self.later_wrong_hits <= max_error * self.later_requests


def after_drift(
    trace: Sequence[tuple[int, int | None]], classes: Sequence[int], redraw: int
) -> AfterDrift | None:
    """Counts from the trace. None: the order ended before its drift.

    Args:
        trace: The row of each request, and the row whose answer was served.
        classes: The class of each row, as a number.
        redraw: Requests before the drift; what was stored by then is right no more.
    """
    if len(trace) <= redraw:
        return None
    stale = {row for row, _ in trace[:redraw]}
    wrong = [
        served is not None and (served in stale or classes[served] != classes[row])
        for row, served in trace[redraw:]
    ]
    later = wrong[SETTLING_REQUESTS:]
    return AfterDrift(sum(wrong[:SETTLING_REQUESTS]), len(later), sum(later))
