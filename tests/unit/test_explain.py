"""What would become of a request: the same as then becomes of it, and asking leaves no trace."""

from typing import Any

import pytest

from lecmux import AsyncCache, Cache, Cascade, Decision, Hooks, Lec, Price, Query, Reply, Router, Usage
from lecmux.events import Event
from lecmux.explain import Estimate, Explanation
from lecmux.query import Key
from lecmux.testing import FakeClock, ScriptedModel

PRICES = {"small": Price(usd_per_second=0.001), "large": Price(usd_per_second=0.01)}
MODELS = {name: ScriptedModel(default=f"of {name}", seconds=2.0) for name in PRICES}


def _router(**settings: Any) -> Router:
    return Router(list(PRICES), prices=PRICES, price_of_wrong_usd=1.0, **settings)


def test_an_empty_cache_would_call_and_push_nothing_out() -> None:
    cache, router = Cache(100_000), _router()

    told = cache.explain(Query("q", scope="s", fingerprint="f"), router=router)

    assert (told.outcome, told.why, told.key) == ("call", "absent", Key("q", "s", "f"))
    assert (told.stored, told.would_evict, told.troubles, told.unit) == (None, (), (), "usd")
    assert told.models == {name: Estimate(0.0, None, 0.0) for name in PRICES}
    assert told.model == cache.answer("q", models=MODELS, router=router).decision.model


def test_a_stored_answer_is_a_hit_with_its_facts() -> None:
    clock = FakeClock(1000.0)
    cache, router = Cache(100_000, clock=clock), _router()
    called = cache.answer("q", models=MODELS, router=router).decision
    clock.advance(30)

    told = cache.explain("q", router=router)

    assert (told.outcome, told.why, told.model, told.reason) == ("hit", "exact", called.model, "exact")
    assert told.stored is not None
    assert (told.stored.model, told.stored.cost) == (called.model, called.cost)
    assert told.stored.age_seconds == 30.0
    known = told.models[str(called.model)]
    assert (known.mean, known.tries) == (called.cost, 1.0)
    assert 0 < known.lower <= called.cost
    assert told.count == 1.0
    assert cache.forget(told.stored.hit_id)


def test_an_answer_known_to_be_wrong_is_declined() -> None:
    cache, router = Cache(100_000), _router()
    called = cache.answer("q", models=MODELS, router=router).decision
    cache.observe(called.id, quality=0.0)

    told = cache.explain("q", router=router)

    assert (told.outcome, told.why) == ("call", "declined")
    assert told.stored is not None
    assert told.stored.hit_cost == 1.0
    assert told.model != called.model
    assert told.model == cache.answer("q", models=MODELS, router=router).decision.model


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"cache": "refresh"}, "refresh"), ({"cache": "skip"}, "skip"), ({"route": "large"}, "not_allowed")],
)
def test_what_the_request_asks_for_is_heeded(settings: dict[str, Any], why: str) -> None:
    cache, router = Cache(100_000), _router()
    cache.answer("q", models=MODELS, router=router, route="small")

    told = cache.explain("q", router=router, **settings)

    assert (told.outcome, told.why) == ("call", why)
    assert told.would_evict == (None if why == "skip" else ())


def test_a_full_cache_names_what_would_leave() -> None:
    cache = Cache(20_000, evict=Lec(bypass=False))
    for number in range(100):
        cache.put(f"key {number}", "v" * 150, cost_usd=1.0)

    told = cache.explain("new")
    assert told.would_evict
    assert cache.put("new", "v" * told.answer_bytes, cost_usd=1.0)

    assert [cache.peek(key.text) for key in told.would_evict] == [None] * len(told.would_evict)
    declined = Cache(20_000)
    assert declined.explain("q", answer_bytes=30_000).would_evict is None


def test_asking_leaves_no_trace() -> None:
    heard: list[Event] = []
    cache = Cache(20_000, hooks=Hooks(scope=lambda query: "s", listeners=[heard.append]))
    router = _router()
    for number in range(100):
        cache.answer(f"q {number % 40}", models=MODELS, router=router)
    heard.clear()
    before = cache.to_bytes("")

    for number in range(50):
        cache.explain(f"q {number}", router=router)

    assert cache.to_bytes("") == before
    assert heard == []


def test_a_cache_that_is_asked_goes_on_like_one_that_is_not() -> None:
    def decisions(*, asked: bool) -> list[Any]:
        cache, router = Cache(8_000, clock=FakeClock()), _router()
        made: list[Decision] = []
        for number in range(300):
            query = f"q {number * 7 % 31}"
            if asked:
                cache.explain(query, router=router)
            made.append(cache.answer(query, models=MODELS, router=router).decision)
            cache.observe(made[-1].id, quality=float(number % 3 > 0))
        return [(one.kind, one.model, one.reason, one.lower) for one in made]

    assert decisions(asked=True) == decisions(asked=False)


def test_a_model_that_failed_rests_and_a_cascade_is_named() -> None:
    def broken(query: Query) -> Reply:
        raise OSError("down")

    cascade = Cascade("small", "large", check=lambda query, reply: True)
    cache, router = Cache(100_000), _router(arms=[cascade], seed=1)
    for number in range(3):
        with pytest.raises(OSError, match="down"):
            cache.answer(f"q {number}", models=MODELS | {"small": broken}, router=router, route="small")

    told = cache.explain("new", router=router)
    forced = cache.explain("new", router=_router(arms=[cascade]), route="small then large")

    assert told.resting == ("small",)
    assert "resting after failures: small" in str(told)
    assert (forced.model, forced.arm) == ("small", "small then large")
    assert "would call: small (only), by the cascade small then large" in str(forced)


def test_asking_settles_no_unit() -> None:
    cache = Cache(100_000)
    cache.explain("q")
    cache.explain("q", router=_router())

    assert cache.unit is None


def test_the_hooks_are_asked_and_their_trouble_is_told_and_not_counted() -> None:
    def broken(query: Query, *_: Any) -> str:
        raise OSError("no directory")

    cache = Cache(100_000, hooks=Hooks(text=lambda query: query.text.lower(), scope=broken, route=broken))

    told = cache.explain("Q", router=_router())

    assert (told.key, told.why, told.would_evict) == (None, "no_key", None)
    assert told.troubles == ("hook:scope: OSError: no directory", "hook:route: OSError: no directory")
    assert cache.stats().incidents == 0


def test_the_route_hook_has_its_say() -> None:
    cache = Cache(100_000, hooks=Hooks(route=lambda query, decision: "large", text=lambda query: "key"))

    told = cache.explain("q", router=_router())

    assert (told.model, told.reason) == ("large", "hook")
    assert told.key == Key("key")


async def test_async_hooks_are_awaited() -> None:
    async def text(query: Query) -> str:
        return "key"

    async def route(query: Query, decision: Any) -> str:
        return "large"

    told = await AsyncCache(100_000, hooks=Hooks(text=text, route=route)).explain("q", router=_router())

    assert (told.key, told.model, told.troubles) == (Key("key"), "large", ())


def test_a_plain_cache_explains_its_look_up() -> None:
    cache = Cache(100_000)
    cache.put("q", "by hand", cost_usd=1.0)

    told = cache.explain("q")

    assert (told.outcome, told.model) == ("hit", None)
    assert told.stored is not None
    assert told.stored.age_seconds is None
    assert cache.explain("other").model is None


def test_it_reads_as_a_text() -> None:
    cache, router = Cache(100_000, clock=FakeClock(0.0)), _router()
    model = {"small": lambda query: Reply("r", Usage(seconds=2.0))}
    cache.answer(Query("What is RAM?", scope="ada"), models=MODELS | model, router=router, route="small")

    text = str(cache.explain(Query("What is RAM?", scope="ada"), router=router))
    other = str(cache.explain("x" * 100, router=router))

    assert text.splitlines()[:3] == [
        "hit: a stored answer is served",
        "key: 'What is RAM?', scope 'ada', asked 1 times",
        "stored: an answer of small, 0 s old, "
        + text.splitlines()[2].split("old, ")[1].split(",")[0]
        + ", cost $0.002",
    ]
    assert "small: mean $0.002, at least $0.001, 1 tries" in text
    assert f"'{'x' * 57}...'" in other
    assert "would push nothing out" in other


def test_every_reason_has_a_sentence() -> None:
    for why in ("exact", "absent", "not_allowed", "declined", "refresh", "skip", "no_store", "no_key"):
        assert str(Explanation(None, "call", why, None, "", "usd")).startswith("call: ")
