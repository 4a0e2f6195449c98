"""Eviction by a score of the user's: who leaves, when the score is asked for, and what its failure costs."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lecmux import AsyncCache, Cache, Hooks, Lec, Price, Query, Reply, Router, Scored, Threaded
from lecmux.errors import ConfigError, CostError
from lecmux.events import Event, Incident
from lecmux.policies import EntryView
from lecmux.sim import simulate
from lecmux.state import StateFile
from lecmux.testing import FakeClock, ScriptedModel

SMALL = 20_000
VALUE = "v" * 1_000


def _by_number(entry: EntryView) -> float:
    return float(entry.key.text)


def _fill(cache: Cache, numbers: Any = range(60), **terms: Any) -> None:
    for number in numbers:
        cache.put(str(number), VALUE, cost_usd=1.0, **terms)


def _held(cache: Cache) -> list[int]:
    return sorted(map(int, cache.keys()))


# who leaves


@pytest.mark.parametrize("bypass", [True, False])
def test_the_highest_scores_stay_in_whatever_order_they_come(bypass: bool) -> None:
    shuffled = [(number * 37) % 61 for number in range(60)]
    cache = Cache(SMALL, evict=Scored(_by_number))

    _fill(cache, shuffled)

    held = _held(cache)
    assert 5 < len(held) < 30
    assert held == sorted(shuffled)[-len(held) :]
    cache.check()


def test_scores_below_0_are_scores() -> None:
    cache = Cache(SMALL, evict=Scored(lambda entry: -_by_number(entry)))

    _fill(cache)

    assert _held(cache) == list(range(len(cache)))


def test_without_bypass_a_newcomer_of_any_score_is_stored() -> None:
    strict = Cache(SMALL, evict=Scored(lambda entry: -_by_number(entry)))
    open_to_all = Cache(SMALL, evict=Scored(lambda entry: -_by_number(entry), bypass=False))

    for cache in (strict, open_to_all):
        _fill(cache)

    assert strict.get("59") is None
    assert open_to_all.get("59") == VALUE


def test_requests_leave_a_given_score_as_it_is() -> None:
    cache = Cache(SMALL, evict=Scored(_by_number))
    _fill(cache, range(5))
    for _ in range(1_000):
        cache.get("0")

    _fill(cache)

    assert cache.get("0") is None


def test_an_object_and_a_threaded_hook_score_as_well() -> None:
    class ByNumber:
        def score(self, entry: EntryView, /) -> float:
            return _by_number(entry)

    for score in (ByNumber(), Threaded(_by_number, timeout_seconds=60.0)):
        cache = Cache(SMALL, evict=Scored(score))  # type: ignore[arg-type]
        _fill(cache)
        assert _held(cache) == list(range(60))[-len(cache) :]
        assert cache.stats().incidents == 0


# what is known, and when


def test_a_put_tells_what_is_known() -> None:
    seen: list[EntryView] = []
    cache = Cache(SMALL, evict=Scored(seen.append), default_ttl_seconds=60.0)
    cache.get("key", scope="tenant")
    cache.get("key", scope="tenant")

    cache.put("key", VALUE, cost_usd=0.5, scope="tenant", fingerprint="f")
    cache.put("key", VALUE, scope="tenant", ttl_seconds=5.0)

    first, second = seen
    assert (first.key, first.scope) == (("key", "tenant", "f"), "tenant")
    assert (first.count, first.cost, first.age_seconds, first.ttl_seconds) == (1.0, 0.5, 0.0, 60.0)
    assert (second.count, second.cost, second.ttl_seconds, second.model) == (2.0, None, 5.0, None)
    hit = cache.peek("key", scope="tenant", fingerprint="f")
    assert hit is not None
    assert first.size_bytes == hit.size_bytes
    assert first.saving_per_byte == pytest.approx(0.5 / first.size_bytes)
    assert second.saving_per_byte is None


def test_it_is_asked_at_put_and_never_for_a_look_or_an_eviction() -> None:
    seen: list[EntryView] = []

    def score(entry: EntryView) -> float:
        seen.append(entry)
        return _by_number(entry)

    cache = Cache(SMALL, evict=Scored(score))
    _fill(cache)
    cache.get("59")
    cache.get_many(["1", "59"])
    cache.peek("59")
    cache.delete("59")

    assert [int(entry.key.text) for entry in seen] == list(range(60))
    assert cache.stats().evicted > 0


def _answered(score: Callable[[EntryView], float | None], clock: FakeClock) -> tuple[Cache, str]:
    cache = Cache(SMALL, evict=Scored(score), clock=clock)
    router = Router(["m"], prices={"m": Price.free()}, price_of_wrong_usd=7.0)
    done = cache.answer("q", models={"m": ScriptedModel({"q": VALUE})}, router=router)
    return cache, done.decision.id


def test_a_quality_learnt_later_is_scored_anew() -> None:
    seen: list[EntryView] = []
    clock = FakeClock()
    cache, decision = _answered(seen.append, clock)
    clock.advance(30.0)

    assert cache.observe(decision, quality=0.0)

    put, learnt = seen
    assert (put.model, put.age_seconds, put.hit_cost) == ("m", 0.0, 0.0)
    assert (learnt.model, learnt.age_seconds) == ("m", pytest.approx(30.0))
    assert (learnt.key.text, learnt.hit_cost, learnt.ttl_seconds) == ("q", pytest.approx(7.0), None)
    assert learnt.size_bytes == put.size_bytes


def test_the_score_given_then_decides() -> None:
    cache, decision = _answered(lambda entry: 100.0 if entry.hit_cost == 0 else -1.0, FakeClock())
    assert cache.peek("q") is not None

    cache.observe(decision, quality=0.0)
    for number in range(30):
        cache.put(str(number), VALUE)

    assert cache.peek("q") is None


# None, failures, nonsense


def test_who_abstains_leaves_it_to_lec() -> None:
    abstaining = Cache(SMALL, evict=Scored(lambda entry: None))
    plain = Cache(SMALL, evict=Lec(decay=None))
    for cache in (abstaining, plain):
        for number in range(300):
            key = str(number % 40)
            if cache.get(key) is None:
                cache.put(key, VALUE, cost_usd=1.0 + number % 7)

    assert _held(abstaining) == _held(plain)
    assert abstaining.stats().incidents == 0
    assert abstaining.stats().evicted == plain.stats().evicted > 0


@pytest.mark.parametrize(
    "word", [float("nan"), float("inf"), -float("inf"), "high", True, 10**400, [1.0]], ids=repr
)
def test_a_score_that_is_none_is_counted_and_lec_decides(word: Any) -> None:
    events: list[Event] = []
    cache = Cache(SMALL, evict=Scored(lambda entry: word), hooks=Hooks(listeners=[events.append]))

    _fill(cache, range(3))

    assert len(cache) == 3
    assert cache.stats().incidents == 3
    assert {event.stage for event in events if isinstance(event, Incident)} == {"hook:score"}


def test_a_failing_score_costs_no_put() -> None:
    def fail(entry: EntryView) -> float:
        raise RuntimeError("no score today")

    failing, plain = Cache(SMALL, evict=Scored(fail)), Cache(SMALL, evict=Lec(decay=None))
    for cache in (failing, plain):
        for number in range(60):
            cache.put(str(number), VALUE, cost_usd=float(number))

    assert _held(failing) == _held(plain)
    assert failing.stats().incidents == 60


def test_a_score_that_overruns_its_time_is_switched_off() -> None:
    hooks = Hooks(time_budget_seconds=1e-9)
    calls: list[EntryView] = []
    cache = Cache(SMALL, evict=Scored(calls.append), hooks=hooks)

    _fill(cache, range(10))

    assert len(calls) == 3
    assert cache.stats().incidents >= 3
    assert len(cache) == 10


def test_a_keyboard_interrupt_passes() -> None:
    def interrupt(entry: EntryView) -> float:
        raise KeyboardInterrupt

    cache = Cache(SMALL, evict=Scored(interrupt))
    with pytest.raises(KeyboardInterrupt):
        cache.put("key", "value", cost_usd=1.0)

    assert len(cache) == 0
    cache.check()


def test_a_cost_that_is_none_is_refused_as_ever() -> None:
    cache = Cache(SMALL, evict=Scored(lambda entry: entry.saving_per_byte))
    with pytest.raises(CostError):
        cache.put("key", "value", cost_usd=-1.0)
    with pytest.raises(ConfigError):
        cache.put("key", "value", cost_usd=1.0, ttl_seconds=-1.0)

    assert len(cache) == 0


@pytest.mark.parametrize("score", [None, "high", 1.0, EntryView])
def test_what_cannot_be_asked_is_refused(score: Any) -> None:
    if score is EntryView:

        async def score(entry: EntryView) -> float:
            return 1.0

    with pytest.raises(ConfigError):
        Scored(score)


def test_a_simulation_asks_no_function() -> None:
    with pytest.raises(ConfigError, match="Scored"):
        simulate([1, 2], [1.0, 1.0], capacity=1, evict=Scored(lambda entry: 1.0))


# no lock


def test_a_score_may_use_the_cache() -> None:
    cache: Cache

    def score(entry: EntryView) -> float:
        cache.get(entry.key.text)
        cache.get_many(["1", "2"])
        cache.delete("gone")
        cache.stats()
        cache.peek("3")
        return len(cache) + 0.5

    cache = Cache(SMALL, evict=Scored(score))
    _fill(cache)

    assert cache.stats().incidents == 0
    assert len(cache) > 5
    cache.check()


def test_another_thread_uses_the_cache_while_a_score_is_pending() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def score(entry: EntryView) -> float:
        if entry.key.text == "slow":
            inside.set()
            assert go_on.wait(60)
        return 1.0

    hooks = Hooks(time_budget_seconds=3600.0)
    cache = Cache(SMALL, evict=Scored(score), hooks=hooks)
    putting = threading.Thread(target=cache.put, args=("slow", "value"))
    putting.start()
    assert inside.wait(60)
    assert cache.put("other", "value")
    assert cache.get("other") == "value"
    assert cache.get("slow") is None
    go_on.set()
    putting.join(60)

    assert cache.get("slow") == "value"
    assert cache.stats().incidents == 0


# the rest of the cache


async def test_an_async_cache_is_scored_alike() -> None:
    seen: list[EntryView] = []

    async def model(query: Query) -> Reply:
        return Reply(VALUE)

    cache = AsyncCache(SMALL, evict=Scored(seen.append))
    await cache.answer("q", models={"m": model})

    assert [entry.model for entry in seen] == ["m"]


def test_a_look_ahead_goes_by_the_score() -> None:
    cache = Cache(SMALL, evict=Scored(_by_number))
    _fill(cache)
    lowest = str(_held(cache)[0])

    low, high = cache.explain("-5", models=["m"]), cache.explain("99", models=["m"])

    assert low.would_evict is None
    assert high.would_evict is not None
    assert high.would_evict[0].text == lowest
    told = cache.explain("no number", models=["m"])
    assert told.troubles
    assert cache.stats().incidents == 0


def test_entries_from_a_file_are_scored_anew(tmp_path: Path) -> None:
    clock = FakeClock()
    cache, _ = _answered(lambda entry: 1.0, clock)
    cache.put("by hand", "value")
    cache.save(tmp_path / "cache")
    clock.advance(10.0)
    seen: dict[str, EntryView] = {}

    def score(entry: EntryView) -> float:
        seen[entry.key.text] = entry
        return 1.0

    loaded = Cache.load(tmp_path / "cache", evict=Scored(score), clock=clock)

    assert len(loaded) == 2
    assert (seen["q"].model, seen["q"].age_seconds) == ("m", pytest.approx(10.0))
    assert (seen["by hand"].model, seen["by hand"].age_seconds) == (None, None)
    assert seen["q"].count == 1.0


def test_scores_decide_what_a_smaller_cache_takes_from_a_state_file(tmp_path: Path) -> None:
    large = Cache(10 * SMALL, evict=Scored(lambda entry: -_by_number(entry)))
    with StateFile(tmp_path / "state", cache=large):
        _fill(large)
    small = Cache(SMALL, evict=Scored(_by_number))
    with StateFile(tmp_path / "state", cache=small):
        assert _held(small) == list(range(60))[-len(small) :]


def test_without_its_function_a_saved_cache_goes_by_lec(tmp_path: Path) -> None:
    cache = Cache(SMALL, evict=Scored(_by_number))
    for number in range(60):
        cache.put(str(number), VALUE, cost_usd=1.0)
    cache.save(tmp_path / "cache")

    loaded = Cache.load(tmp_path / "cache")
    for _ in range(50):
        loaded.get("-1")
    loaded.put("-1", VALUE, cost_usd=50.0)

    assert loaded.get("-1") == VALUE
    assert cache.put("-1", VALUE, cost_usd=50.0) is False


def test_an_interrupted_load_raises(tmp_path: Path) -> None:
    cache = Cache(SMALL)
    _fill(cache, range(3))
    cache.save(tmp_path / "cache")

    def interrupt(entry: EntryView) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache.load(tmp_path / "cache", evict=Scored(interrupt))
