"""How long an index takes to find a given share of the nearest: between two efforts, by interpolation."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benches.timing import Samples, interleave, quiet
from benches.vectors.data import Data, Rows
from benches.vectors.peers import Peer


@dataclass(frozen=True, slots=True)
class Sweep:
    """The recall of an index at the efforts that were tried, from little to much.

    Attributes:
        recalls: by effort.
        best: of `recalls`.
    """

    recalls: Mapping[int, float]

    @property
    def best(self) -> float:
        """The highest recall."""
        return max(self.recalls.values())

    def around(self, recall: float) -> tuple[int, ...]:
        """The efforts just below and just above `recall`; one where the least meets it, else none."""
        enough = next((effort for effort, found in self.recalls.items() if found >= recall), None)
        if enough is None:
            return ()
        less = [effort for effort in self.recalls if effort < enough]
        return (*less[-1:], enough)

    def between(self, recall: float, ns: Mapping[int, float]) -> float:
        """The time at `recall` by those at the efforts around it: its logarithm on a line over the recall."""
        *below, above = self.around(recall)
        if not below or self.recalls[above] <= self.recalls[below[0]]:
            return ns[above]
        low, high = self.recalls[below[0]], self.recalls[above]
        share = (recall - low) / (high - low)
        return math.exp((1 - share) * math.log(ns[below[0]]) + share * math.log(ns[above]))


def recall(index: Peer, queries: Rows, truth: NDArray[np.int64]) -> float:
    """Share of the queries whose nearest vector is found."""
    return float(np.mean([index.nearest(query) == best for query, best in zip(queries, truth, strict=True)]))


def swept(index: Peer, data: Data, truth: NDArray[np.int64], most: float) -> Sweep:
    """Tries efforts until one finds the share `most`."""
    recalls: dict[int, float] = {}
    for effort in index.efforts:
        index.effort(effort)
        recalls[effort] = recall(index, data.queries, truth)
        if recalls[effort] >= most:
            break
    return Sweep(recalls)


def search_ns(index: Peer, queries: Sequence[Rows]) -> float:
    """Processor time of a search."""
    start = time.process_time_ns()
    for query in queries:
        index.nearest(query)
    return (time.process_time_ns() - start) / len(queries)


def timed(
    indexes: Mapping[str, Peer],
    sweeps: Mapping[str, Sweep],
    recalls: Sequence[float],
    queries: Sequence[Rows],
    rounds: int,
) -> Samples:
    """Times of each index at the efforts around `recalls`, round by round, as `name @ effort`."""

    def at(name: str, effort: int) -> float:
        indexes[name].effort(effort)
        return search_ns(indexes[name], queries)

    tasks = {
        f"{name} @ {effort}": lambda name=name, effort=effort: at(name, effort)
        for name, sweep in sweeps.items()
        for effort in sorted({effort for share in recalls for effort in sweep.around(share)})
    }
    with quiet():
        return interleave(tasks, rounds)


def ns_at(name: str, sweep: Sweep, recall: float, samples: Samples) -> list[float]:
    """Time of a search of `name` at `recall`, a number a round; none where it never gets there."""
    efforts = sweep.around(recall)
    if not efforts:
        return []
    columns = [samples[f"{name} @ {effort}"] for effort in efforts]
    return [sweep.between(recall, dict(zip(efforts, row, strict=True))) for row in zip(*columns, strict=True)]


def times_as_fast(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of their time over ours within the rounds."""
    return median(their / our for their, our in zip(theirs, ours, strict=True))
