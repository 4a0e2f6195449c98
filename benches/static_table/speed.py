"""How long a text takes, and what a gate leaves of a miss.

    python -m benches.static_table.speed

Embedders: one question at a time. Threads: single questions of four threads, through `Batched` and without.
Gate: a cache of 5,000 questions of one kind is asked others; the time of `Cache.answer` for a
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
_STRANGE = """
volcano sonnet enzyme comet fresco lichen tundra quasar giraffe trombone chlorophyll cathedral
pancake submarine hieroglyph orchid algebra mammoth violin hurricane democracy saxophone
penguin telescope marble kimono parliament cactus dinosaur ballet magnet pharaoh avocado
glacier chess samurai nebula porcelain beaver monsoon opera neutron castle zebra yoga tornado
mosaic falcon cinnamon pendulum igloo treaty walrus rhubarb lighthouse gladiator mushroom
symphony coral cricket bronze tulip satellite bagpipe vaccine canyon dragonfly limerick
parachute oasis harpoon mitochondria tapestry jaguar fjord accordion asteroid paprika scarecrow
tsunami knight amber ostrich cello permafrost sphinx marathon basil windmill leopard haiku
zeppelin origami reef turbine bison
""".split()  # noqa: SIM905  a list of so many words is hard to read


def _questions(count: int, seed: int) -> list[str]:
    """Four of five have a number, and do not answer for each other; the fifth is a hit in time."""
    draw = random.Random(seed)
    return [
        f"how do i {draw.choice(_ASKED)} the {draw.choice(_THINGS)} and the {draw.choice(_THINGS)}"
        + (f" of {number}" if number % 5 else "")
        for number in range(count)
    ]


def _strange() -> list[str]:
    """Pairs of words that no other pair has: nothing of it is near anything held, nor near each other."""
    return [f"{first} and {second}" for first, second in zip(_STRANGE[::2], _STRANGE[1::2], strict=False)]


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

    def model(query: Query) -> Reply:
        return Reply("answer", Usage(seconds=1.0))

    cache = Cache(256_000_000, semantic=Semantic(embedder))
    for text in _questions(_HELD, 0):
        cache.answer(Query(text, salient=text), models={"model": model})
    exact = Cache(256_000_000)
    strange = _strange()
    alone = _median(lambda text: exact.answer(Query(text), models={"model": model}), strange)
    before = cache.stats().semantic
    asked = _median(lambda text: cache.answer(Query(text, salient=text), models={"model": model}), strange)
    found = cache.stats().semantic
    assert found is not None and before is not None
    away, embedded = found.turned_away - before.turned_away, found.embedded - before.embedded
    return (
        f"{asked} (no semantic stage: {alone}); "
        f"{away} of {len(strange)} turned away, {embedded} texts embedded; "
        f"{found.entries + found.waiting} entries"
    )


def main() -> None:
    """The command."""
    machine = describe()
    print(machine["cpu"], "| load", machine["load average at start"], flush=True)
    texts = _questions(_TEXTS, 2)
    print(f"a miss behind the gate: {_misses(Gated(Static(), Static()))}", flush=True)
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


if __name__ == "__main__":
    main()
