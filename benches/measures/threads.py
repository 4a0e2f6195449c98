"""Hits from several threads at once: how much they get done together, and how long each hit takes."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from random import Random
from statistics import median
from threading import Barrier, Thread
from time import perf_counter_ns
from typing import Any, TypeVar

from benches.adapters import ALL, LecmuxCache, Peer
from benches.measures.filling import filled
from benches.payload import Payload, drawn, settings
from benches.report import Measure, Table, millions, nanoseconds
from benches.timing import Samples, interleave, latencies_ns, lookup_ns, percentile, quiet, ratio

OURS = LecmuxCache.name
T = TypeVar("T")


def together(work: Callable[[Sequence[str]], T], shares: Sequence[Sequence[str]]) -> tuple[int, list[T]]:
    """Runs `work` on each share in a thread of its own, all from the same moment; ns in all, and results."""
    barrier = Barrier(len(shares) + 1)
    results: list[T] = []

    def run(share: Sequence[str]) -> None:
        barrier.wait()
        results.append(work(share))

    threads = [Thread(target=run, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = perf_counter_ns()
    for thread in threads:
        thread.join()
    return perf_counter_ns() - start, results


def split(keys: list[str], parts: int) -> list[list[str]]:
    """`parts` shares of equal length."""
    size = len(keys) // parts
    return [keys[part * size : (part + 1) * size] for part in range(parts)]


def measure(quick: bool) -> Measure:
    """Times the lookups of `workloads/threads.toml`."""
    plan = settings("threads", quick=quick)
    payload, entries = Payload.load(), plan["entries"]
    random = Random(plan["seed"])
    peers = filled(ALL, payload, entries, payload.values(entries))

    def keys() -> list[str]:
        return payload.keys(drawn(random, entries, plan["lookups"]))

    def throughput(peer: Peer, threads: int) -> float:
        asked = keys()
        return together(partial(lookup_ns, peer.get), split(asked, threads))[0] / len(asked)

    spread: dict[str, list[tuple[float, float]]] = {}

    def latency(name: str, threads: int) -> float:
        work = partial(latencies_ns, peers[name].get)
        times = list(chain.from_iterable(together(work, split(keys(), threads))[1]))
        middle, late = percentile(times, 0.5), percentile(times, 0.99)
        spread.setdefault(_tag(name, threads), []).append((middle, late))
        return late / middle

    cases = [(name, threads) for name in peers for threads in plan["threads"]]
    with quiet():
        wall = interleave(
            {_tag(name, threads): partial(throughput, peers[name], threads) for name, threads in cases},
            plan["rounds"],
        )
        tails = interleave(
            {_tag(name, threads): partial(latency, name, threads) for name, threads in cases}, plan["rounds"]
        )
    clock = percentile(latencies_ns(lambda _: None, keys()), 0.5)
    figures = _figures(wall, tails, plan["threads"])
    tables = [
        _throughput(list(peers), plan["threads"], wall),
        _latency(list(peers), plan, tails, spread, clock),
    ]
    return Measure(tables, figures, {"wall_ns": wall, "p99_over_p50": tails, "p50_p99_ns": spread})


def _tag(name: str, threads: int) -> str:
    return f"{name} @{threads}"


def _figures(wall: Samples, tails: Samples, threads: list[int]) -> dict[str, float]:
    most = max(threads)
    return {
        "threads_throughput": ratio(wall, _tag(OURS, 1), _tag(OURS, most)),
        "p99_over_p50_1": median(tails[_tag(OURS, 1)]),
        "p99_over_p50_8": median(tails[_tag(OURS, most)]),
    }


def _throughput(names: list[str], threads: list[int], wall: Samples) -> Table:
    def row(name: str) -> list[str]:
        one, most = _tag(name, 1), _tag(name, max(threads))
        rates = [millions(median(wall[_tag(name, count)])) for count in threads]
        return [name, *rates, f"{ratio(wall, one, most):.2f}"]

    return Table(
        "Hits from several threads, M/s in all",
        ["cache", *(f"{count} threads" for count in threads), f"{max(threads)} against 1"],
        [row(name) for name in names],
        "The interpreter runs one thread at a time: 1.00 means that threads cost nothing.",
    )


def _latency(
    names: list[str],
    plan: dict[str, Any],
    tails: Samples,
    spread: dict[str, list[tuple[float, float]]],
    clock: float,
) -> Table:
    def cells(name: str, count: int) -> list[str]:
        tag = _tag(name, count)
        middle, late = (median(values) for values in zip(*spread[tag], strict=True))
        return [f"{nanoseconds(middle)} / {nanoseconds(late)}", f"{median(tails[tag]):.2f}"]

    counts = [1, max(plan["threads"])]
    heads = chain.from_iterable((f"p50 / p99 ns, {count} threads", "p99 / p50") for count in counts)
    return Table(
        "Time of a hit",
        ["cache", *heads],
        [[name, *chain.from_iterable(cells(name, count) for count in counts)] for name in names],
        f"Fresh keys at random over {plan['entries']:,} entries. Reading the clock and calling a function "
        f"takes {clock:.0f} ns of each.",
    )
