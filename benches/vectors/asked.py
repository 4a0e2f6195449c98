"""What an index is asked, and how long it takes: processor time, of all threads."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benches.vectors.data import Rows
from benches.vectors.peers import Peer


def seconds(work: Callable[[], object]) -> float:
    """Of `work`."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


def search_ns(index: Peer, queries: Rows) -> float:
    """Of a search."""
    return seconds(lambda: [index.nearest(query) for query in queries]) * 1e9 / len(queries)


def recall(index: Peer, queries: Rows, truth: NDArray[np.int64]) -> float:
    """Share of the queries whose nearest it finds."""
    return float(np.mean([index.nearest(query) == best for query, best in zip(queries, truth, strict=True)]))


def tuned(index: Peer, queries: Rows, truth: NDArray[np.int64], wanted: float) -> tuple[int, float]:
    """The least effort that reaches the recall `wanted`, else the greatest; and its recall."""
    value, found = 0, 0.0
    for value in index.efforts:
        index.effort(value)
        found = recall(index, queries, truth)
        if found >= wanted:
            break
    return value, found
