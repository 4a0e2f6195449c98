"""What the caches save when they are used: each serves the same requests, and a miss is put at its cost.

Unlike the replay, where counts of keys that left have all the memory they want, lecmux keeps them here within
its byte budget, and that with its table and keys inside the memory that the others have for values alone.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random
from statistics import mean
from typing import Any

from benches.adapters import ALL, BuiltinDict, LecmuxCache, Peer
from benches.payload import Payload, settings
from benches.report import Measure, Table

OURS = LecmuxCache.name
STILL, DRIFTING = "still", "drifting"


def measure(quick: bool) -> Measure:
    """Serves the streams of `workloads/live.toml`."""
    plan = settings("live", quick=quick)
    kinds = [kind for kind in ALL if kind is not BuiltinDict and "LangChain" not in kind.name]
    saved: dict[str, dict[str, list[float]]] = {STILL: {}, DRIFTING: {}}
    for seed in range(plan["seed"], plan["seed"] + plan["streams"]):
        for name, shares in saved.items():
            numbers, costs = _stream(plan, seed, drifting=name == DRIFTING)
            for kind in kinds:
                entries = plan["entries"]
                peer: Peer = LecmuxCache(entries, spare=1.0) if kind is LecmuxCache else kind(entries)
                shares.setdefault(kind.name, []).append(_serve(peer, numbers, costs))
    figures = {f"live_saved_{name}": mean(shares[OURS]) for name, shares in saved.items()}
    return Measure([_table(plan, [kind.name for kind in kinds], saved)], figures, saved)


def _stream(plan: dict[str, Any], seed: int, *, drifting: bool) -> tuple[list[int], list[float]]:
    """The question of each request, and the cost of each question."""
    random = Random(seed)
    universe, requests = plan["universe"], plan["requests"]
    shares = list(accumulate((rank + 1) ** -plan["zipf"] for rank in range(universe)))
    ranks = random.choices(range(universe), cum_weights=shares, k=requests)
    costs = [random.lognormvariate(0.0, 1.0) for _ in range(universe)]
    holders = list(range(universe))
    random.shuffle(holders)
    numbers: list[int] = []
    part = requests // (plan["drifts"] + 1) + 1
    for first in range(0, requests, part):
        if drifting and first:
            _deal_anew(holders, plan["drift_share"], random)
        numbers += [holders[rank] for rank in ranks[first : first + part]]
    return numbers, costs


def _deal_anew(holders: list[int], share: float, random: Random) -> None:
    """Shuffles the holders of a random share of the ranks."""
    moved = [rank for rank in range(len(holders)) if random.random() < share]
    dealt = [holders[rank] for rank in moved]
    random.shuffle(dealt)
    for rank, holder in zip(moved, dealt, strict=True):
        holders[rank] = holder


def _serve(peer: Peer, numbers: Iterable[int], costs: Sequence[float]) -> float:
    """Share of the cost of all requests that hits saved."""
    payload = Payload.load()
    value = [payload.value(0)]
    saved = total = 0.0
    for number in numbers:
        key, cost = payload.key(number), costs[number]
        total += cost
        if peer.get(key) == peer.miss:
            peer.put_all([key], value, [cost])
        else:
            saved += cost
    return saved / total


def _table(plan: dict[str, Any], names: list[str], saved: dict[str, dict[str, list[float]]]) -> Table:
    def cells(name: str) -> list[str]:
        return [
            cell
            for shares in saved.values()
            for cell in (f"{mean(shares[name]):.3f}", f"{mean(shares[OURS]) / mean(shares[name]):.2f}x")
        ]

    return Table(
        f"Cost saved by the caches themselves, {plan['requests']:,} requests, Zipf {plan['zipf']}, "
        f"room for {plan['entries']:,} of {plan['universe']:,}",
        ["cache", "still", "lecmux saves", "drifting", "lecmux saves"],
        [[name, *cells(name)] for name in sorted(names, key=lambda name: -mean(saved[STILL][name]))],
        "Share of the cost of all requests. lecmux has a byte budget for that many entries and pays from it "
        "for its tables and for the counts of keys that left; the others hold that many entries and pay for "
        "nothing else.",
    )
