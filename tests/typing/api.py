"""The public types, as a user meets them. Checked by mypy --strict, never run."""

from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from lecmux import (
    Answer,
    AsyncCache,
    Cache,
    Cascade,
    Decision,
    Gdsf,
    HalfLife,
    Hooks,
    Lec,
    Price,
    Query,
    Reply,
    Router,
    Scored,
    SelfTuned,
    Stats,
    Threaded,
    Usage,
)
from lecmux.events import Event
from lecmux.flow import Call, Core, Drive, Effect, answer, arun, run, stream
from lecmux.hooks import CostHook, Listener, QualityHook
from lecmux.models import AsyncModel, Cooldown, Endpoint, Model, OpenAICompatible, Retries, Timeouts
from lecmux.policies import EntryView
from lecmux.testing import FakeClock, ScriptedModel


class Keeper:
    def score(self, entry: EntryView, /) -> float | None:
        assert_type(entry.cost, float | None)
        return None if entry.scope else entry.count


def policies() -> None:
    Cache(1000)
    Cache(1000, evict=Lec(decay=HalfLife(500)), default_ttl_seconds=60, clock=FakeClock(), seed=1)
    Cache(1000, evict=Gdsf(keep_counts=False))
    Lec(decay=SelfTuned())
    Lec(decay=None)
    Cache(1000, evict=Scored(lambda entry: entry.saving_per_byte, bypass=False))
    Cache(1000, evict=Scored(Keeper()))
    Cache.load("path", evict=Scored(Threaded(Keeper(), timeout_seconds=0.1)))
    Scored(lambda entry: "high")  # type: ignore[arg-type, return-value]
    Cache(1000, evict="lru")  # type: ignore[arg-type]
    Cache(1000, Lec())  # type: ignore[call-arg]


def plain(cache: Cache) -> None:
    assert_type(cache.put("key", "value", cost_usd=0.5, ttl_seconds=60, scope="a"), bool)
    assert_type(cache.get("key", scope="a"), Any)
    assert_type(cache.get_many(["a", "b"]), list[Any])
    assert_type(cache.delete("key"), bool)
    assert_type(cache.clear(), int)
    assert_type(len(cache), int)
    assert_type(cache.stats(), Stats)
    assert_type(cache.stats().spent_usd, float)
    assert_type(Cache.load("path"), Cache)
    assert_type(AsyncCache.load("path"), AsyncCache)
    with cache as same:
        assert_type(same, Cache)


def control(cache: Cache) -> None:
    def check(request: Query, reply: Reply) -> bool:
        return bool(reply.value)

    async def acheck(request: Query, reply: Reply) -> bool:
        return bool(reply.value)

    arms = [Cascade("small", "large", check=check), Cascade("small", "large", check=acheck, name="awaited")]
    router = Router(["small", "large"], arms=arms, baseline="large", fallback=False)
    models = {"small": ScriptedModel(), "large": ScriptedModel()}
    done = cache.answer(
        "q", models=models, router=router, cache="refresh", route="awaited", shadow=True, timeout_seconds=1
    )
    assert_type(done.decision.arm, str | None)
    assert_type(done.decision.failed, tuple[str, ...])
    cache.answer("q", models=models, router=router, cache="never")  # type: ignore[arg-type]
    Cascade("small", "large")  # type: ignore[call-arg]


def answers(cache: Cache) -> None:
    router = Router(["small", "large"], prices={"small": Price.free(), "large": Price(1.0, 5.0)})
    models: dict[str, Callable[[Query], Reply]] = {"small": ScriptedModel(), "large": ScriptedModel()}
    assert_type(cache.answer("q", models=models, router=router), Answer)
    assert_type(cache.answer(Query("q"), models={"m": lambda query: query.text}), Answer)
    assert_type(cache.answer("q", models=models).decision, Decision)
    assert_type(cache.observe("id", quality=1.0), bool)
    assert_type(router.observe("id", quality=0.0), bool)


async def awaited(cache: AsyncCache) -> None:
    async def model(query: Query) -> Reply:
        return Reply(query.text, Usage(1, 2, 0.5))

    assert_type(await cache.answer("q", models={"m": model}), Answer)
    assert_type(await cache.answer("q", models={"m": ScriptedModel()}), Answer)


class Judge:
    def quality(self, request: Query, reply: Reply, /) -> float | None:
        return 1.0 if reply.value == request.attributes.get("expected") else None

    def cost(self, request: Query, reply: Reply, /) -> float | None:
        return None

    def on_event(self, event: Event, /) -> None:
        print(event)


def hooks() -> None:
    judge = Judge()
    quality: QualityHook = judge
    cost: CostHook = judge
    listener: Listener = judge
    Hooks(quality=quality, cost=cost, listeners=[listener, print])
    Hooks(quality=lambda request, reply: 0.5, scope=lambda request: request.scope)
    Hooks(quality=Threaded(judge, timeout_seconds=1.0))
    Hooks(ttl=lambda request: 5.0)  # type: ignore[arg-type, misc]


def drivers(core: Core) -> None:
    def call(effect: Call) -> Reply:
        return Reply(effect.query.text)

    assert_type(run(answer(Query("q"), core), call), Answer)
    assert_type(Drive(answer(Query("q"), core)).effect, Effect | None)
    stream(answer(Query("q"), core), call)  # type: ignore[arg-type]


async def adrivers(core: Core, call: Callable[[Call], Awaitable[Reply]]) -> None:
    assert_type(await arun(answer(Query("q"), core), call), Answer)


async def remote(query: Query) -> None:
    model = OpenAICompatible(
        "m",
        base_url="http://127.0.0.1:8000/v1",
        fallbacks=[Endpoint("http://127.0.0.1:8001/v1", model="m2")],
        timeouts=Timeouts(total_seconds=60),
        retries=Retries(times=1),
        cooldown=Cooldown(failures=2),
    )
    plain: Model = model
    awaited: AsyncModel = model
    assert_type(model.chat([{"role": "user", "content": "hi"}], max_tokens=5, body={"top_p": 1}), Reply)
    assert_type(await model.achat([{"role": "user", "content": "hi"}]), Reply)
    assert_type(model(query), Reply)
    assert_type(await awaited.achat([]), Reply)
    with plain.stream([]) as stream:
        assert_type(next(stream), str)
    async with awaited.astream([]) as pieces:
        assert_type([piece async for piece in pieces], list[str])
    model.chat([], temprature=1)  # type: ignore[call-arg]
    OpenAICompatible("m")  # type: ignore[call-arg]
