"""What goes wrong outside: a typed error that says what to do, or a served request and a counted incident."""

import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lecmux import Cache, Hooks, PooledVariance, Price, Query, Reply, Router, Threaded
from lecmux.errors import ConfigError, CostError, SnapshotError, ValueTypeError
from lecmux.testing import FakeClock, ScriptedModel

MEGABYTE = 1_000_000


@pytest.mark.parametrize("capacity", [0, -1, -(10**30), True, 1.5, "1000", None, float("nan")])
def test_a_budget_that_is_no_positive_whole_number(capacity: Any) -> None:
    with pytest.raises(ConfigError, match="capacity_bytes"):
        Cache(capacity)


@pytest.mark.parametrize("make", [lambda: Cache(10**30), lambda: Cache(10_000, seed=2**70)])
def test_a_number_beyond_64_bits(make: Any) -> None:
    with pytest.raises(ConfigError, match="at most"):
        make()


@pytest.mark.parametrize("estimator", ["hoeffding", None, PooledVariance])
def test_an_estimator_that_is_none(estimator: Any) -> None:
    for make in (lambda: Cache(10_000, estimator=estimator), lambda: Router(["m"], estimator=estimator)):
        with pytest.raises(ConfigError, match="estimator must be"):
            make()


@pytest.mark.parametrize("value", ["x" * MEGABYTE, b"x" * MEGABYTE, ["x"] * MEGABYTE])
def test_an_entry_larger_than_the_budget(value: Any) -> None:
    cache = Cache(10_000)
    cache.put("kept", "v")

    assert not cache.put("large", value)
    assert cache.get("kept") == "v"
    assert cache.stats().too_large == 1
    cache.check()


def test_an_answer_larger_than_the_budget_is_served() -> None:
    cache = Cache(10_000)

    assert len(cache.answer("q", models={"m": lambda query: "x" * MEGABYTE}).value) == MEGABYTE
    assert len(cache) == 0


@pytest.mark.parametrize("cost", [float("nan"), -1e-9, float("inf"), float("-inf")])
def test_a_cost_that_is_none(cost: float) -> None:
    cache = Cache(100_000)

    with pytest.raises(CostError, match="cost"):
        cache.put("q", "r", cost_usd=cost)
    assert len(cache) == 0
    cache.check()


@pytest.mark.parametrize("seconds", [float("nan"), -1.0, float("inf")])
def test_a_model_that_reports_an_impossible_usage_is_served_and_counted(seconds: float) -> None:
    cache = Cache(100_000)
    router = Router(["m"], prices={"m": Price(usd_per_second=1.0)})

    def model(query: Query) -> Reply:
        reply = Reply("r")
        object.__setattr__(reply.usage, "seconds", 0.0)
        return Reply("r", type(reply.usage)(seconds=seconds))

    assert cache.answer("q", models={"m": model}, router=router).value == "r"
    assert cache.stats().incidents > 0
    assert cache.stats().spent_usd == 0.0


def test_prompts_of_ten_megabytes() -> None:
    cache, prompt = Cache(50 * MEGABYTE), "long " * (2 * MEGABYTE)
    model = ScriptedModel(default="r")

    assert cache.answer(prompt, models={"m": model}).decision.kind == "call"
    assert cache.answer(prompt, models={"m": model}).decision.kind == "hit"
    assert cache.answer(prompt + "!", models={"m": model}).decision.kind == "call"
    small = Cache(MEGABYTE)
    assert small.answer(prompt, models={"m": model}).value == "r"
    assert len(small) == 0


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_lone_surrogates_in_a_key(text: str) -> None:
    cache, model = Cache(100_000), ScriptedModel(default="r")

    with pytest.raises(ValueTypeError, match="surrogates"):
        cache.put(text, "r")
    with pytest.raises(ValueTypeError, match="surrogates"):
        cache.get(text)
    assert cache.answer(text, models={"m": model}).value == "r"
    assert cache.stats().incidents > 0
    assert len(cache) == 0
    cache.check()


@pytest.mark.parametrize("part", ["scope", "fingerprint"])
def test_lone_surrogates_in_a_partition(part: str) -> None:
    cache, model = Cache(100_000), ScriptedModel(default="r")

    assert cache.answer(Query("q", **{part: "\ud800"}), models={"m": model}).value == "r"
    assert cache.stats().incidents > 0
    for ask in (cache.get, cache.lookup, cache.count, cache.delete, lambda q, **at: cache.put(q, "r", **at)):
        with pytest.raises(ValueTypeError, match=part):
            ask("q", **{part: "\ud800"})
    with pytest.raises(ValueTypeError, match="scope"):
        cache.clear("\ud800")
    assert len(cache) == 0


def test_lone_surrogates_in_an_answer_come_back() -> None:
    cache, model = Cache(100_000), ScriptedModel({"q": "half \ud83d"})

    cache.answer("q", models={"m": model})

    assert cache.answer("q", models={"m": model}).value == "half \ud83d"
    assert cache.stats().incidents == 0


def test_an_empty_prompt_is_a_prompt() -> None:
    cache, model = Cache(100_000), ScriptedModel({"": "r"})

    cache.answer("", models={"m": model})

    assert cache.answer("", models={"m": model}).decision.kind == "hit"


@pytest.mark.parametrize("name", ["cost", "admit", "ttl", "scope", "quality"])
def test_a_hook_that_raises_costs_no_request(name: str) -> None:
    def broken(*_: Any) -> Any:
        raise MemoryError("a hook")

    cache = Cache(100_000, hooks=Hooks(**{name: broken}))
    model = ScriptedModel({"q": "r"})

    assert [cache.answer("q", models={"m": model}).value for _ in range(3)] == ["r"] * 3
    assert cache.stats().incidents > 0


@pytest.mark.parametrize("name", ["cost", "admit", "ttl", "scope", "quality"])
def test_a_hook_that_hangs_costs_no_request(name: str) -> None:
    release = threading.Event()
    hook = Threaded(lambda *_: release.wait(60) or None, timeout_seconds=0.02)
    cache = Cache(100_000, hooks=Hooks(**{name: hook}))
    model = ScriptedModel({"q": "r"})

    started = time.monotonic()
    answers = [cache.answer("q", models={"m": model}).value for _ in range(5)]
    took = time.monotonic() - started
    release.set()

    assert answers == ["r"] * 5
    assert took < 5
    assert cache.stats().incidents > 0


def test_a_listener_that_raises_costs_no_request() -> None:
    def broken(event: object) -> None:
        raise OSError("a listener")

    cache = Cache(100_000, hooks=Hooks(listeners=[broken]))

    assert cache.answer("q", models={"m": ScriptedModel({"q": "r"})}).value == "r"
    assert cache.stats().incidents > 0


def test_a_clock_that_fails_costs_no_request() -> None:
    class Broken(FakeClock):
        broken = False

        def __call__(self) -> float:
            if self.broken:
                raise OSError("no time")
            return super().__call__()

    clock = Broken()
    cache = Cache(100_000, clock=clock)
    cache.put("timed", "x", ttl_seconds=5)
    clock.broken = True

    with pytest.raises(OSError, match="no time"):
        cache.get("timed")
    assert cache.answer("timed", models={"m": ScriptedModel(default="r")}).value == "r"


# files


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    cache = Cache(100_000)
    for number in range(5):
        cache.put(f"key {number}", {"value": number}, cost_usd=1.0)
    cache.save(tmp_path / "snapshot")
    return tmp_path / "snapshot"


@pytest.mark.parametrize(
    "content", [b"", b"x", b"\x80\x04K\x01.", b"SQLite format 3\x00" + bytes(999), b"LECMUX"]
)
def test_a_foreign_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "foreign").write_bytes(content)

    with pytest.raises(SnapshotError):
        Cache.load(tmp_path / "foreign")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Cache.load(tmp_path / "missing")


def test_a_file_that_is_refused_is_named(tmp_path: Path) -> None:
    (tmp_path / "foreign").write_bytes(b"x")
    Router(["m"]).save(tmp_path / "taught")

    with pytest.raises(SnapshotError, match="foreign: not a lecmux snapshot"):
        Cache.load(tmp_path / "foreign")
    with pytest.raises(SnapshotError, match=r"taught: .* Router\.load reads it"):
        Cache.load(tmp_path / "taught")


def test_every_cut_is_found(snapshot: Path) -> None:
    whole = snapshot.read_bytes()
    for length in range(0, len(whole), 7):
        snapshot.write_bytes(whole[:length])
        with pytest.raises(SnapshotError):
            Cache.load(snapshot)


def test_every_flipped_byte_is_found(snapshot: Path) -> None:
    whole, choose = snapshot.read_bytes(), random.Random(0)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << choose.randrange(8)
        snapshot.write_bytes(damaged)
        with pytest.raises(SnapshotError):
            Cache.load(snapshot)


def test_a_file_of_another_version_is_named(snapshot: Path) -> None:
    whole = bytearray(snapshot.read_bytes())
    whole[6:8] = (99).to_bytes(2, "little")
    snapshot.write_bytes(whole)

    with pytest.raises(SnapshotError, match="99"):
        Cache.load(snapshot)


# threads and processes


def test_two_threads_that_clear_at_once() -> None:
    cache = Cache(MEGABYTE)
    removed: list[int] = []
    for _ in range(20):
        for number in range(500):
            cache.put(f"key {number}", "v", scope=f"{number % 3}")
        start = threading.Barrier(3)

        def clear(scope: str | None, start: threading.Barrier = start) -> int:
            start.wait(10)
            return cache.clear(scope)

        with ThreadPoolExecutor(3) as pool:
            removed.append(sum(pool.map(clear, [None, None, "1"])))
        cache.check()

    assert removed == [500] * 20
    assert len(cache) == 0


def test_threads_that_do_everything_at_once() -> None:
    cache = Cache(60_000, hooks=Hooks(listeners=[lambda event: None]))
    router = Router(["small", "large"], price_of_wrong_seconds=5.0)
    models = {"small": lambda query: "s" * 100, "large": lambda query: {"l": 1}}

    def work(seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(600):
            key, scope = f"key {choose.randrange(60)}", f"{choose.randrange(3)}"
            action = choose.randrange(12)
            if action < 6:
                done = cache.answer(Query(key, scope=scope), models=models, router=router)
                if action == 0:
                    cache.observe(done.decision.id, quality=choose.random())
            elif action < 8:
                cache.get(key, scope=scope)
            elif action == 8:
                cache.put(key, b"x" * choose.randrange(2000), scope=scope)
            elif action == 9:
                cache.delete(key, scope=scope)
            elif action == 10:
                cache.get_many([key] * 5, scope=scope)
            elif choose.random() < 0.1:
                cache.clear(scope)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    cache.check()
    assert cache.stats().incidents == 0
    assert cache.stats().bytes_used <= cache.stats().capacity_bytes
    assert len(cache._flight._inflight) == 0


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def _in_child(work: Any) -> int:
    """Exit status of a forked child that runs `work`, or 99 when it hangs for 10 s."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    for _ in range(1000):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return 99


@needs_fork
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_fork_while_another_thread_leads() -> None:
    cache, go, started = Cache(100_000), threading.Event(), threading.Event()

    def slow(query: Query) -> str:
        started.set()
        go.wait(30)
        return "of the parent"

    def child() -> None:
        assert cache.answer("q", models={"m": lambda query: "of the child"}).value == "of the child"
        assert cache.get("kept") == "v"
        cache.check()

    cache.put("kept", "v")
    with ThreadPoolExecutor(1) as pool:
        leading = pool.submit(cache.answer, "q", models={"m": slow})
        assert started.wait(30)
        status = _in_child(child)
        go.set()

        assert leading.result(30).value == "of the parent"
    assert status == 0
    assert cache.get("q") == "of the parent"


@needs_fork
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_forks_under_load() -> None:
    cache, stop = Cache(MEGABYTE), threading.Event()
    router = Router(["m"], prices={"m": Price(usd_per_second=1.0)})

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = f"key {number % 300}"
            cache.answer(key, models={"m": lambda query: "v" * 50}, router=router)
            cache.get_many([f"key {each}" for each in range(50)])
            cache.clear("nobody")
            cache.check()

    def child() -> None:
        for number in range(50):
            cache.answer(f"child {number}", models={"m": lambda query: "c"}, router=router)
        cache.get_many(["a", "b"])
        cache.check()
        assert cache.get("child 7") == "c"

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        statuses = [_in_child(child) for _ in range(15)]
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)

    assert statuses == [0] * 15
    assert "child 7" not in str(cache.peek("child 7"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_ctrl_c_in_a_model_leaves_the_cache_in_use() -> None:
    cache = Cache(100_000)

    def interrupted(query: Query) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.answer("q", models={"m": interrupted})

    assert cache.answer("q", models={"m": lambda query: "r"}).value == "r"
