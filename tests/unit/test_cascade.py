"""A cascade is one more arm: the small model, a check, the large one; all its calls are charged."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from lecmux import Answer, AsyncCache, Cache, Cascade, Hooks, Price, Query, Reply, Router, Threaded, Usage
from lecmux.errors import ConfigError, SnapshotError
from lecmux.events import Event, Incident, Route
from lecmux.flow import Call, Core, answer, astream, stream
from lecmux.query import Key

PRICES = {"small": Price(usd_per_second=1.0), "large": Price(usd_per_second=10.0)}
ARM = "small then large"


def _good(request: Query, reply: Reply) -> bool:
    return "good" in str(reply.value)


def _router(check: Any = _good, **more: Any) -> Router:
    arms = [Cascade("small", "large", check=check)]
    return Router(["small", "large"], **{"prices": PRICES, "arms": arms, **more})


def _models(small: Any = "bad", large: Any = "good") -> dict[str, Any]:
    def model(says: Any) -> Any:
        def ask(query: Query) -> Reply:
            if isinstance(says, BaseException):
                raise says
            return Reply(says, Usage(seconds=1.0))

        return ask

    return {"small": model(small), "large": model(large)}


def _ask(cache: Cache, router: Router, models: dict[str, Any], text: str = "q", **more: Any) -> Answer:
    return cache.answer(text, models=models, router=router, route=ARM, **more)


def test_an_answer_that_passes_is_given_at_the_price_of_one_call() -> None:
    cache = Cache(100_000)

    done = _ask(cache, _router(), _models(small="good small"))

    assert (done.value, done.decision.arm, done.decision.model) == ("good small", ARM, "small")
    assert done.decision.cost == pytest.approx(1.0)
    assert cache.stats().spent_usd == pytest.approx(1.0)


def test_an_answer_that_does_not_pass_is_replaced_and_both_calls_are_charged() -> None:
    cache, router = Cache(100_000), _router()

    done = _ask(cache, router, _models())

    assert (done.value, done.decision.arm, done.decision.model) == ("good", ARM, "large")
    assert done.decision.cost == pytest.approx(11.0)
    assert done.decision.saved == pytest.approx(-1.0), "against the large model alone"
    stats = cache.stats()
    assert (stats.spent_usd, stats.spent_seconds) == (pytest.approx(11.0), pytest.approx(2.0))
    assert router.route(Key("q")).mean == {ARM: pytest.approx(11.0)}
    hit = cache.answer("q", models=_models(), router=router).decision
    assert (hit.kind, hit.model, hit.saved) == ("hit", "large", pytest.approx(11.0))


def test_its_stored_answers_are_served_where_it_may_be_chosen() -> None:
    cache, router = Cache(100_000), _router()
    _ask(cache, router, _models())

    assert _ask(cache, router, _models()).decision.kind == "hit"
    assert cache.answer("q", models=_models(), router=router, route="small").decision.kind == "call"


async def test_the_same_holds_with_awaits() -> None:
    cache, router, calls = AsyncCache(100_000), _router(), []

    def model(name: str, says: str) -> Any:
        async def ask(query: Query) -> Reply:
            await asyncio.sleep(0)
            calls.append(name)
            return Reply(says, Usage(seconds=1.0))

        return ask

    models = {"small": model("small", "bad"), "large": model("large", "good")}
    done = await cache.answer("q", models=models, router=router, route=ARM)

    assert (done.value, calls) == ("good", ["small", "large"])
    assert done.decision.cost == pytest.approx(11.0)


def test_the_router_learns_which_arm_is_cheapest() -> None:
    """Easy questions: small is right. Hard ones: it is wrong, which costs much unless a check sees it."""

    def small(query: Query) -> Reply:
        return Reply("good" if query.text.startswith("easy") else "bad", Usage(seconds=1.0))

    def right(request: Query, reply: Reply) -> float:
        return float(str(reply.value) == "good")

    cache = Cache(100_000, hooks=Hooks(quality=right))
    router = _router(price_of_wrong_usd=50.0)
    models = {**_models(), "small": small}
    for _ in range(30):
        for text in ("easy", "hard"):
            cache.answer(text, models=models, router=router, cache="skip")

    easy, hard = (router.route(Key(text), count=2.0) for text in ("easy", "hard"))
    assert easy.arm in {"small", ARM}
    assert hard.arm == "large"
    assert hard.mean == {
        "small": pytest.approx(51.0),
        "large": pytest.approx(10.0),
        ARM: pytest.approx(11.0),
    }, "the failed call of the small model is charged to the cascade"


@pytest.mark.parametrize("word", [RuntimeError("no judge"), None, "yes", 1])
def test_a_check_that_fails_cannot_say_yes(word: Any) -> None:
    heard: list[Event] = []

    def check(request: Query, reply: Reply) -> Any:
        if isinstance(word, Exception):
            raise word
        return word

    cache = Cache(100_000, hooks=Hooks(listeners=[heard.append]))

    assert _ask(cache, _router(check), _models(small="good small")).value == "good"
    assert [event.stage for event in heard if isinstance(event, Incident)] == ["check"]


def test_a_check_may_be_an_object_and_sees_the_request_and_the_whole_reply() -> None:
    seen: list[Any] = []

    class Judge:
        def check(self, request: Query, reply: Reply, /) -> bool:
            seen.append((request.text, reply.value, reply.usage.seconds))
            return True

    _ask(Cache(100_000), _router(Judge()), _models())

    assert seen == [("q", "bad", 1.0)]


def test_listeners_hear_of_each_model_that_is_asked() -> None:
    heard: list[Event] = []
    _ask(Cache(100_000, hooks=Hooks(listeners=[heard.append])), _router(), _models())

    assert [event.decision.model for event in heard if isinstance(event, Route)] == ["small", "large"]


def test_where_the_first_fails_the_second_answers() -> None:
    done = _ask(Cache(100_000), _router(), _models(small=OSError("down")))

    assert (done.value, done.decision.reason) == ("good", "fallback")
    assert (done.decision.model, done.decision.failed) == ("large", ("small",))


def test_where_the_second_fails_the_answer_of_the_first_is_given_back_and_not_stored() -> None:
    cache, router = Cache(100_000), _router()

    done = _ask(cache, router, _models(large=OSError("down")))

    assert (done.value, done.decision.model, done.decision.reason) == ("bad", "small", "fallback")
    assert done.decision.failed == ("large",)
    assert cache.get("q") is None
    stats = cache.stats()
    assert stats.spent_usd == pytest.approx(1.0, abs=0.1), "charged once"
    assert stats.spent_seconds == pytest.approx(1.0, abs=0.1)


def test_without_fallback_the_failure_of_the_second_is_raised_and_the_first_call_stays_charged() -> None:
    cache, error = Cache(100_000), OSError("down")

    with pytest.raises(OSError, match="down") as raised:
        _ask(cache, _router(fallback=False), _models(large=error))

    assert raised.value is error
    assert cache.stats().spent_usd == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_was_paid_before_an_interrupt_is_charged_and_nothing_is_stored(stop: BaseException) -> None:
    cache = Cache(100_000)

    with pytest.raises(type(stop)):
        _ask(cache, _router(), _models(large=stop))

    assert cache.stats().spent_usd == pytest.approx(1.0)
    assert cache.get("q") is None


def test_a_cost_that_cannot_be_known_is_not_learnt_as_less() -> None:
    prices = {"small": Price(input_usd_per_million=1.0), "large": Price(input_usd_per_million=10.0)}
    router = _router(prices=prices)

    done = _ask(Cache(100_000), router, _models())

    assert done.decision.cost is None
    assert router.route(Key("q")).mean == {}


# streams


def _streaming(says: dict[str, Any]) -> Any:
    def call(effect: Call) -> Generator[str | Reply, None, None]:
        pieces = says[effect.model]
        for piece in pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
        yield Reply("".join(pieces), Usage(seconds=1.0))

    return call


def _streamed(says: dict[str, Any], router: Router | None = None, cache: Cache | None = None) -> list[Any]:
    core = (cache or Cache(100_000)).core(["small", "large"], router or _router(), allowed=[ARM])
    items = list(stream(answer(Query("q"), core, single_flight=False), _streaming(says)))
    *chunks, last = items
    assert isinstance(last, Answer)
    return [*chunks, last.value]


def test_a_stream_hands_on_only_what_passed() -> None:
    assert _streamed({"small": ["ba", "d"], "large": ["go", "od"]}) == ["go", "od", "good"]
    assert _streamed({"small": ["good", " s"], "large": ["x"]}) == ["good", " s", "good s"]


def test_a_stream_whose_first_model_breaks_off_goes_on_with_the_second() -> None:
    assert _streamed({"small": ["goo", OSError("cut")], "large": ["good"]}) == ["good", "good"]


def test_a_stream_whose_second_model_fails_at_once_gives_the_first_back() -> None:
    cache = Cache(100_000)

    assert _streamed({"small": ["ba", "d"], "large": [OSError("down")]}, cache=cache) == ["ba", "d", "bad"]
    assert len(cache) == 0


def test_a_stream_whose_second_model_breaks_off_fails() -> None:
    with pytest.raises(OSError, match="cut"):
        _streamed({"small": ["bad"], "large": ["go", OSError("cut")]})


async def test_astream_does_as_stream_does() -> None:
    async def call(effect: Call) -> AsyncGenerator[str | Reply, None]:
        for item in _streaming({"small": ["bad"], "large": ["go", "od"]})(effect):
            yield item

    core = Cache(100_000).core(["small", "large"], _router(), allowed=[ARM])
    items = [item async for item in astream(answer(Query("q"), core, single_flight=False), call)]

    assert items[:2] == ["go", "od"]
    assert len(items) == 3


# settings


def test_a_driver_of_one_call_is_given_no_cascade() -> None:
    core = Core(["small", "large"], router=_router(), one_call=True)
    forced = Core(["small", "large"], router=_router(), allowed=[ARM], one_call=True)

    for each in (core, forced):
        pipeline = answer(Query("q"), each)
        effect = next(pipeline)
        assert isinstance(effect, Call)
        assert not effect.on_trial
        with pytest.raises(OSError, match="down"):
            pipeline.throw(OSError("down"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("small", "small"), "two different"),
        (("", "large"), "names of two"),
        (("small", None), "names of two"),
    ],
)
def test_names_that_cannot_work_are_refused(arguments: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Cascade(*arguments, check=_good)


@pytest.mark.parametrize(
    ("arms", "says"),
    [
        ([Cascade("small", "huge", check=_good)], "no model 'huge'"),
        ([Cascade("small", "large", check=_good, name="large")], "is taken"),
        ([Cascade("small", "large", check=_good)] * 2, "is taken"),
        (["small"], r"Cascade\(...\) objects"),
    ],
)
def test_cascades_that_do_not_fit_the_router_are_refused(arms: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Router(["small", "large"], arms=arms)


def test_a_check_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(ConfigError, match="callable"):
        Cascade("a", "b", check="yes")  # type: ignore[arg-type]


def test_what_a_cascade_taught_comes_back_from_a_file_with_its_check_given_anew(tmp_path: Path) -> None:
    router, file = _router(), tmp_path / "router"
    _ask(Cache(100_000), router, _models())
    router.save(file)

    loaded = Router.load(file, arms=[Cascade("small", "large", check=_good)])

    assert loaded.route(Key("q")).mean == {ARM: pytest.approx(11.0)}
    assert _ask(Cache(100_000), loaded, _models()).value == "good"
    with pytest.raises(SnapshotError, match="arms="):
        Router.load(file)


# checks that are awaited


async def _slow_check(request: Query, reply: Reply) -> bool:
    await asyncio.sleep(0)
    return "good" in str(reply.value)


async def test_a_check_may_be_awaited() -> None:
    done = await AsyncCache(100_000).answer("q", models=_models(), router=_router(_slow_check), route=ARM)

    assert (done.value, done.decision.model) == ("good", "large")


def test_an_async_check_needs_a_driver_that_awaits_or_threaded() -> None:
    heard: list[Event] = []
    cache = Cache(100_000, hooks=Hooks(listeners=[heard.append]))

    plain = _ask(cache, _router(_slow_check), _models(small="good small"))
    threaded = _router(Threaded(_slow_check, timeout_seconds=30))

    assert plain.value == "good"
    assert ["Threaded" in event.error for event in heard if isinstance(event, Incident)] == [True]
    assert _ask(Cache(100_000), threaded, _models(small="good small")).value == "good small"


def test_a_route_hook_may_name_a_cascade() -> None:
    cache = Cache(100_000, hooks=Hooks(route=lambda request, decision: ARM))

    done = cache.answer("q", models=_models(), router=_router()).decision

    assert (done.arm, done.model, done.reason) == (ARM, "large", "hook")
