"""What one request asks of the cache and of the router, and what shadow mode records."""

from typing import Any

import pytest

from lecmux import AsyncCache, Cache, Hooks, Price, Query, Reply, Router, Usage
from lecmux.errors import ConfigError
from lecmux.events import CacheHit, CacheMiss, Event, Route, Shadow
from lecmux.flow import Core
from lecmux.query import Key

PRICES = {"small": Price(usd_per_second=1.0), "large": Price(usd_per_second=10.0)}


class Model:
    """Answers each call anew, numbered; it takes one second."""

    def __init__(self, name: str) -> None:
        self.name, self.calls = name, 0

    def __call__(self, query: Query) -> Reply:
        self.calls += 1
        return Reply(f"{self.name} {self.calls}", Usage(seconds=1.0))


def _pair() -> dict[str, Model]:
    return {"small": Model("small"), "large": Model("large")}


def _router(**more: Any) -> Router:
    return Router(["small", "large"], **{"prices": PRICES, **more})


def _heard() -> tuple[Cache, list[Event]]:
    events: list[Event] = []
    return Cache(100_000, hooks=Hooks(listeners=[events.append])), events


# use, refresh, skip


def test_refresh_calls_and_replaces_what_is_stored() -> None:
    cache, model = Cache(100_000), Model("m")
    cache.answer("q", models={"m": model})

    assert cache.answer("q", models={"m": model}, cache="refresh").value == "m 2"
    assert cache.answer("q", models={"m": model}).value == "m 2"
    assert model.calls == 2


def test_skip_calls_and_leaves_what_is_stored() -> None:
    cache, model = Cache(100_000), Model("m")
    cache.answer("q", models={"m": model})

    assert cache.answer("q", models={"m": model}, cache="skip").value == "m 2"
    assert cache.answer("q", models={"m": model}).value == "m 1"
    assert cache.answer("other", models={"m": model}, cache="skip").value == "m 3"
    assert cache.get("other") is None


@pytest.mark.parametrize("mode", ["refresh", "skip"])
def test_what_is_asked_past_the_cache_is_learnt_as_well(mode: Any) -> None:
    """Large is dear elsewhere and cheap on this question, which has to come often to be worth the try."""
    cache, router = Cache(100_000), _router()

    def took(seconds: float) -> Any:
        return lambda query: Reply("answer", Usage(seconds=seconds if query.text == "q" else 1.0))

    models = {"small": took(2.0), "large": took(0.1)}
    for number in range(8):
        cache.answer(f"other {number}", models=models, router=router, route="large")

    asked = [cache.answer("q", models=models, router=router, cache=mode).decision.model for _ in range(60)]
    assert asked[0] == "small"
    assert asked[-1] == "large"


async def test_the_same_holds_with_awaits() -> None:
    cache, model = AsyncCache(100_000), Model("m")
    values = [
        (await cache.answer("q", models={"m": model}, cache=mode)).value
        for mode in ("skip", "use", "use", "refresh", "use")
    ]

    assert values == ["m 1", "m 2", "m 2", "m 3", "m 3"]


def test_a_listener_hears_why_nothing_was_looked_up() -> None:
    cache, heard = _heard()
    cache.answer("q", models={"m": Model("m")}, cache="refresh")
    cache.answer("q", models={"m": Model("m")}, cache="skip")

    assert [event.reason for event in heard if isinstance(event, CacheMiss)] == ["refresh", "skip"]


@pytest.mark.parametrize("word", ["off", "", None, True, "USE"])
def test_another_word_names_the_choices(word: Any) -> None:
    with pytest.raises(ConfigError, match="'use', 'refresh', 'skip'"):
        Cache(100_000).answer("q", models={"m": Model("m")}, cache=word)
    with pytest.raises(ConfigError):
        Core(["m"], mode=word)


# a forced route


def test_a_forced_route_asks_that_model_and_serves_only_its_answers() -> None:
    cache, models, router = Cache(100_000), _pair(), _router()
    cache.answer("q", models=models, router=router, route="large")

    assert cache.answer("q", models=models, router=router, route="small").decision.model == "small"
    again = cache.answer("q", models=models, router=router, route="small").decision
    assert (again.kind, again.model) == ("hit", "small")
    assert (models["small"].calls, models["large"].calls) == (1, 1)


def test_a_route_that_is_not_there_names_the_models() -> None:
    with pytest.raises(ConfigError, match="route must be one of 'small', 'large'"):
        Cache(100_000).answer("q", models=_pair(), router=_router(), route="huge")


# the baseline


def test_the_baseline_is_the_dearest_by_price_or_the_one_named() -> None:
    assert Router(["large", "small"], prices=PRICES).baseline == "large"
    assert Router(["large", "small"]).baseline == "small", "without prices the last named"
    assert Router(["a", "b"], prices={"a": Price.free(), "b": Price.free()}).baseline == "b"
    assert _router(baseline="small").baseline == "small"
    with pytest.raises(ConfigError, match="no model 'huge'"):
        _router(baseline="huge")


def test_savings_count_against_the_baseline() -> None:
    cache, router = Cache(100_000), Router(["small", "large"], prices=PRICES, baseline="small")

    large = cache.answer("q", models=_pair(), router=router, route="large").decision
    small = cache.answer("q", models=_pair(), router=router, route="small").decision

    assert (large.saved, small.saved) == (pytest.approx(-9.0), 0.0)


# shadow


def test_in_shadow_the_baseline_answers_even_where_an_answer_is_stored() -> None:
    cache, heard = _heard()
    models, router = _pair(), _router()

    answers = [cache.answer("q", models=models, router=router, shadow=True) for _ in range(3)]

    assert [answer.value for answer in answers] == ["large 1", "large 2", "large 3"]
    assert {answer.decision.reason for answer in answers} == {"shadow"}
    assert models["small"].calls == 0
    assert cache.get("q") == "large 1", "what would have been served stays as it is"
    kinds = [(event.decision.kind, event.same) for event in heard if isinstance(event, Shadow)]
    assert kinds == [("call", None), ("hit", False), ("hit", False)]
    assert not [event for event in heard if isinstance(event, CacheHit)]
    assert [event.decision.model for event in heard if isinstance(event, Route)] == ["large"] * 3


def test_what_shadow_would_have_saved_is_kept_apart() -> None:
    cache, router = Cache(100_000), _router()
    for _ in range(2):
        router.learn(Key("q"), "small", paid=1.0, error=0.0)
        router.learn(Key("q"), "large", paid=10.0, error=0.0)
    cache.answer("q", models=_pair(), router=router, shadow=True)
    cache.answer("q", models=_pair(), router=router, shadow=True)

    stats = cache.stats()
    assert stats.spent_usd == pytest.approx(20.0)
    assert (stats.saved_by_hits_usd, stats.saved_by_routing_usd) == (0.0, 0.0)
    assert stats.usd.would_save_by_routing == 9_000_000_000
    assert stats.usd.would_save_by_hits == 10_000_000_000
    assert stats.would_save_usd == pytest.approx(19.0)


def test_shadow_compares_the_stored_answer_with_the_new_one() -> None:
    cache, heard = _heard()
    for _ in range(2):
        cache.answer("q", models={"m": lambda query: "always"}, shadow=True)

    assert [event.same for event in heard if isinstance(event, Shadow)] == [None, True]


def test_shadow_keeps_to_a_forced_route_and_to_the_cache_mode() -> None:
    cache, models, router = Cache(100_000), _pair(), _router()

    forced = cache.answer("q", models=models, router=router, route="small", shadow=True)
    cache.answer("other", models=models, router=router, cache="skip", shadow=True)

    assert forced.value == "small 1"
    assert cache.get("other") is None


def test_equal_requests_in_shadow_share_nothing() -> None:
    assert not Core(["m"], Cache(100_000), shadow=True).shares(Key("q"))


def test_a_shadow_that_cannot_be_booked_costs_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, router = Cache(100_000), _router()
    monkeypatch.setattr(router, "typical", None)

    assert cache.answer("q", models=_pair(), router=router, shadow=True).value == "large 1"
    assert cache.stats().incidents
