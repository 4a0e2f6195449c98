"""Where a model fails another is asked; what its failure cost is charged, and a model that is down rests."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from lecmux import Answer, AsyncCache, Cache, Hooks, Price, Query, Reply, Router, Usage
from lecmux.errors import ModelBusyError, ModelRequestError
from lecmux.events import Event, Incident
from lecmux.facts import facts
from lecmux.flow import Call, answer, astream, stream
from lecmux.query import Key
from lecmux.testing import FakeClock

NAMES = ["small", "middle", "large"]
PRICES = {name: Price(usd_per_second=price) for name, price in zip(NAMES, (1.0, 5.0, 10.0), strict=True)}


class Model:
    """Takes one second on the clock; raises `error` while it has one."""

    def __init__(self, name: str, clock: FakeClock, error: BaseException | None = None) -> None:
        self.name, self.clock, self.error, self.calls = name, clock, error, 0

    def __call__(self, query: Query) -> Reply:
        self.calls += 1
        self.clock.advance(1.0)
        if self.error is not None:
            raise self.error
        return Reply(f"of {self.name}", Usage(seconds=1.0))


class Bench:
    """Three models, a router that knows their prices on "q", and a cache on one clock."""

    def __init__(self, *, hooks: Hooks | None = None, **settings: Any) -> None:
        self.clock = FakeClock()
        self.cache = Cache(100_000, clock=self.clock, hooks=hooks)
        self.models = {name: Model(name, self.clock) for name in NAMES}
        self.router = Router(NAMES, **{"prices": PRICES, **settings})
        for name, price in PRICES.items():
            self.router.learn(Key("q"), name, paid=price.usd_per_second, error=0.0)

    def break_(self, *names: str, error: BaseException | None = None) -> None:
        for name in names:
            self.models[name].error = error or OSError(f"{name} is down")

    def ask(self, text: str = "q", **more: Any) -> Answer:
        return self.cache.answer(text, models=self.models, router=self.router, **more)


def test_the_next_cheapest_answers() -> None:
    bench = Bench()
    bench.break_("small")

    done = bench.ask().decision

    assert (done.model, done.arm, done.reason, done.failed) == ("middle", "small", "fallback", ("small",))
    assert bench.models["large"].calls == 0
    assert bench.ask().decision.kind == "hit", "the answer is stored as usual"


def test_the_time_of_the_failed_call_is_charged() -> None:
    bench = Bench(price_per_second_usd=0.5)
    bench.break_("small")

    done = bench.ask().decision

    assert done.cost == pytest.approx(1.5 + 5.5)
    assert done.saved == pytest.approx(10.0 - 5.5 - 1.5), "against the large model's mean of 10 so far"
    assert bench.cache.stats().spent_usd == pytest.approx(7.0)
    assert bench.cache.stats().spent_seconds == pytest.approx(2.0)


def test_a_request_learns_what_choosing_the_failed_model_came_to() -> None:
    bench = Bench()
    bench.break_("small")
    bench.ask()

    learnt = bench.router.route(Key("q"))
    assert (learnt.tries["small"], learnt.tries["middle"], learnt.tries["large"]) == (2, 2, 1)
    assert learnt.mean["small"] == pytest.approx((1.0 + 6.0) / 2), (
        "its lost second and the middle model's call"
    )
    assert learnt.mean["middle"] == pytest.approx(5.0)


def test_a_model_that_is_down_teaches_one_lesson_and_not_one_a_request() -> None:
    bench = Bench()
    bench.break_("small")
    bench.router.cooldown.failed("small", 0.0)  # it was down before

    before = bench.router.route(Key("q")).tries["small"]
    bench.ask(cache="skip")

    assert bench.router.route(Key("q")).tries["small"] == before


def test_when_all_fail_the_first_failure_is_raised_with_notes_on_the_others() -> None:
    bench = Bench()
    cause = KeyError("why")
    first = OSError("small is down")
    first.__cause__ = first.__context__ = cause
    bench.break_("middle", "large")
    bench.break_("small", error=first)

    with pytest.raises(OSError, match="small is down") as raised:
        bench.ask()

    assert raised.value is first
    assert first.__notes__ == [
        "then 'middle' failed too: OSError: middle is down",
        "then 'large' failed too: OSError: large is down",
    ]
    assert (first.__cause__, first.__context__) == (cause, cause)
    assert bench.cache.get("q") is None
    assert bench.cache.stats().spent_usd == pytest.approx(16.0), "what failed was paid for all the same"


def test_one_error_raised_again_and_again_gathers_no_notes_without_end() -> None:
    bench, first = Bench(), OSError("small is down")
    bench.break_("small", error=first)
    for number in range(30):
        bench.break_("middle", "large", error=ValueError(number))
        with pytest.raises(OSError, match="small is down"):
            bench.ask(route=None, cache="skip")
        bench.clock.advance(100.0)

    assert len(first.__notes__) == 16


def test_one_model_alone_fails_untouched() -> None:
    error = OSError("down")

    def broken(query: Query) -> str:
        raise error

    with pytest.raises(OSError, match="down") as raised:
        Cache(100_000).answer("q", models={"m": broken})

    assert raised.value is error
    assert error.__context__ is None
    assert not hasattr(error, "__notes__")


def test_fallback_can_be_switched_off() -> None:
    bench = Bench(fallback=False)
    bench.break_("small")

    for _ in range(5):
        with pytest.raises(OSError, match="small is down"):
            bench.ask()

    assert bench.models["small"].calls == 5, "and nothing rests"


def test_a_forced_route_falls_back_on_nobody() -> None:
    bench = Bench()
    bench.break_("small")

    with pytest.raises(OSError, match="small is down"):
        bench.ask(route="small")


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), SystemExit()]
)
def test_an_interrupt_is_no_failure(stop: BaseException) -> None:
    bench = Bench()
    bench.break_("small", error=stop)

    with pytest.raises(type(stop)):
        bench.ask()

    assert bench.router.cooldown.calm
    assert bench.models["middle"].calls == 0
    assert (bench.cache.get("q"), bench.cache.stats().spent_usd) == (None, 0.0)


def test_a_failure_that_was_overcome_is_counted_and_told() -> None:
    heard: list[Event] = []
    bench = Bench(hooks=Hooks(listeners=[heard.append]))
    bench.break_("small")
    bench.ask()

    assert bench.cache.stats().incidents == 1
    assert Incident("call", "OSError: small is down") in heard


# rest


def test_a_model_that_is_down_is_left_alone_and_probed_later() -> None:
    bench = Bench()
    bench.break_("small")
    for _ in range(10):
        bench.ask(cache="skip")
    while_down = bench.models["small"].calls
    bench.models["small"].error = None
    bench.clock.advance(60.0)

    assert while_down < 6
    assert bench.ask(cache="skip").decision.model == "small"
    assert bench.router.cooldown.calm


def test_where_all_are_down_one_is_asked_all_the_same() -> None:
    bench = Bench()
    bench.break_(*NAMES)
    for _ in range(4):
        with pytest.raises(OSError, match="is down"):
            bench.ask(cache="skip")
    bench.models["small"].error = bench.models["middle"].error = bench.models["large"].error = None

    assert bench.ask(cache="skip").decision.kind == "call"


def test_a_request_that_a_model_refuses_is_no_outage() -> None:
    bench = Bench()
    bench.break_("small", error=ModelRequestError("too long"))
    for _ in range(5):
        bench.ask(cache="skip")

    assert bench.router.cooldown.calm


def test_a_busy_model_rests_for_as_long_as_it_asks() -> None:
    bench = Bench()
    bench.break_("small", error=ModelBusyError("slow down", retry_after_seconds=30.0))
    bench.ask(cache="skip")
    bench.models["small"].error = None

    assert bench.ask(cache="skip").decision.model == "middle"
    assert bench.models["small"].calls == 1


def test_trouble_in_the_router_costs_no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.break_("small")
    monkeypatch.setattr(bench.router, "_core", None)

    assert bench.ask().decision.model == "middle", "the first that is left"


async def test_asyncio_falls_back_too() -> None:
    bench, cache = Bench(), AsyncCache(100_000)
    bench.break_("small")

    done = await cache.answer("q", models=bench.models, router=bench.router)

    assert (done.decision.model, done.decision.failed) == ("middle", ("small",))


async def test_a_cancelled_request_falls_back_on_nobody() -> None:
    cache, router, calls = AsyncCache(100_000), Router(["a", "b"]), []

    async def slow(query: Query) -> str:
        calls.append(query.text)
        await asyncio.sleep(60)
        return "late"

    asking = asyncio.create_task(cache.answer("q", models={"a": slow, "b": slow}, router=router))
    await asyncio.sleep(0.01)
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert calls == ["q"]
    assert len(cache) == 0


# streams


def _chunks(says: dict[str, list[Any]]) -> Any:
    def call(effect: Call) -> Generator[str | Reply, None, None]:
        for piece in says[effect.model]:
            if isinstance(piece, Exception):
                raise piece
            yield piece
        yield Reply("".join(says[effect.model]))

    return call


def test_a_stream_falls_back_before_its_first_chunk() -> None:
    bench = Bench()
    says = {"small": [OSError("down")], "middle": ["a", "b"]}
    core = bench.cache.core(NAMES, bench.router)

    *chunks, last = stream(answer(Query("q"), core, single_flight=False), _chunks(says))

    assert chunks == ["a", "b"]
    assert isinstance(last, Answer)
    assert (last.decision.model, last.decision.failed) == ("middle", ("small",))


def test_a_stream_does_not_fall_back_after_its_first_chunk() -> None:
    bench = Bench()
    says = {"small": ["a", OSError("cut")], "middle": ["b"]}
    streaming = stream(
        answer(Query("q"), bench.cache.core(NAMES, bench.router), single_flight=False), _chunks(says)
    )

    assert next(streaming) == "a"
    with pytest.raises(OSError, match="cut"):
        next(streaming)
    assert bench.cache.get("q") is None


async def test_astream_falls_back_before_its_first_chunk() -> None:
    bench = Bench()
    says = {"small": [OSError("down")], "middle": ["a"]}

    async def call(effect: Call) -> AsyncGenerator[str | Reply, None]:
        for item in _chunks(says)(effect):
            yield item

    core = bench.cache.core(NAMES, bench.router)
    items = [item async for item in astream(answer(Query("q"), core, single_flight=False), call)]

    assert items[0] == "a"
    assert isinstance(items[1], Answer)


@pytest.mark.parametrize(("failing", "degraded"), [("large", True), ("small", False)])
def test_an_answer_in_place_of_the_best_model_says_so(failing: str, degraded: bool) -> None:
    def down(query: Query) -> str:
        raise OSError("down")

    models = {"small": lambda query: "x", "large": lambda query: "x", failing: down}
    router = Router(["small", "large"], baseline="large")
    cache = Cache(100_000, hooks=Hooks(route=lambda query, decision: failing))

    decision = cache.answer("q", models=models, router=router).decision

    assert decision.failed == (failing,)
    assert decision.degraded is degraded
    assert facts(decision).get("degraded", False) is degraded
