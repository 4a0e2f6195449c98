"""Requests a second that the simulator replays, over the size of the cache."""

import importlib.util
from collections.abc import Callable
from functools import partial
from statistics import median
from time import thread_time_ns
from typing import TYPE_CHECKING, Any

from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import interleave, quiet
from lecmux import Lec
from lecmux.policies import Eviction
from lecmux.sim import simulate

if TYPE_CHECKING:
    from lecmux.sim.traces import Trace

_POLICIES: dict[str, Eviction] = {"": Lec(), ", never decaying": Lec(decay=None)}
_TITLE = "Requests replayed a second"
_NOTE = (
    "In millions, on one thread, by the default policy and estimator. The public code of the paper "
    "(arXiv 2306.02003), which scans its cache on every miss, served 0.098 million a second with room for 8 "
    "answers and 0.0019 with room for 1,000, on a loaded machine of two cores."
)


def measure(quick: bool) -> Measure:
    """Times the replays of `workloads/replays.toml`."""
    plan = settings("replays", quick=quick)
    if importlib.util.find_spec("numpy") is None:
        return Measure([Table(_TITLE, ["trace"], [], "Not measured: numpy is not there.")], {})
    tasks: dict[str, Callable[[], float]] = {}
    rooms: dict[str, int] = {}
    for name, capacity, trace in _traces(plan):
        for suffix, evict in _POLICIES.items():
            tasks[name + suffix] = partial(_ns, trace, capacity, evict)
            rooms[name + suffix] = capacity
    with quiet():
        samples = interleave(tasks, plan["rounds"])
    rates = {name: 1e3 / median(times) for name, times in samples.items()}
    slowest = {
        f"replayed_millions_{capacity}": min(rates[name] for name, room in rooms.items() if room == capacity)
        for capacity in sorted(set(rooms.values()))
    }
    rows = [[name, f"{rooms[name]:,}", f"{rate:.2f}"] for name, rate in rates.items()]
    return Measure([Table(_TITLE, ["trace", "room for", "M/s"], rows, _NOTE)], slowest, {"ns": samples})


def _traces(plan: dict[str, Any]) -> list[tuple[str, int, "Trace"]]:
    from lecmux.sim.traces import many_models, synthetic  # noqa: PLC0415  needs numpy

    seed, requests = plan["seed"], plan["requests"]
    found = []
    for row in plan["published"]:
        trace = synthetic(seed, alpha=row["alpha"], ratio=row["ratio"], requests=requests)
        found.append((f"alpha {row['alpha']}, ratio {row['ratio']}", row["capacity"], trace))
    for row in plan["long_tail"]:
        trace = many_models(seed, queries=row["queries"], requests=requests, zipf=row["zipf"])
        found.append((f"{row['queries']:,} queries, 4 models", row["capacity"], trace))
    return found


def _ns(trace: "Trace", capacity: int, evict: Eviction) -> float:
    start = thread_time_ns()
    simulate(trace.queries, trace.costs, capacity=capacity, evict=evict)
    return (thread_time_ns() - start) / trace.requests
