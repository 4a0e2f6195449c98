"""Interleaved timing: each competitor once a round, in rotating order, medians over the rounds.

Whatever else the machine does meanwhile falls on all of them alike; a ratio is the median of the ratios
within the rounds, so a slow phase of the machine cancels out of it. Work on one thread is timed by that
thread's own clock, which stands still while another process has the core: a slower competitor would be
interrupted more often. Times of single lookups, and of several threads together, are by the wall.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter_ns, thread_time_ns

Samples = dict[str, list[float]]


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the garbage collector out of a measure."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def interleave(tasks: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """Calls each task once a round and keeps what it returns; round by round another one is first."""
    names = list(tasks)
    samples: Samples = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(tasks[name]())
    return samples


def ratio(samples: Mapping[str, Sequence[float]], over: str, under: str) -> float:
    """Median of `over` / `under` within the rounds."""
    return median(a / b for a, b in zip(samples[over], samples[under], strict=True))


def lookup_ns(get: Callable[[str], object], keys: Sequence[str]) -> float:
    """Time of a lookup in ns, the loop included."""
    start = thread_time_ns()
    for key in keys:
        get(key)
    return (thread_time_ns() - start) / len(keys)


def latencies_ns(get: Callable[[str], object], keys: Sequence[str]) -> list[int]:
    """Time of each lookup in ns, the clock's own reading included."""
    clock = perf_counter_ns
    times: list[int] = []
    note = times.append
    for key in keys:
        start = clock()
        get(key)
        note(clock() - start)
    return times


def percentile(times: Sequence[float], share: float) -> float:
    """The value that `share` of `times` do not exceed."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
