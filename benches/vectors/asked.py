"""What is asked of every index: how long something takes, and how much of the truth it finds."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benches.vectors.data import Rows
from benches.vectors.peers import Peer


def seconds(work: Callable[[], object]) -> float:
    """Of `work`, in processor time of all threads."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


def recall(index: Peer, queries: Rows, truth: NDArray[np.int64]) -> float:
    """Share of the queries whose nearest it finds."""
    return float(np.mean([index.nearest(query) == best for query, best in zip(queries, truth, strict=True)]))
