"""Hooks that are awaited: in drivers that await, in drivers that cannot, and on a worker thread."""

import asyncio
import threading
from typing import Any

import pytest

from lecmux import Answer, AsyncCache, Cache, Cascade, Decision, Hooks, Query, Reply, Router, Threaded
from lecmux.errors import ConfigError
from lecmux.events import Event, Incident, Shadow
from lecmux.flow import Call, Consult, Core, HookRunner, Word, answer, arun
from lecmux.testing import ScriptedModel

NAMES = ("small", "large")


def _asked(**hooks: Any) -> tuple[Hooks, list[str]]:
    """Async hooks that give the words in `hooks`, and the list of those that were asked."""
    asked: list[str] = []

    def hook(name: str, word: Any) -> Any:
        async def said(*_: Any) -> Any:
            await asyncio.sleep(0)
            asked.append(name)
            return word

        return said

    return Hooks(**{name: hook(name, word) for name, word in hooks.items()}), asked


async def _answer(cache: AsyncCache, text: str = "q") -> Answer:
    models = {name: ScriptedModel(default=name) for name in NAMES}
    return await cache.answer(text, models=models, router=Router(NAMES, price_of_wrong_seconds=8))


async def test_every_hook_may_be_async() -> None:
    hooks, asked = _asked(
        scope="acme", text="key", cost=2.5, quality=0.5, admit=True, ttl=60.0, route="large", same_answer=True
    )
    cache = AsyncCache(100_000, hooks=hooks)

    first = await _answer(cache)

    assert asked == ["text", "scope", "route", "quality", "cost", "admit", "ttl"]
    assert (first.decision.model, first.decision.reason, first.decision.cost) == ("large", "hook", 2.5)
    assert cache.stats().price_of_errors_seconds == 4.0
    assert cache.get("key", scope="acme") == "large"
    assert cache.stats().incidents == 0


async def test_a_hit_asks_for_the_key_alone() -> None:
    hooks, asked = _asked(text="key", cost=1.0, admit=True)
    cache = AsyncCache(100_000, hooks=hooks)
    await _answer(cache)
    asked.clear()

    assert (await _answer(cache, "other")).decision.kind == "hit"
    assert asked == ["text"]


async def test_a_request_that_skips_the_cache_does_not_ask_what_to_store() -> None:
    hooks, asked = _asked(cost=1.0, admit=True, ttl=60.0)

    await AsyncCache(100_000, hooks=hooks).answer("q", models={"m": lambda query: "r"}, cache="skip")

    assert asked == ["cost"]


async def test_an_async_hook_compares_answers_in_shadow() -> None:
    heard: list[Event] = []
    hooks, _ = _asked(same_answer=True)
    cache = AsyncCache(100_000, hooks=Hooks(same_answer=hooks.same_answer, listeners=[heard.append]))
    await cache.answer("q", models={"m": ScriptedModel(default="a")})
    await cache.answer("q", models={"m": ScriptedModel(default="b")}, shadow=True)

    assert [event.same for event in heard if isinstance(event, Shadow)] == [True]


class Pricer:
    """Two ways to ask."""

    def cost(self, request: Query, reply: Reply, /) -> float:
        return 1.0

    async def acost(self, request: Query, reply: Reply, /) -> float:
        return 2.0


async def test_a_driver_takes_the_twin_it_can_use() -> None:
    awaited = await AsyncCache(100_000, hooks=Hooks(cost=Pricer())).answer(
        "q", models={"m": lambda query: "r"}
    )
    called = Cache(100_000, hooks=Hooks(cost=Pricer())).answer("q", models={"m": lambda query: "r"})

    assert (awaited.decision.cost, called.decision.cost) == (2.0, 1.0)


def test_a_driver_that_cannot_await_counts_the_hook_as_failed() -> None:
    hooks, asked = _asked(cost=2.5, admit=False)
    cache = Cache(100_000, hooks=hooks)

    answered = cache.answer("q", models={"m": ScriptedModel(default="r", seconds=1.0)})

    assert (asked, answered.decision.cost, len(cache)) == ([], 1.0, 1)
    assert cache.stats().incidents == 2


def test_threaded_lets_a_driver_that_cannot_await_ask_an_async_hook() -> None:
    async def cost(request: Query, reply: Reply) -> float:
        await asyncio.sleep(0)
        return 2.5

    cache = Cache(100_000, hooks=Hooks(cost=Threaded(cost, timeout_seconds=10), time_budget_seconds=10))

    assert cache.answer("q", models={"m": lambda query: "r"}).decision.cost == 2.5
    assert Threaded(cost, timeout_seconds=10)(Query("q"), Reply("r")) == 2.5


async def test_threaded_leaves_the_event_loop_free() -> None:
    loop_went_on = threading.Event()

    def cost(request: Query, reply: Reply) -> float:
        return 2.5 if loop_went_on.wait(30) else 0.0

    cache = AsyncCache(100_000, hooks=Hooks(cost=Threaded(cost, timeout_seconds=30), time_budget_seconds=30))
    request = asyncio.create_task(cache.answer("q", models={"m": lambda query: "r"}))
    await asyncio.sleep(0.01)
    loop_went_on.set()

    assert (await request).decision.cost == 2.5


async def test_an_async_hook_is_cancelled_at_its_budget_and_switched_off_after_three() -> None:
    ended: list[str] = []

    async def endless(request: Query, reply: Reply) -> float:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")
        return 1.0

    cache = AsyncCache(100_000, hooks=Hooks(cost=endless, time_budget_seconds=0.01))
    for number in range(5):
        await cache.answer(f"q{number}", models={"m": lambda query: "r"})

    assert ended == ["cancelled"] * 3
    assert cache.stats().incidents == 4, "three overruns and the switching off"


@pytest.mark.parametrize("word", [float("nan"), "much", True])
async def test_an_impossible_word_counts_as_an_exception(word: Any) -> None:
    hooks, _ = _asked(cost=word)
    cache = AsyncCache(100_000, hooks=hooks)

    answered = await cache.answer("q", models={"m": ScriptedModel(default="r", seconds=1.0)})

    assert answered.decision.cost == 1.0
    assert cache.stats().incidents == 1


async def test_a_failing_async_scope_hook_leaves_the_cache_aside() -> None:
    async def scope(request: Query) -> str:
        raise OSError("no directory")

    cache = AsyncCache(100_000, hooks=Hooks(scope=scope))
    for _ in range(2):
        assert (await cache.answer("q", models={"m": lambda query: "r"})).decision.kind == "call"

    assert len(cache) == 0
    assert cache.stats().incidents == 2


async def test_a_cancelled_request_hands_the_lead_on() -> None:
    asking, free = asyncio.Event(), asyncio.Event()

    async def cost(request: Query, reply: Reply) -> float:
        asking.set()
        await free.wait()
        return 1.0

    cache = AsyncCache(100_000, hooks=Hooks(cost=cost, time_budget_seconds=60))
    first = asyncio.create_task(cache.answer("q", models={"m": lambda query: "first"}))
    await asking.wait()
    second = asyncio.create_task(cache.answer("q", models={"m": lambda query: "second"}))
    await asyncio.sleep(0)
    first.cancel()
    free.set()

    assert (await second).value == "second"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_async_listener_hears_in_the_running_loop() -> None:
    heard: list[Event] = []

    async def listen(event: Event) -> None:
        await asyncio.sleep(0)
        heard.append(event)

    cache = AsyncCache(100_000, hooks=Hooks(listeners=[listen]))
    await cache.answer("q", models={"m": lambda query: "r"})
    for _ in range(5):
        await asyncio.sleep(0)

    assert [type(event).__name__ for event in heard] == ["CacheMiss", "Route", "Observe", "Store"]
    assert cache.stats().incidents == 0


def test_an_async_listener_without_a_loop_is_counted() -> None:
    async def listen(event: Event) -> None:
        raise AssertionError("nobody awaits this")

    cache = Cache(100_000, hooks=Hooks(listeners=[listen]))
    cache.put("q", "r")

    assert cache.stats().incidents == 1


def test_a_plain_function_that_returns_a_coroutine_is_told_how_to_be_written() -> None:
    async def cost(request: Query, reply: Reply) -> float:
        return 1.0

    heard: list[Event] = []
    hooks = Hooks(cost=lambda *asked: cost(*asked), listeners=[heard.append])  # noqa: PLW0108  that is the point
    Cache(100_000, hooks=hooks).answer("q", models={"m": lambda query: "r"})

    assert ["async def" in event.error for event in heard if isinstance(event, Incident)] == [True]


def test_an_async_normaliser_is_refused() -> None:
    hooks, _ = _asked(normalise="text")

    with pytest.raises(ConfigError, match="normaliser"):
        Cache(100_000, hooks=hooks)


async def test_the_judges_quality_hook_is_awaited_too() -> None:
    judged, _ = _asked(quality=0.25)
    router = Router(["m"], price_of_wrong_seconds=8)
    core = Core(["m"], router=router, judge=HookRunner(judged))

    async def call(effect: Call) -> Reply:
        return Reply("r")

    done = await arun(answer(Query("q"), core), call)

    assert router.unit == "seconds"
    assert core.ledger.account("seconds").price_of_errors == 6 * 10**9
    assert done.value == "r"


def test_a_driver_that_knows_no_consult_costs_the_word_alone() -> None:
    hooks, _ = _asked(text="key")
    core = Core(["m"], hooks=HookRunner(hooks))
    pipeline = answer(Query("q"), core)

    assert isinstance(next(pipeline), Consult)
    effect = pipeline.throw(NotImplementedError("what is this?"))

    assert isinstance(effect, Call)
    assert core.hooks.incidents == 1


def test_a_prepared_word_drives_the_pipeline() -> None:
    hooks, _ = _asked(route="large")
    core = Core(NAMES, router=Router(NAMES), hooks=HookRunner(hooks))
    pipeline = answer(Query("q"), core)

    assert isinstance(next(pipeline), Consult)
    effect = pipeline.send(Word("large"))

    assert isinstance(effect, Call)
    assert isinstance(effect.decision, Decision)
    assert effect.model == "large"


async def test_an_async_cost_hook_is_asked_for_an_answer_that_a_check_refused() -> None:
    asked = []

    async def cost(request: Query, reply: Reply) -> float:
        asked.append((reply.model, reply.value))
        return {"small": 2.0, "large": 5.0}[str(reply.model)]

    router = Router(NAMES, arms=[Cascade("small", "large", check=lambda request, reply: False)])
    cache = AsyncCache(100_000, hooks=Hooks(cost=cost))
    models = {name: ScriptedModel(default=name) for name in NAMES}

    done = await cache.answer("q", models=models, router=router, route="small then large")

    assert asked == [("small", "small"), ("large", "large")]
    assert done.decision.cost == 7.0
    assert cache.stats().incidents == 0
