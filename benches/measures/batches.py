"""`get_many`: a batch is looked up with the interpreter released, so a second thread gets on meanwhile."""

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

    def one_by_one() -> float:
        keys = payload.keys(drawn(random, entries, plan["lookups"]))
        return together(partial(lookup_ns, peer.get), [keys])[0] / len(keys)

    tasks = {f"get_many, {threads} threads": partial(timed, threads) for threads in plan["threads"]}
    with quiet():
        samples = interleave({_LOOP: one_by_one, **tasks}, plan["rounds"])
    one, *_, most = tasks
    table = Table(
        f"Batches of {size:,} hits, {entries:,} entries",
        ["lecmux", "M/s", "against get_many on one thread"],
        [[name, millions(median(ns)), f"{ratio(samples, one, name):.2f}x"] for name, ns in samples.items()],
        "Two threads gain on two free cores; a busy machine shows less.",
    )
    return Measure([table], {"batch_two_threads": ratio(samples, one, most)}, {"ns": samples})
