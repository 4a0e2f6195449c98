"""Bytes an entry, measured from outside: what the resident set grows by, less the keys and values themselves.

Each cache is filled in a process of its own: `python -m benches.measures.memory NAME ENTRIES`.
"""

import gc
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benches.adapters import ALL, BuiltinDict, LecmuxCache, by_name
from benches.payload import Payload, settings
from benches.report import Measure, Table

_STATUS = Path("/proc/self/statm")
_CHUNK = 100
_PAYLOAD = "payload"
"""Instead of a cache: two lists of known length that hold the same keys and values."""


def measure(quick: bool) -> Measure:
    """Fills each cache at the sizes of `workloads/memory.toml`."""
    plan = settings("memory", quick=quick)
    sizes = [plan["entries"]] if quick else [plan["entries"], plan["more_entries"]]
    grown: dict[str, dict[str, Any]] = {}
    for entries in sizes:
        for name in (_PAYLOAD, *(kind.name for kind in ALL)):
            grown.setdefault(name, {})[str(entries)] = _in_a_process(name, entries)
    figures = {
        f"{what}_bytes_{entries}": _overhead(grown, LecmuxCache.name, str(entries), key)
        for entries in sizes
        for what, key in (("filled", "filled"), ("churned", "churned"))
    }
    ours = [grown[LecmuxCache.name][str(entries)] for entries in sizes]
    figures["own_structure_bytes"] = max(run["structure"] for run in ours)
    figures["most_bytes"] = max(figures.values())
    return Measure([_table(sizes, grown), _own(sizes, ours)], figures, grown)


def _overhead(grown: dict[str, dict[str, Any]], name: str, entries: str, when: str) -> float:
    """Bytes an entry beyond key and value."""
    return float(grown[name][entries][when] - grown[_PAYLOAD][entries]["filled"])


def _table(sizes: list[int], grown: dict[str, dict[str, Any]]) -> Table:
    def cells(name: str, entries: str) -> list[str]:
        churned = "" if name == BuiltinDict.name else f"{_overhead(grown, name, entries, 'churned'):.0f}"
        return [f"{_overhead(grown, name, entries, 'filled'):.0f}", churned]

    heads = [
        head for entries in sizes for head in (f"{entries:,} filled", f"{entries:,} after two turnovers")
    ]
    names = [kind.name for kind in ALL]
    return Table(
        "Bytes an entry beyond key and value",
        ["cache", *heads],
        [[name, *(cell for entries in sizes for cell in cells(name, str(entries)))] for name in names],
        f"Growth of the resident set over {grown[_PAYLOAD][str(sizes[0])]['filled']:.0f} bytes an entry for "
        "the same str objects in two lists. A cache that keeps its own copy of a key in fewer bytes than a "
        "str has that to its credit; after two turnovers some memory lies in gaps of the allocator.",
    )


def _own(sizes: list[int], ours: list[dict[str, Any]]) -> Table:
    rows = [
        [f"{entries:,}", f"{run['structure']:.0f}", f"{run['history']:.0f}", f"{run['charged']:.0f}"]
        for entries, run in zip(sizes, ours, strict=True)
    ]
    return Table(
        "Bytes an entry by lecmux's own account, after two turnovers",
        ["entries", "structure", "counts of keys that left", "charged for structure"],
        rows,
        "The structure holds counts, costs and priorities; the counts of keys that are not resident have a "
        "sixteenth of the budget, whatever the number of entries.",
    )


def _in_a_process(name: str, entries: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benches.measures.memory", name, str(entries)]
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": path})
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _resident() -> int:
    gc.collect()
    if _STATUS.exists():
        return int(_STATUS.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class _Lists:
    """Holds keys and values and nothing else."""

    def __init__(self, entries: int) -> None:
        self._keys: list[str | None] = [None] * entries
        self._values: list[str | None] = [None] * entries
        self._next = 0

    def put_all(self, keys: list[str], values: list[str], costs: list[float]) -> None:
        for key, value, _ in zip(keys, values, costs, strict=True):
            self._keys[self._next], self._values[self._next] = key, value
            self._next += 1

    def __len__(self) -> int:
        return self._next


def _fill(name: str, entries: int) -> dict[str, float]:
    """Bytes an entry that the process grows by, when filled and after two turnovers."""
    payload = Payload.load()
    peer = _Lists(entries) if name == _PAYLOAD else by_name(name)(entries)

    def put(first: int, last: int) -> float:
        for start in range(first, last, _CHUNK):
            numbers = range(start, min(start + _CHUNK, last))
            values = [payload.value(number) for number in numbers]
            peer.put_all(payload.keys(numbers), values, [2.0 + number * 1e-3 for number in numbers])
        return (_resident() - before) / len(peer)

    before = _resident()
    grown = {"filled": put(0, entries)}
    if name not in {_PAYLOAD, BuiltinDict.name}:
        grown["churned"] = put(entries, 3 * entries)
    if isinstance(peer, LecmuxCache):
        own, held = peer.cache.statistics(), len(peer)
        plain = payload.key_chars + sys.getsizeof(payload.value(0))
        grown["structure"] = own["structure_bytes"] / held
        grown["history"] = own["history_bytes"] / held
        grown["charged"] = own["used_bytes"] / held - plain
    return grown


if __name__ == "__main__":
    print(json.dumps(_fill(sys.argv[1], int(sys.argv[2]))))
