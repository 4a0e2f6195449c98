"""How long a text takes, and what a gate leaves of a miss.

    python -m benches.static_table.speed

Embedders: one question at a time. Threads: single questions of four threads, through `Batched` and without.
Gate: a cache of 5,000 questions of one kind is asked questions of another; the time of `Cache.answer` for a
miss, the model taking none, with a gate and without a semantic stage.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable

from benches.machine import describe
from lecmux import Cache, Query, Reply, Semantic, Usage
from lecmux.embedders import Batched, Embedder, Gated, MiniLM, Remembered, Static

__all__ = ["main"]

_TEXTS = 400
_HELD = 5000
_THREADS = 4
_THINGS = [
    "password",
    "invoice",
    "order",
    "card",
    "account",
    "refund",
    "parcel",
    "address",
    "contract",
    "meeting",
]
_ASKED = ["change", "find", "cancel", "send", "lose", "need", "check", "move", "print", "renew"]
_STRANGE = [
    "volcano",
    "glacier",
    "sonnet",
    "enzyme",
    "comet",
    "fresco",
    "lichen",
    "tundra",
    "sonata",
    "quasar",
]


def _questions(count: int, things: list[str], seed: int) -> list[str]:
    draw = random.Random(seed)
    return [
        f"how do i {draw.choice(_ASKED)} the {draw.choice(things)} and the {draw.choice(things)} of {number}"
        for number in range(count)
    ]


def _strange(count: int) -> list[str]:
    draw = random.Random(1)
    return [f"{draw.choice(_STRANGE)} {draw.choice(_STRANGE)} {draw.choice(_STRANGE)}" for _ in range(count)]


def _median(work: Callable[[str], object], texts: list[str]) -> str:
    took = []
    for text in texts:
        began = time.perf_counter_ns()
        work(text)
        took.append(time.perf_counter_ns() - began)
    took.sort()
    return f"p50 {statistics.median(took) / 1e3:,.0f} us, p99 {took[len(took) * 99 // 100] / 1e3:,.0f} us"


def _per_second(embedder: Embedder, texts: list[str]) -> float:
    def work(part: list[str]) -> None:
        for text in part:
            embedder.embed([text])

    threads = [threading.Thread(target=work, args=(texts[place::_THREADS],)) for place in range(_THREADS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(texts) / (time.perf_counter() - began)


def _misses(embedder: Embedder) -> str:
    """Requests that nothing is near to, at a cache that is full of others."""
    spent = 0

    def model(query: Query) -> Reply:
        nonlocal spent
        return Reply("answer", Usage(seconds=1.0))

    cache = Cache(256_000_000, semantic=Semantic(embedder, same_answer=lambda first, second: False))
    for text in _questions(_HELD, _THINGS, 0):
        cache.answer(Query(text, salient=text), models={"model": model})
    exact = Cache(256_000_000)
    strange = list(dict.fromkeys(_strange(_TEXTS)))
    alone = _median(lambda text: exact.answer(Query(text), models={"model": model}), strange)
    before = cache.stats().semantic
    asked = _median(lambda text: cache.answer(Query(text, salient=text), models={"model": model}), strange)
    found = cache.stats().semantic
    assert found is not None and before is not None
    away, embedded = found.turned_away - before.turned_away, found.embedded - before.embedded
    return (
        f"{asked} (no semantic stage: {alone}); "
        f"{away} of {len(strange)} turned away, {embedded} texts embedded"
    )


def main() -> None:
    """The command."""
    machine = describe()
    print(machine["cpu"], "load", machine["load average at start"])
    texts = _questions(_TEXTS, _THINGS, 2)
    static, slow = Static(), MiniLM()
    slow.load()
    static.embed(["warm"])
    memo = Remembered(slow)
    memo.embed(texts)
    for name, embedder in (("Static", static), ("MiniLM", slow), ("Remembered(MiniLM), known", memo)):
        print(f"{name}: {_median(lambda text, by=embedder: by.embed([text]), texts)}")
    for size in (8, 32):
        began = time.perf_counter()
        MiniLM(batch=size).embed(texts)
        print(f"MiniLM, batches of {size}: {len(texts) / (time.perf_counter() - began):,.0f} texts/s")
    print(f"MiniLM, {_THREADS} threads: {_per_second(slow, texts):,.0f} texts/s")
    for wait in (0.0, 0.002, 0.005):
        batched = Batched(slow, wait_seconds=wait)
        rate = _per_second(batched, texts)
        print(
            f"Batched, wait {wait * 1e3:.0f} ms: {rate:,.0f} texts/s, {len(texts) / batched.calls:.1f} a call"
        )
    print(f"miss, gate alone: {_misses(Gated(static, static))}")


if __name__ == "__main__":
    main()
