"""Figures over seeds: how large, how sure, and how one rule differs from another on the same streams."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

__all__ = ["Summary", "difference", "ratio", "summary", "z_of_published"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Of one figure over seeds.

    Attributes:
        mean: of all seeds.
        error: standard error of the mean; 0 for a single seed.
        median: half of the seeds are below.
        low: one in twenty is below.
        high: one in twenty is above.
        seeds: how many there are.
    """

    mean: float
    error: float
    median: float
    low: float
    high: float
    seeds: int


def summary(samples: Sequence[float], scale: float = 1.0) -> Summary:
    """Of `samples`, one a seed, each times `scale`.

    Raises:
        ValueError: there is no sample.
    """
    values = sorted(scale * sample for sample in samples)
    if not values:
        raise ValueError("a summary needs at least one sample")
    error = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    low, high = (_quantile(values, share) for share in (0.05, 0.95))
    return Summary(fmean(values), error, median(values), low, high, len(values))


def difference(ours: Sequence[float], theirs: Sequence[float], scale: float = 1.0) -> Summary:
    """Of `ours` less `theirs` on the same streams, so that what the streams have in common cancels."""
    return summary([mine - other for mine, other in zip(ours, theirs, strict=True)], scale)


def ratio(above: Sequence[float], below: Sequence[float]) -> Summary:
    """Of the quotients on the same streams."""
    return summary([over / under for over, under in zip(above, below, strict=True)])


def z_of_published(published: float, ours: Summary, distinct: int) -> float:
    """How many standard errors a published mean lies from ours, if it averages `distinct` streams.

    Both means vary: theirs by the deviation over sqrt(distinct), ours by its standard error.
    """
    deviation = ours.error * math.sqrt(ours.seeds)
    both = math.hypot(deviation / math.sqrt(distinct), ours.error)
    return (published - ours.mean) / both if both else math.nan


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two nearest values, by distance."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
