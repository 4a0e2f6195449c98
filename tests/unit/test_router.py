"""Money rules and learning: what a call costs, what is learnt of it, what a stored answer is worth."""

import logging
from pathlib import Path

import pytest

from lecmux import Cache, Price, Query, Reply, Router, Usage
from lecmux.errors import ConfigError, CostError, PriceError, SnapshotError
from lecmux.query import Key
from lecmux.routers._open import Open, OpenDecisions, Origin
from lecmux.testing import ScriptedModel

MODELS = ["small", "large"]
PRICES = {"small": Price(usd_per_second=1.0), "large": Price(usd_per_second=10.0)}
KEY = Key("q")


def _router(**more: object) -> Router:
    return Router(MODELS, **{"prices": PRICES, "price_of_wrong_usd": 50.0, **more})  # type: ignore[arg-type]


def _taught(key: Key = KEY, *, small: float = 1.0, large: float = 10.0, times: int = 5) -> Router:
    """A router that knows both models on `key`."""
    router = _router()
    for _ in range(times):
        router.learn(key, "small", paid=small, error=0.0)
        router.learn(key, "large", paid=large, error=0.0)
    return router


def test_the_cheaper_of_two_known_models_is_chosen() -> None:
    decision = _taught().route(KEY, count=10.0)

    assert (decision.kind, decision.model, decision.unit) == ("call", "small", "usd")
    assert decision.mean == {"small": pytest.approx(1.0), "large": pytest.approx(10.0)}
    assert decision.tries == {"small": 5, "large": 5}
    assert set(decision.lower) == set(MODELS)
    assert 0 < decision.propensity <= 1
    assert decision.reason


def test_a_cheap_model_that_is_wrong_loses_to_a_dear_one_that_is_right() -> None:
    router = _router()
    for _ in range(5):
        router.learn(KEY, "small", paid=1.0, error=50.0)
        router.learn(KEY, "large", paid=10.0, error=0.0)

    assert router.route(KEY, count=10.0).model == "large"


def test_only_the_models_allowed_are_chosen() -> None:
    assert _taught().route(KEY, count=10.0, allowed=["large"]).model == "large"
    with pytest.raises(ConfigError, match="no model 'huge'"):
        _taught().route(KEY, allowed=["huge"])


def test_a_miss_is_worth_what_the_model_that_would_run_costs() -> None:
    cheap, dear = _taught(times=200), _taught(small=20.0, times=200)

    assert cheap.value(KEY, count=10.0) == pytest.approx(1.0, abs=0.1)
    assert cheap.value(KEY, count=10.0) < 1.0, "a lower bound"
    assert dear.value(KEY, count=10.0) == pytest.approx(10.0, abs=0.1)
    assert dear.value(KEY, count=10.0) < 10.0, "a lower bound"


def test_a_call_is_expected_to_cost_what_the_chosen_model_cost_so_far() -> None:
    assert _taught().expected(KEY, count=10.0) == pytest.approx(1.0)
    assert _taught(small=20.0).expected(KEY, count=10.0) == pytest.approx(10.0)
    assert _router().expected(KEY, count=10.0) == 0.0, "nothing is known: the floor"


def test_the_route_alone_teaches_nothing() -> None:
    router = _router()
    for _ in range(3):
        decision = router.route(KEY, count=1.0)

    assert decision.tries == {"small": 0, "large": 0}
    assert decision.mean == {}


def test_what_is_learnt_stays_within_its_scope() -> None:
    router = _taught(Key("q", scope="a"))

    assert router.route(Key("q", scope="b")).tries == {"small": 0, "large": 0}


@pytest.mark.parametrize("cost", [float("nan"), float("inf"), -1.0])
def test_an_impossible_cost_is_refused(cost: float) -> None:
    with pytest.raises(CostError):
        _router().learn(KEY, "small", paid=cost, error=0.0)


def test_saving_compares_with_the_dearest_model() -> None:
    usage = Usage(seconds=2.0)
    untaught, taught = _router(), _taught(large=14.0)

    assert untaught.saving("small", paid=2.0, usage=usage) == pytest.approx(18.0), (
        "its price at these seconds"
    )
    assert taught.saving("small", paid=2.0, usage=usage) == pytest.approx(12.0), "its mean so far"
    assert taught.saving("large", paid=9.0, usage=usage) == 0.0


@pytest.mark.parametrize("models", ["small", [], ["a", "a"], [""], ["a", 1]])
def test_names_that_cannot_work_are_refused(models: list[str]) -> None:
    with pytest.raises(ConfigError):
        Router(models)


@pytest.mark.parametrize(
    "setting",
    [{"cost_floor": -1.0}, {"cost_ceiling": 0.0}, {"max_keys": 0}, {"seed": -1}, {"seed": 1.5}],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        _router(**setting)


def test_without_prices_every_decision_says_seconds() -> None:
    router = Router(MODELS, price_of_wrong_seconds=60.0)

    assert router.unit == router.route(KEY).unit == "seconds"


def test_what_was_learnt_comes_back_from_a_file(tmp_path: Path) -> None:
    router = _taught()
    router.save(tmp_path / "router")

    loaded = Router.load(tmp_path / "router")

    old, new = router.route(KEY, count=10.0), loaded.route(KEY, count=10.0)
    assert (new.model, new.mean, new.tries) == (old.model, old.mean, old.tries)
    assert loaded.objective == router.objective
    assert loaded.saving("small", paid=1.0, usage=Usage()) == router.saving("small", paid=1.0, usage=Usage())
    assert (tmp_path / "router").stat().st_mode & 0o777 == 0o600


def test_a_corrupt_or_foreign_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "router"
    _taught().save(file)
    whole = file.read_bytes()
    Cache(1000).save(tmp_path / "cache")
    bad = [b"", b"x", whole[:-1], whole[:20], whole + b"x", (tmp_path / "cache").read_bytes()]
    bad += [whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :] for place in range(len(whole))]

    for content in bad:
        file.write_bytes(content)
        with pytest.raises(SnapshotError):
            Router.load(file)
    with pytest.raises(SnapshotError):
        Cache.load(file)


# what is learnt later


def _wrong(text: str = "wrong") -> ScriptedModel:
    return ScriptedModel({"q": text})


def test_a_quality_learnt_later_amends_the_model_and_prices_the_entry() -> None:
    cache, router = Cache(100_000), _router()
    models = {"small": _wrong(), "large": ScriptedModel({"q": "right"})}
    first = cache.answer("q", models=models, router=router)
    before = router.route(KEY).mean[str(first.decision.model)]

    assert cache.observe(first.decision.id, quality=0.0)

    assert router.route(KEY).mean[str(first.decision.model)] == pytest.approx(before + 50.0)
    hit = cache.peek("q")
    assert hit is not None
    assert hit.hit_cost == pytest.approx(50.0)
    assert cache.stats().price_of_errors_usd == 50.0


def test_a_stored_answer_known_to_be_wrong_is_declined_while_a_call_costs_less() -> None:
    cache, router = Cache(100_000), _router()
    models = {"small": _wrong(), "large": ScriptedModel({"q": "right"})}
    first = cache.answer("q", models=models, router=router)
    assert first.decision.model == "small"
    cache.observe(first.decision.id, quality=0.0)

    second = cache.answer("q", models=models, router=router)
    cache.observe(second.decision.id, quality=1.0)
    third = cache.answer("q", models=models, router=router)

    assert (second.decision.kind, second.decision.model, second.value) == ("call", "large", "right")
    assert (third.decision.kind, third.value) == ("hit", "right")


def test_a_wrong_answer_is_served_at_its_price_where_a_call_costs_more() -> None:
    cache, router = Cache(100_000), _router(price_of_wrong_usd=0.5)
    models = {"small": _wrong(), "large": _wrong()}
    router.learn(KEY, "large", paid=10.0, error=0.0)
    first = cache.answer("q", models=models, router=router)
    cache.observe(first.decision.id, quality=0.0)

    second = cache.answer("q", models=models, router=router)

    assert (first.decision.model, second.decision.kind) == ("small", "hit")
    assert cache.stats().price_of_errors_usd == 1.0, "charged for the call and for the hit"


def test_a_quality_learnt_of_hits_is_told_to_the_model_once() -> None:
    cache, router = Cache(100_000), _router(price_of_wrong_usd=0.5)
    models = {"small": _wrong(), "large": _wrong()}
    called = cache.answer("q", models=models, router=router)
    hits = [cache.answer("q", models=models, router=router) for _ in range(3)]
    before = router.route(KEY).mean[str(called.decision.model)]

    for decision in (*(hit.decision for hit in hits), called.decision):
        assert cache.observe(decision.id, quality=0.0)

    assert router.route(KEY).mean[str(called.decision.model)] == pytest.approx(before + 0.5)
    assert cache.stats().price_of_errors_usd == 2.0, "each of the four answers was wrong"


def test_a_newer_word_replaces_the_older() -> None:
    cache, router = Cache(100_000), _router()
    models = {"small": _wrong(), "large": _wrong()}
    decision = cache.answer("q", models=models, router=router).decision
    before = router.route(KEY).mean[str(decision.model)]
    for quality in (0.0, 0.5, 1.0):
        cache.observe(decision.id, quality=quality)

    assert router.route(KEY).mean[str(decision.model)] == pytest.approx(before)
    assert cache.stats().price_of_errors_usd == 0.0


def test_a_word_on_an_answer_long_replaced_is_taken_without_an_error() -> None:
    cache, router = Cache(100_000), Router(["m"], prices={"m": Price.free()}, price_of_wrong_usd=5.0)
    old = cache.answer("q", models={"m": _wrong()}, router=router).decision
    cache.observe(old.id, quality=0.0)
    cache.delete("q")
    cache.answer("q", models={"m": _wrong("right")}, router=router)

    assert cache.observe(old.id, quality=1.0)
    assert cache.stats().price_of_errors_usd == 0.0


def test_an_answer_that_took_the_place_of_another_keeps_its_own_price() -> None:
    cache, router = Cache(100_000), _router()
    models = {"small": _wrong(), "large": _wrong()}
    old = cache.answer("q", models=models, router=router).decision
    cache.delete("q")
    cache.answer("q", models=models, router=router)

    assert cache.observe(old.id, quality=0.0)

    hit = cache.peek("q")
    assert hit is not None
    assert hit.hit_cost == 0.0


def test_an_unknown_or_forgotten_decision_is_said_so() -> None:
    assert not _router().observe("nobody", quality=1.0)
    assert not Cache(1000).observe("nobody", quality=1.0)


@pytest.mark.parametrize("quality", [-0.1, 1.1, float("nan"), True, "good", None])
def test_an_impossible_quality_is_refused(quality: float) -> None:
    with pytest.raises(ConfigError, match="quality"):
        _router().observe("id", quality=quality)


def test_open_decisions_are_bounded_in_number_and_in_characters() -> None:
    few, short = OpenDecisions(most=3), OpenDecisions(most_characters=25)
    for number in range(10):
        decision = _router().route(Key(f"{number:010d}"))
        origin = Origin(decision.id, Key(f"{number:010d}"), "small", 0.0)
        entry = Open(
            decision.id,
            decision.model,
            decision.unit,
            origin,
            0.0,
            lambda: None,
            lambda entry, uncharged, quality: None,
        )
        few.add(entry)
        short.add(entry)

    assert (len(few), len(short)) == (3, 2)
    assert few.get(decision.id) is entry


def test_open_decisions_keep_no_cache_alive() -> None:
    import gc
    import weakref

    router = _router()
    cache = Cache(100_000)
    decision = cache.answer("q", models={"small": _wrong(), "large": _wrong()}, router=router).decision
    gone = weakref.ref(cache)

    del cache
    gc.collect()

    assert gone() is None
    assert router.observe(decision.id, quality=0.0)


def test_two_units_never_meet_in_one_cache() -> None:
    cache = Cache(100_000)
    cache.put("a", "1", cost_usd=0.5)

    with pytest.raises(PriceError, match="counts costs in usd"):
        cache.answer("q", models={"small": _wrong(), "large": _wrong()}, router=Router(MODELS))

    timed = Cache(100_000)
    timed.answer("q", models={"m": _wrong()})
    with pytest.raises(PriceError, match="counts costs in seconds"):
        timed.put("a", "1", cost_usd=0.5)


def test_dollars_of_a_cache_that_counts_seconds_are_refused() -> None:
    cache = Cache(100_000)
    cache.answer("q", models={"m": ScriptedModel({"q": "r"}, seconds=2.0)})

    assert cache.stats().spent_seconds == 2.0
    for name in ("spent_usd", "saved_by_hits_usd", "saved_by_routing_usd", "price_of_errors_usd"):
        with pytest.raises(PriceError, match="seconds"):
            getattr(cache.stats(), name)


def test_a_model_priced_by_tokens_that_counts_none_is_an_incident_not_a_zero() -> None:
    cache = Cache(100_000)
    router = Router(["m"], prices={"m": Price(1.0, 1.0)})

    done = cache.answer("q", models={"m": lambda query: "text"}, router=router)

    assert done.value == "text"
    assert cache.stats().incidents == 1
    assert router.route(KEY).tries == {"m": 0}, "nothing was learnt"


def test_the_ledgers_add_up() -> None:
    cache, router = Cache(100_000), _router()

    def model(query: Query) -> Reply:
        return Reply("r", Usage(seconds=2.0))

    for number in range(40):
        cache.answer(f"q{number % 4}", models={"small": model, "large": model}, router=router)

    stats = cache.stats()
    assert stats.hits == 36
    assert stats.spent_seconds == 8.0
    assert stats.saved_by_hits_seconds == 72.0
    assert stats.spent_usd + stats.saved_by_hits_usd + stats.saved_by_routing_usd == pytest.approx(40 * 20.0)
    assert stats.saved_by_hits_usd == pytest.approx(9 * stats.spent_usd)


def test_an_error_that_costs_nothing_is_mentioned_once(caplog: pytest.LogCaptureFixture) -> None:
    cache, router = Cache(100_000), Router(["only"])
    decision = cache.answer("q", models={"only": lambda _: "wrong"}, router=router).decision
    caplog.clear()
    with caplog.at_level(logging.WARNING, "lecmux"):
        assert router.observe(decision.id, quality=0.0)
        assert router.observe(decision.id, quality=0.0)
    assert [record.getMessage() for record in caplog.records] == [
        "an answer was reported wrong, but wrong answers are free: set price_of_wrong_seconds"
    ]


def test_a_cost_that_cannot_be_known_is_none_in_the_decision() -> None:
    """A model priced by tokens that counts none."""
    router = Router(["only"], prices={"only": Price(output_usd_per_million=1.0)})
    decision = Cache(100_000).answer("q", models={"only": lambda _: "a"}, router=router).decision
    assert decision.cost is None
