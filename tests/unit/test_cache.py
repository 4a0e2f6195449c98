"""`Cache` beyond its contract: counting, files, the context manager, events."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from lecmux import (
    AsyncCache,
    Cache,
    Gdsf,
    HalfLife,
    Hooks,
    Lec,
    Lfu,
    Lru,
    Price,
    Query,
    Router,
    S3Fifo,
    SqrtBonus,
)
from lecmux.errors import ConfigError, PriceError, SnapshotError, ValueTypeError
from lecmux.events import Bypass, CacheHit, CacheMiss, Event, Observe, Route, Store
from lecmux.testing import FakeClock, ScriptedModel


def test_a_get_counts_the_request_hit_or_miss() -> None:
    cache = Cache(100_000, evict=Lec(decay=None))
    for _ in range(3):
        cache.get("q")
    cache.put("q", "r")
    cache.get("q")

    assert cache.count("q") == 4
    assert (cache.stats().hits, cache.stats().misses, cache.stats().hit_rate) == (1, 3, 0.25)


def test_a_put_whose_key_was_not_asked_for_counts_as_one() -> None:
    cache = Cache(100_000, evict=Lec(decay=None))

    cache.put("q", "r")

    assert cache.count("q") == 1
    assert cache.count("never") == 0


def test_get_many_is_get_for_each() -> None:
    cache = Cache(100_000)
    cache.put("a", "1")
    cache.put("c", {"x": 3})

    assert cache.get_many(["a", "b", "c"]) == ["1", None, {"x": 3}]
    assert cache.stats().requests == 3


def test_peek_does_not_count() -> None:
    cache = Cache(100_000)
    cache.put("q", "r")

    assert cache.peek("q") is not None
    assert cache.peek("other") is None
    assert cache.stats().requests == 0


def test_the_dearest_entries_are_kept() -> None:
    cache = Cache(30_000)
    for number in range(200):
        key = f"key {number:03d}"
        cache.get(key)
        cache.put(key, "v" * 300, cost_usd=100.0 if number < 20 else 0.001)

    kept = sum(cache.peek(f"key {number:03d}") is not None for number in range(20))
    assert kept == 20
    assert cache.stats().evicted + cache.stats().bypassed > 100


def test_put_says_whether_it_stored() -> None:
    cache = Cache(2_000)

    assert cache.put("small", "v")
    assert not cache.put("large", "v" * 5_000)
    assert cache.stats().too_large == 1


def test_as_a_context_manager_it_is_empty_afterwards() -> None:
    with Cache(100_000) as cache:
        cache.put("q", "r")

    assert len(cache) == 0


async def test_as_an_async_context_manager_it_is_empty_afterwards() -> None:
    async with AsyncCache(100_000) as cache:
        cache.put("q", "r")
        assert (await cache.answer("q", models={"m": ScriptedModel()})).value == "r"

    assert len(cache) == 0


async def test_async_answers_from_plain_and_coroutine_models() -> None:
    cache, model = AsyncCache(100_000), ScriptedModel({"a": "1", "b": "2"})

    assert (await cache.answer("a", models={"m": model})).value == "1"
    assert (await cache.answer(Query("b"), models={"m": model.acall})).value == "2"
    assert (await cache.answer("a", models={"m": model})).decision.kind == "hit"


def test_seconds_are_measured_where_the_model_reports_none() -> None:
    clock = FakeClock()
    cache = Cache(100_000, clock=clock)

    def model(query: Query) -> str:
        clock.advance(1.5)
        return "r"

    first = cache.answer("q", models={"m": model})
    clock.advance(20)
    again = cache.answer("q", models={"m": model})

    assert first.reply is not None
    assert first.reply.usage.seconds == first.decision.cost == 1.5
    assert again.decision.age_seconds == 20


def test_a_hit_can_be_forgotten_by_its_id() -> None:
    cache, model = Cache(100_000), ScriptedModel({"q": "r"})
    cache.answer("q", models={"m": model})
    hit = cache.answer("q", models={"m": model}).decision
    assert hit.hit_id is not None

    assert cache.forget(hit.hit_id)

    assert cache.answer("q", models={"m": model}).decision.kind == "call"


def test_get_returns_the_value_of_an_answer() -> None:
    cache = Cache(100_000)
    cache.answer("q", models={"m": lambda query: {"a": [1]}})

    assert cache.get("q") == {"a": [1]}


def test_listeners_hear_the_whole_way() -> None:
    heard: list[Event] = []
    cache = Cache(100_000, hooks=Hooks(listeners=[heard.append]))
    router = Router(["m"], prices={"m": Price(usd_per_second=1.0)}, price_of_wrong_usd=9.0)
    model = ScriptedModel({"q": "r"})
    decision = cache.answer("q", models={"m": model}, router=router).decision
    cache.answer("q", models={"m": model}, router=router)
    cache.observe(decision.id, quality=0.0)
    cache.put("by hand", "x")
    cache.put("large", "x" * 200_000)

    assert [type(event) for event in heard] == [
        CacheMiss,
        Route,
        Observe,
        Store,
        CacheHit,
        Observe,
        Store,
        Bypass,
    ]
    observed = heard[5]
    assert isinstance(observed, Observe)
    assert (observed.cost, observed.quality, observed.unit) == (9.0, 0.0, "usd")


# files


def test_settings_come_back_from_a_file(tmp_path: Path) -> None:
    cache = Cache(
        50_000,
        evict=Lec(decay=HalfLife(500)),
        estimator=SqrtBonus(20),
        default_ttl_seconds=9.5,
        seed=7,
        tenant_share=0.5,
    )
    cache.save(tmp_path / "a")

    loaded = Cache.load(tmp_path / "a")

    assert loaded._settings == cache._settings
    assert loaded.stats().capacity_bytes == 50_000


def test_answers_and_unit_come_back_from_a_file(tmp_path: Path) -> None:
    cache, model = Cache(100_000), ScriptedModel({"q": "r"}, seconds=2.0)
    cache.answer("q", models={"m": model})
    cache.save(tmp_path / "a")

    loaded = Cache.load(tmp_path / "a")

    assert loaded.answer("q", models={"m": model}).decision.saved == 2.0
    with pytest.raises(PriceError):
        loaded.put("x", "y", cost_usd=1.0)


def test_counts_come_back_from_a_file(tmp_path: Path) -> None:
    cache = Cache(100_000, evict=Lec(decay=None))
    cache.put("q", "r")
    for _ in range(9):
        cache.get("q")
        cache.get("absent")
    cache.save(tmp_path / "a")

    loaded = Cache.load(tmp_path / "a")

    assert (loaded.count("q"), loaded.count("absent")) == (10, 9)


def test_saving_replaces_the_old_file_whole_and_leaves_no_other(tmp_path: Path) -> None:
    cache = Cache(100_000)
    for number in range(3):
        cache.put(f"{number}", "x")
        cache.save(tmp_path / "a")

    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert len(Cache.load(tmp_path / "a")) == 3


def test_a_failed_save_keeps_the_old_file(tmp_path: Path) -> None:
    cache = Cache(100_000)
    cache.save(tmp_path / "a")
    old = (tmp_path / "a").read_bytes()

    with pytest.raises(OSError, match="missing"):
        cache.save(tmp_path / "missing" / "a")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        cache.save(tmp_path / "folder")

    assert (tmp_path / "a").read_bytes() == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "folder"]


def test_settings_of_another_release_are_refused(tmp_path: Path) -> None:
    cache = Cache(100_000)
    cache._settings = {"capacity_bytes": 1000, "evict": {"policy": "from the future"}, "estimator": {}}
    cache.save(tmp_path / "a")

    with pytest.raises(SnapshotError, match="does not know"):
        Cache.load(tmp_path / "a")


def test_a_cache_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Cache(1000))


@pytest.mark.parametrize(
    "setting",
    [
        {"evict": "lru"},
        {"evict": Lru},
        {"estimator": "hoeffding"},
        {"seed": -1},
        {"tenant_share": 0.0},
        {"tenant_share": 1.5},
        {"default_ttl_seconds": 0},
        {"default_ttl_seconds": float("nan")},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Cache(1000, **setting)  # type: ignore[arg-type]


@pytest.mark.parametrize("ttl", [0, -1.0, float("nan"), float("inf")])
def test_a_time_to_live_that_cannot_work_is_refused(ttl: float) -> None:
    with pytest.raises(ConfigError, match="ttl_seconds"):
        Cache(1000).put("q", "r", ttl_seconds=ttl)


@pytest.mark.parametrize("key", [None, 5, b"bytes", ("a",)])
def test_a_key_that_is_no_text_is_refused(key: str) -> None:
    with pytest.raises((TypeError, ValueTypeError)):
        Cache(1000).put(key, "r")
    with pytest.raises((TypeError, ValueTypeError)):
        Cache(1000).get(key)


@pytest.mark.parametrize(
    "policy", [Lec(), Gdsf(), Lfu(bypass=False), Lru(), S3Fifo()], ids=lambda policy: type(policy).__name__
)
def test_what_would_be_evicted_is_what_is(policy: Any) -> None:
    cache = Cache(20_000, evict=policy)
    for number in range(200):
        cache.put_value(
            f"key {number % 90}", "v" * (number % 150), cost=1.0 + number % 5, scope=f"t{number % 3}"
        )

    before, value = cache.stats(), "v" * 250
    named = cache.would_evict("new", value_bytes=value.__sizeof__(), worth=1e9, scope="t1")
    assert cache.stats() == before
    assert named

    cache.put_value("new", value, worth=1e9, scope="t1")

    gone = [key for key in named if cache.peek(key[0], scope=key[1], fingerprint=key[2]) is None]
    assert gone == named
    assert cache.stats().evicted - before.evicted == len(named)


def test_what_would_be_declined_evicts_nothing() -> None:
    cache = Cache(20_000)
    for number in range(200):
        cache.put_value(f"key {number}", "v" * 100, worth=5.0)

    assert cache.would_evict("new", value_bytes=100, worth=0.0) is None
    assert cache.would_evict("new", value_bytes=30_000, worth=1e9) is None
    assert cache.would_evict("key 0", value_bytes=100) == []
    assert Cache(20_000).would_evict("new", value_bytes=100) == []


def test_keys_are_those_of_one_scope_and_fingerprint_that_live() -> None:
    clock = FakeClock()
    cache = Cache(100_000, clock=clock)
    cache.put("one", "1", scope="a", fingerprint="f")
    cache.put("gone", "2", scope="a", fingerprint="f", ttl_seconds=5)
    cache.put("other", "3", scope="b", fingerprint="f")
    clock.advance(10)

    assert cache.keys(scope="a", fingerprint="f") == ["one"]
    assert cache.keys() == []
