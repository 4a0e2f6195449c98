"""What lecmux adds to a call that goes through a framework anyway, over models that answer at once.

A hit can add less than nothing: it spares the framework its own work on the model's answer.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import sub
from statistics import median
from time import thread_time_ns

from benches.frameworks import langchain, llama_index, plain
from benches.frameworks.langchain import COPY, LISTENERS, MEMORY, OURS
from benches.frameworks.questions import HIT, MISS, Tasks
from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import Samples, interleave, quiet, ratio

_WARM = 3


def measure(quick: bool) -> Measure:
    """Times the calls of `workloads/floor.toml`."""
    plan = settings("floor", quick=quick)
    with _hushed():
        chain = _timed(langchain.calls(), plan["calls"], plan["rounds"])
        index = _timed(llama_index.calls(), plan["calls"], plan["rounds"])
        lookups = _timed(langchain.lookups(), plan["lookups"], plan["rounds"])
        alone = _timed(plain.calls(), plan["lookups"], plan["rounds"])
    figures = {
        **_added(langchain.ROUTER, langchain.BARE, chain),
        **_added(llama_index.ROUTER, llama_index.BARE, index),
        "lookup_beyond_copy_us": median(map(sub, lookups[OURS], lookups[COPY])) / 1e3,
        **{f"{name} us": median(times) / 1e3 for name, times in alone.items()},
    }
    tables = [
        _table("LangChain", langchain.BARE, chain),
        _table("LlamaIndex", llama_index.BARE, index),
        _lookups(lookups),
        _alone(alone),
    ]
    samples = {"langchain": chain, "llama_index": index, "lookups": lookups, "alone": alone}
    return Measure(tables, figures, samples)


@contextmanager
def _hushed() -> Iterator[None]:
    """Nobody needs to read what the caches have to say about these models."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _timed(tasks: Tasks, calls: int, rounds: int) -> Samples:
    """Nanoseconds a call."""

    def timed(task: Callable[[], object]) -> float:
        started = thread_time_ns()
        for _ in range(calls):
            task()
        return (thread_time_ns() - started) / calls

    for task in tasks.values():
        for _ in range(_WARM):
            task()
    with quiet():
        return interleave({name: partial(timed, task) for name, task in tasks.items()}, rounds)


def _added(router: str, bare: str, times: Samples) -> dict[str, float]:
    """What the router adds, as a share of the bare model's own time with the same listeners."""
    return {
        f"{router}{listeners}{kind} adds": ratio(times, router + listeners + kind, bare + listeners) - 1.0
        for listeners in LISTENERS
        for kind in (HIT, MISS)
        if router + listeners + kind in times
    }


def _table(framework: str, bare: str, times: Samples) -> Table:
    def row(name: str) -> list[str]:
        listeners = next(each for each in reversed(LISTENERS) if each in name)
        us, base = median(times[name]) / 1e3, bare + listeners
        cells = [name, f"{us:.1f}"]
        if name == base:
            return [*cells, "", "", ""]
        added = median(map(sub, times[name], times[base])) / 1e3
        cells += [f"{added:+.1f}", f"{ratio(times, name, base) - 1.0:+.0%}"]
        like = MEMORY + listeners + (HIT if name.endswith(HIT) else MISS)
        return [*cells, f"{ratio(times, name, like):.2f}x" if like in times else ""]

    return Table(
        f"A call through {framework}",
        ["call", "us", "adds us", "adds", f"against {MEMORY}"],
        [row(name) for name in times],
        'CPU time over models that answer at once. "adds": beyond the bare model with the same listeners. '
        "A hit asks the same question again, a miss a new one, which is then stored.",
    )


def _lookups(times: Samples) -> Table:
    return Table(
        "LangChain's lookup on a hit",
        ["cache", "us", f"against {MEMORY}"],
        [[name, f"{median(times[name]) / 1e3:.2f}", f"{ratio(times, name, MEMORY):.1f}x"] for name in times],
        f"The key is a new str each time, as LangChain makes it. {MEMORY} hands out the very message that it "
        f"was given; {OURS} a copy.",
    )


def _alone(times: Samples) -> Table:
    return Table(
        "An answer without a framework",
        ["call", "us"],
        [[name, f"{median(found) / 1e3:.1f}"] for name, found in times.items()],
    )
