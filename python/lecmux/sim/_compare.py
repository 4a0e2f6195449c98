"""Policies, models and bounds on one log, at one capacity."""

import os
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lecmux.errors import ConfigError
from lecmux.policies import Eviction, Gdsf, Lec, Lfu, Lru, S3Fifo
from lecmux.sim._optimum import lower_bound, optimum
from lecmux.sim._simulate import simulate

if TYPE_CHECKING:
    from lecmux.sim.traces import Log, Trace

__all__ = [
    "NO_CACHE",
    "POLICIES",
    "ROUTER",
    "Outcome",
    "asked",
    "bounds",
    "compare",
    "in_parallel",
    "replayed",
]

ROUTER = "router"
NO_CACHE = "no cache"
POLICIES: Mapping[str, Eviction] = {
    "Lec": Lec(),
    "Gdsf": Gdsf(),
    "Lfu": Lfu(),
    "Lru": Lru(),
    "S3Fifo": S3Fifo(),
}
_MOST_FLOW = 200_000_000
"""Requests x capacity up to which the best schedule is found exactly, in some 20 seconds."""

_Name = TypeVar("_Name", bound=Hashable)
_Found = TypeVar("_Found")
Progress = Callable[[int, int], None]
Table = dict[str, dict[str, "Outcome"]]
"""By policy or bound, then by model."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a log cost, in its unit, and how many requests were hits; None where a bound leaves that open."""

    cost: float
    hits: int | None = None


def compare(log: "Log", capacity: int, *, seed: int, progress: Progress) -> Table:
    """Each policy, after no cache, with each model alone and with the router."""
    tasks = {
        (name, model): partial(replayed, log.trace, capacity, evict=evict, arm=arm, seed=seed)
        for name, evict in {NO_CACHE: None, **POLICIES}.items()
        for model, arm in _callable(log).items()
    }
    return _table(in_parallel(tasks, progress))


def bounds(log: "Log", capacity: int) -> Table:
    """What hindsight would have paid, with each model alone and with the cheapest for each request.

    A fixed set that is too hard to find is left out.
    """
    tasks: dict[tuple[str, str], Callable[[], Outcome | None]] = {}
    for model, arm in _callable(log).items():
        tasks["best fixed set", model] = partial(_fixed_set, log.trace, capacity, arm)
        name = "best schedule" if _exact(log.trace, capacity) else "below any schedule"
        tasks[name, model] = partial(_schedule, log.trace, capacity, arm)
    return _table(in_parallel(tasks))


def replayed(trace: "Trace", capacity: int, *, evict: Eviction | None, arm: int | None, seed: int) -> Outcome:
    """A policy and a model on a log; no policy, no cache."""
    requests = asked(trace, None)
    if evict is None:  # answers larger than the cache are never held
        evict, capacity, requests["sizes"] = Lru(), 1, [2] * trace.requests
    run = simulate(**requests, capacity=capacity, evict=evict, arm=arm, seed=seed)
    return Outcome(run.total_cost, run.hits)


def asked(trace: "Trace", arm: int | None) -> dict[str, Any]:
    """A trace as arguments; of one model's costs where `arm` names it."""
    costs = trace.costs if arm is None else trace.costs[:, arm]
    return {"queries": trace.queries, "costs": costs, "sizes": trace.sizes}


def in_parallel(
    tasks: Mapping[_Name, Callable[[], _Found]], progress: Progress = lambda done, total: None
) -> dict[_Name, _Found]:
    """What each task finds, in their order. Replays release the interpreter: threads use all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {name: pool.submit(task) for name, task in tasks.items()}
        try:
            for done, finished in enumerate(as_completed(running.values()), start=1):
                finished.result()
                progress(done, len(running))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return {name: task.result() for name, task in running.items()}


def _callable(log: "Log") -> dict[str, int | None]:
    """Each model alone, and the router where there are several to choose from."""
    alone: dict[str, int | None] = {name: place for place, name in enumerate(log.models)}
    if len(alone) == 1:
        return alone
    if ROUTER in alone:
        raise ConfigError(
            f"a model cannot be called {ROUTER!r} here: that is the column of all models together"
        )
    return {**alone, ROUTER: None}


def _fixed_set(trace: "Trace", capacity: int, arm: int | None) -> Outcome | None:
    try:
        return Outcome(optimum(**asked(trace, arm), capacity=capacity, kind="static_cold"))
    except ConfigError:  # the trace was read and checked, so that only the knapsack can be at fault
        return None


def _schedule(trace: "Trace", capacity: int, arm: int | None) -> Outcome:
    if _exact(trace, capacity):
        return Outcome(optimum(**asked(trace, arm), capacity=capacity, kind="dynamic"))
    return Outcome(lower_bound(**asked(trace, arm), capacity=capacity))


def _exact(trace: "Trace", capacity: int) -> bool:
    """Whether the best schedule can be found, and soon."""
    size = 1 if trace.sizes is None else int(trace.sizes.min())
    if trace.sizes is not None and size != int(trace.sizes.max()):
        return False
    queries = int(trace.queries.max()) + 1
    return trace.requests * min(capacity // size, queries) <= _MOST_FLOW


def _table(found: Mapping[tuple[str, str], Outcome | None]) -> Table:
    table: Table = {}
    for (name, model), outcome in found.items():
        row = table.setdefault(name, {})
        if outcome is not None:
            row[model] = outcome
    return table
