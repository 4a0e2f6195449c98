"""Hits and misses on one thread, from a thousand to a million entries."""

from functools import partial
from random import Random
from statistics import median
from typing import Any

from benches.adapters import ALL, LARGE, BuiltinDict, CacheboxLru, LecmuxCache, Peer
from benches.measures.filling import filled, held
from benches.payload import Payload, drawn, settings
from benches.report import Measure, Table, millions, nanoseconds
from benches.timing import Samples, interleave, lookup_ns, quiet, ratio

OURS, DICT, LRU = LecmuxCache.name, BuiltinDict.name, CacheboxLru.name
_FLOOR = "(the loop and a C call)"


def measure(quick: bool) -> Measure:
    """Times the lookups of `workloads/lookups.toml`."""
    plan = settings("lookups", quick=quick)
    payload = Payload.load()
    tables: list[Table] = []
    figures: dict[str, float] = {}
    samples: dict[str, Any] = {}
    for entries in plan["sizes"]:
        hits, misses, found = _at(entries, plan, payload)
        tables.append(_table(entries, hits, misses, found))
        figures[f"hit_vs_cachebox_lru_{entries}"] = ratio(hits, LRU, OURS)
        figures[f"hit_vs_dict_{entries}"] = ratio(hits, DICT, OURS)
        samples[str(entries)] = {"hit_ns": hits, "miss_ns": misses}
    tables.append(_growth(plan["sizes"], samples, figures))
    return Measure(tables, figures, samples)


def _at(entries: int, plan: dict[str, Any], payload: Payload) -> tuple[Samples, Samples, dict[str, float]]:
    random = Random(plan["seed"])
    kinds = ALL if entries < plan["large"] else LARGE
    peers = filled(kinds, payload, entries, payload.values(entries))

    def lookups(peer: Peer | None, first: int) -> float:
        keys = payload.keys(drawn(random, entries, plan["lookups"], first=first))
        return lookup_ns(peer.get if peer else len, keys)

    found = {name: held(peer, payload.keys(range(0, entries, 97))) for name, peer in peers.items()}
    with quiet():
        timed: dict[str, Peer | None] = {_FLOOR: None, **peers}
        hits = interleave({name: partial(lookups, peer, 0) for name, peer in timed.items()}, plan["rounds"])
        misses = interleave(
            {name: partial(lookups, peer, entries) for name, peer in peers.items()}, plan["rounds"]
        )
    return hits, misses, found


def _table(entries: int, hits: Samples, misses: Samples, found: dict[str, float]) -> Table:
    def row(name: str) -> list[str]:
        hit = median(hits[name])
        if name not in misses:
            return [name, nanoseconds(hit), "", "", "", "", ""]
        miss = median(misses[name])
        faster, share = f"{ratio(hits, name, OURS):.2f}x", f"{found[name]:.1%}"
        return [name, nanoseconds(hit), millions(hit), faster, nanoseconds(miss), millions(miss), share]

    return Table(
        f"Hit and miss, {entries:,} entries, one thread",
        ["cache", "hit ns", "hit M/s", "lecmux is", "miss ns", "miss M/s", "held"],
        [row(name) for name in sorted(hits, key=lambda name: median(hits[name]))],
        '"lecmux is": as many times as fast on a hit. "held": share of the entries put that are there.',
    )


def _growth(sizes: list[int], samples: dict[str, Any], figures: dict[str, float]) -> Table:
    """How the cost of a hit grows with the number of entries, over dict's own growth."""

    def hit(name: str, entries: int) -> float:
        timed: Samples = samples[str(entries)]["hit_ns"]
        return median(timed[name])

    names = [kind.name for kind in LARGE]
    growth = {name: [hit(name, entries) / hit(name, sizes[0]) for entries in sizes] for name in names}
    figures["growth_over_dict"] = growth[OURS][-1] / growth[DICT][-1]
    rows = [
        [name, *(f"{step:.2f}" for step in steps), f"{steps[-1] / growth[DICT][-1]:.2f}"]
        for name, steps in growth.items()
    ]
    return Table(
        f"Cost of a hit, over that at {sizes[0]:,} entries",
        ["cache", *(f"{entries:,}" for entries in sizes), "over dict's growth"],
        rows,
    )
