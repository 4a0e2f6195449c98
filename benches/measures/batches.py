"""`get_many`: a batch is looked up with the interpreter released, so a second thread gets on meanwhile."""

import hashlib
from collections.abc import Sequence
from functools import partial
from random import Random
from statistics import median

from benches.adapters import LecmuxCache
from benches.measures.filling import filled
from benches.measures.threads import split, together
from benches.payload import Payload, drawn, settings
from benches.report import Measure, Table, millions
from benches.timing import interleave, lookup_ns, quiet, ratio

_LOOP = "get, one by one, 1 thread"
_HASH, _BLOCK = "SHA-256", bytes(200_000)
"""What two threads gain on work that is all outside the interpreter: more than this the machine has not."""


def measure(quick: bool) -> Measure:
    """Times the batches of `workloads/batches.toml`."""
    plan = settings("batches", quick=quick)
    payload, entries, size = Payload.load(), plan["entries"], plan["batch"]
    random = Random(plan["seed"])
    peer = filled([LecmuxCache], payload, entries, payload.values(entries))[LecmuxCache.name]
    assert isinstance(peer, LecmuxCache)

    def batched(keys: Sequence[str]) -> None:
        for first in range(0, len(keys), size):
            peer.get_many(keys[first : first + size])

    def timed(threads: int) -> float:
        keys = payload.keys(drawn(random, entries, plan["lookups"]))
        return together(batched, split(keys, threads))[0] / len(keys)

    def hashed(threads: int) -> float:
        blocks = [[""] * (plan["hashes"] // threads)] * threads
        return together(_hash_each, blocks)[0] / sum(map(len, blocks))

    def one_by_one() -> float:
        keys = payload.keys(drawn(random, entries, plan["lookups"]))
        return together(partial(lookup_ns, peer.get), [keys])[0] / len(keys)

    tasks = {f"get_many, {threads} threads": partial(timed, threads) for threads in plan["threads"]}
    ceiling = {f"{_HASH}, {threads} threads": partial(hashed, threads) for threads in plan["threads"]}
    with quiet():
        samples = interleave({_LOOP: one_by_one, **tasks, **ceiling}, plan["rounds"])
    one, *_, most = tasks
    first, *_, last = ceiling
    table = Table(
        f"Batches of {size:,} hits, {entries:,} entries",
        ["lecmux", "M/s", "against get_many on one thread"],
        [
            [name, millions(median(samples[name])), f"{ratio(samples, one, name):.2f}x"]
            for name in (_LOOP, *tasks)
        ],
        f"{_HASH} of {len(_BLOCK):,} bytes, all of it with the interpreter released, gained "
        f"{ratio(samples, first, last):.2f}x in the same rounds: what the machine had to give.",
    )
    return Measure([table], {"batch_two_threads": ratio(samples, one, most)}, {"ns": samples})


def _hash_each(blocks: Sequence[str]) -> None:
    for _ in blocks:
        hashlib.sha256(_BLOCK).digest()
