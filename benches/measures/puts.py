"""Puts into a full cache: those that store and let another entry go, and those that are declined."""

from functools import partial
from itertools import count
from random import Random
from statistics import median
from time import thread_time_ns
from typing import Any

from benches.adapters import ALL, LARGE, BuiltinDict, CacheboxLfu, LecmuxCache, LecmuxCore, Peer
from benches.measures.filling import held
from benches.payload import Payload, settings
from benches.report import Measure, Table, millions, nanoseconds
from benches.timing import Samples, interleave, quiet, ratio

OURS, CORE, DICT, LFU = LecmuxCache.name, LecmuxCore.name, BuiltinDict.name, CacheboxLfu.name
_COUNTERS = ("stored", "evicted", "bypassed")


class _Bench:
    """One full cache, and the puts that go on where the last ones ended."""

    def __init__(self, kind: type[Peer], entries: int, plan: dict[str, Any], values: list[str]) -> None:
        self.peer = kind(entries)
        self._plan, self._values, self._payload = plan, values, Payload.load()
        self._random = Random(plan["seed"])
        self._number = count()
        self.counted = dict.fromkeys(_COUNTERS, 0)
        for _ in range(int(entries * plan["overfill"]) // plan["puts"] + 1):
            self.stored()

    def stored(self) -> float:
        """Time of a put in ns: new entries, each dearer than all before."""
        return self._timed(*self._batch())

    def stored_after_miss(self) -> float:
        """The same for keys that were just asked for in vain; the put alone is timed."""
        keys, costs = self._batch()
        for key in keys:
            self.peer.get(key)
        return self._timed(keys, costs)

    def declined(self) -> float:
        """Time of a put in ns: new entries that are worth next to nothing."""
        keys, costs = self._batch()
        return self._timed(keys, [self._plan["declined_cost"]] * len(costs))

    def kept(self) -> float:
        """Share of the newcomers of one more batch that are there afterwards."""
        keys, costs = self._batch()
        self._timed(keys, costs)
        return held(self.peer, keys[-len(self.peer) // 2 :])

    def counting(self) -> dict[str, int]:
        """The counters of our own cache since the last call."""
        if not isinstance(self.peer, LecmuxCache):
            return {}
        stats = self.peer.cache.stats()
        now = {name: getattr(stats, name) for name in _COUNTERS}
        since = {name: now[name] - self.counted[name] for name in _COUNTERS}
        self.counted = now
        return since

    def _batch(self) -> tuple[list[str], list[float]]:
        plan = self._plan
        numbers = [next(self._number) for _ in range(plan["puts"])]
        rising = (plan["first"] + plan["rise"] * number for number in numbers)
        costs = [cost * (1 + plan["jitter"] * self._random.random()) for cost in rising]
        return self._payload.keys(numbers), costs

    def _timed(self, keys: list[str], costs: list[float]) -> float:
        start = thread_time_ns()
        self.peer.put_all(keys, self._values, costs)
        return (thread_time_ns() - start) / len(keys)


def measure(quick: bool) -> Measure:
    """Times the puts of `workloads/puts.toml`."""
    plan = settings("puts", quick=quick)
    values = Payload.load().values(plan["puts"])
    tables: list[Table] = []
    figures: dict[str, float] = {}
    samples: dict[str, Any] = {}
    for entries in plan["sizes"]:
        kinds: list[type[Peer]] = [*(ALL if entries < plan["large"] else LARGE), LecmuxCore]
        benches = {kind.name: _Bench(kind, entries, plan, values) for kind in kinds}
        at = samples[str(entries)] = _timed(benches, plan["rounds"], figures, entries)
        tables += [_table(entries, at), _declined(entries, at)]
    return Measure(tables, figures, samples)


def _timed(
    benches: dict[str, _Bench], rounds: int, figures: dict[str, float], entries: int
) -> dict[str, Any]:
    ours = benches[OURS]
    with quiet():
        ours.counting()
        new = interleave({name: bench.stored for name, bench in benches.items()}, rounds)
        counted = ours.counting()
        asked = interleave({name: bench.stored_after_miss for name, bench in benches.items()}, rounds)
        kept = {name: bench.kept() for name, bench in benches.items()}
        ours.counting()
        declining = {name: partial(benches[name].declined) for name in (OURS, CORE)}
        declined = interleave(declining, rounds)
        refused = ours.counting()
    figures[f"put_vs_cachebox_lfu_{entries}"] = ratio(new, LFU, OURS)
    figures[f"put_after_miss_vs_cachebox_lfu_{entries}"] = ratio(asked, LFU, OURS)
    puts = sum(counted[name] for name in ("stored", "bypassed"))
    figures[f"put_evicting_share_{entries}"] = counted["evicted"] / puts
    return {
        "new_ns": new,
        "after_miss_ns": asked,
        "kept": kept,
        "declined_ns": declined,
        "counted": counted,
        "counted_when_declining": refused,
    }


def _table(entries: int, at: dict[str, Any]) -> Table:
    new: Samples = at["new_ns"]
    asked: Samples = at["after_miss_ns"]

    def row(name: str) -> list[str]:
        kept = "all, unbounded" if name == DICT else f"{at['kept'][name]:.0%}"
        times, later = median(new[name]), median(asked[name])
        faster = [f"{ratio(samples, name, OURS):.2f}x" for samples in (new, asked)]
        return [name, nanoseconds(times), millions(times), faster[0], nanoseconds(later), faster[1], kept]

    counted = at["counted"]
    return Table(
        f"Put with eviction, {entries:,} entries, one thread",
        ["cache", "put ns", "put M/s", "lecmux is", "put after its miss ns", "lecmux is", "kept"],
        [row(name) for name in sorted(new, key=lambda name: median(new[name]))],
        f"Each newcomer is dearer than all before it. Of lecmux's timed puts {counted['stored']:,} stored, "
        f"{counted['evicted']:,} entries left for them, {counted['bypassed']:,} were declined. "
        '"kept": share of the newcomers that are there after a batch; the others were declined or let go '
        "again, which is cheaper than storing them.",
    )


def _declined(entries: int, at: dict[str, Any]) -> Table:
    declined: Samples = at["declined_ns"]
    counted = at["counted_when_declining"]
    return Table(
        f"Puts that are declined, {entries:,} entries, one thread",
        ["cache", "put ns", "put M/s"],
        [[name, nanoseconds(median(ns)), millions(median(ns))] for name, ns in declined.items()],
        f"Newcomers worth less than every resident: {counted['bypassed']:,} declined, {counted['stored']:,} "
        "stored. Not part of the table above.",
    )
