"""The pipeline, driven by a table of prepared results: no model runs here."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from lecmux import Answer, Cache, Hooks, Price, Query, Reply, Router, Usage
from lecmux.errors import ConfigError, ValueTypeError
from lecmux.events import Event, Incident
from lecmux.flow import Call, Claim, Core, Drive, answer, arun, astream, run, stream

QUERY = Query("q")
PRICES = {"small": Price(usd_per_second=1.0), "large": Price(usd_per_second=10.0)}


class DiskError(Exception):
    """What a model might raise."""


def _reply(text: str = "r", seconds: float = 1.0, **more: Any) -> Reply:
    return Reply(text, Usage(seconds=seconds), **more)


def _core(cache: Cache | None = None, **more: Any) -> Core:
    return (Cache(100_000) if cache is None else cache).core(["m"], **more)


def _replay(core: Core, table: list[tuple[type, Any]], *, single_flight: bool = True) -> Answer:
    """Sends each prepared result for the effect expected beside it; an exception is thrown in."""
    pipeline = answer(QUERY, core, single_flight=single_flight)
    effects = iter(table)
    try:
        effect = next(pipeline)
        while True:
            kind, result = next(effects)
            assert type(effect) is kind
            failed = isinstance(result, BaseException)
            effect = pipeline.throw(result) if failed else pipeline.send(result)
    except StopIteration as stop:
        assert next(effects, None) is None, "an effect of the table was never asked for"
        done: Answer = stop.value
        return done


def test_a_miss_claims_then_calls_and_the_answer_is_stored() -> None:
    cache = Cache(100_000)

    done = _replay(_core(cache), [(Claim, "lead"), (Call, _reply())])

    assert (done.value, done.decision.kind, done.decision.model) == ("r", "call", "m")
    assert cache.get("q") == "r"


def test_a_hit_asks_for_nothing() -> None:
    cache = Cache(100_000)
    _replay(_core(cache), [(Claim, "lead"), (Call, _reply(seconds=3.0))])

    done = _replay(_core(cache), [])

    assert (done.value, done.decision.kind, done.decision.reason) == ("r", "hit", "exact")
    assert (done.decision.model, done.decision.cost, done.decision.saved) == ("m", 0.0, 3.0)
    assert done.decision.hit_id
    assert done.reply is None


def test_what_was_put_by_hand_is_served_too() -> None:
    cache = Cache(100_000)
    cache.put("q", {"by": "hand"})

    done = _replay(_core(cache), [])

    assert done.value == {"by": "hand"}
    assert done.decision.model is None


def test_a_lost_claim_looks_again() -> None:
    cache = Cache(100_000)
    core = _core(cache)
    pipeline = answer(QUERY, core)
    assert isinstance(next(pipeline), Claim)
    cache.put("q", "of the leader")

    with pytest.raises(StopIteration) as stop:
        pipeline.send("done")

    assert stop.value.value.value == "of the leader"
    assert cache.stats().requests == 1, "the second look is not counted"


def test_a_lost_claim_without_a_stored_answer_calls_for_itself() -> None:
    assert _replay(_core(), [(Claim, "done"), (Call, _reply())]).value == "r"


def test_the_leader_looks_again_before_it_calls() -> None:
    cache = Cache(100_000)
    core = _core(cache)
    pipeline = answer(QUERY, core)
    claim = next(pipeline)
    cache.put("q", "of a leader just done")
    assert isinstance(claim, Claim)
    assert claim.wait() == "lead"

    with pytest.raises(StopIteration) as stop:
        pipeline.send("lead")

    assert stop.value.value.decision.kind == "hit"
    assert core.flight.claim(core.key(QUERY), print), "the claim was given back"  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [DiskError("x"), KeyboardInterrupt(), asyncio.CancelledError()])
def test_a_failing_call_passes_through_untouched_and_hands_the_claim_on(error: BaseException) -> None:
    core = _core()
    woken: list[str] = []
    pipeline = answer(QUERY, core)
    claim = next(pipeline)
    assert isinstance(claim, Claim)
    assert claim.wait() == "lead"
    assert isinstance(pipeline.send("lead"), Call)
    core.flight.claim(claim.key, woken.append)

    with pytest.raises(type(error)) as raised:
        pipeline.throw(error)

    assert raised.value is error
    assert woken == ["lead"]


def test_closing_the_pipeline_hands_the_claim_on() -> None:
    core = _core()
    woken: list[str] = []
    pipeline = answer(QUERY, core)
    claim = next(pipeline)
    assert isinstance(claim, Claim)
    claim.wait()
    pipeline.send("lead")
    core.flight.claim(claim.key, woken.append)

    pipeline.close()

    assert woken == ["lead"]


def test_a_finished_leader_wakes_all() -> None:
    core = _core()
    woken: list[str] = []
    pipeline = answer(QUERY, core)
    claim = next(pipeline)
    assert isinstance(claim, Claim)
    claim.wait()
    pipeline.send("lead")
    core.flight.claim(claim.key, woken.append)
    core.flight.claim(claim.key, woken.append)

    with pytest.raises(StopIteration):
        pipeline.send(_reply())

    assert woken == ["done", "done"]


def test_a_claim_that_fails_costs_no_request() -> None:
    cache = Cache(100_000)

    done = _replay(_core(cache), [(Claim, RuntimeError("no claims today")), (Call, _reply())])

    assert done.value == "r"
    assert cache.stats().incidents == 1


def test_without_single_flight_nothing_is_claimed() -> None:
    assert _replay(_core(), [(Call, _reply())], single_flight=False).value == "r"


def test_without_a_store_it_routes_and_learns() -> None:
    router = Router(["small", "large"], prices=PRICES)
    core = Core(["small", "large"], router=router)
    for _ in range(4):
        done = _replay(core, [(Call, _reply())])

    assert done.decision.kind == "call"
    assert sum(router.route(core.key(QUERY)).tries.values()) == 4  # type: ignore[arg-type]
    assert core.ledger.account("usd").spent > 0


def test_a_model_that_reenters_its_own_key_does_not_wait_for_itself() -> None:
    cache = Cache(100_000)

    def reenter(query: Query) -> str:
        return str(cache.answer(query, models={"m": lambda inner: "inner"}).value) + " and outer"

    assert cache.answer("q", models={"m": reenter}).value == "inner and outer"


@pytest.mark.parametrize("reason", ["length", "content_filter", "error"])
def test_truncated_refused_and_failed_answers_are_not_stored(reason: str) -> None:
    cache = Cache(100_000)

    _replay(_core(cache), [(Claim, "lead"), (Call, _reply(finish_reason=reason))])

    assert len(cache) == 0


def test_a_model_that_returns_none_is_handed_on_and_not_stored() -> None:
    cache = Cache(100_000)

    assert _replay(_core(cache), [(Claim, "lead"), (Call, Reply(None))]).value is None
    assert (len(cache), cache.stats().incidents) == (0, 0)


def test_an_answer_that_cannot_be_stored_is_handed_on_and_counted() -> None:
    cache, odd = Cache(100_000), object()

    assert _replay(_core(cache), [(Claim, "lead"), (Call, Reply(odd))]).value is odd
    assert (len(cache), cache.stats().incidents) == (0, 1)


def test_a_codec_stands_between_the_framework_and_the_store() -> None:
    class Codec:
        def dump(self, value: complex, /) -> list[float]:
            return [value.real, value.imag]

        def load(self, stored: list[float], /) -> complex:
            return complex(*stored)

    cache = Cache(100_000)
    core = _core(cache, codec=Codec())

    assert _replay(core, [(Claim, "lead"), (Call, Reply(1 + 2j))]).value == 1 + 2j
    assert _replay(core, []).value == 1 + 2j
    assert cache.get("q") == [1.0, 2.0]


def test_the_model_that_answered_is_billed_and_named() -> None:
    router = Router(["small", "large"], prices=PRICES)
    cache = Cache(100_000)
    core = cache.core(["small", "large"], router, allowed=["small"])

    done = _replay(core, [(Claim, "lead"), (Call, _reply(model="large"))])

    assert (done.decision.model, done.decision.cost) == ("large", 10.0)


def test_answers_of_barred_models_are_not_served() -> None:
    router = Router(["small", "large"], prices=PRICES)
    cache = Cache(100_000)
    small = cache.core(["small", "large"], router, allowed=["small"])
    large = cache.core(["small", "large"], router, allowed=["large"])
    _replay(small, [(Claim, "lead"), (Call, _reply("of small"))])

    assert _replay(large, [(Claim, "lead"), (Call, _reply("of large"))]).decision.model == "large"
    assert _replay(large, []).value == "of large"


@pytest.mark.parametrize(
    ("models", "router", "allowed"),
    [
        ([], None, None),
        (["a", "b"], None, None),
        (["a"], ["a", "b"], None),
        (["a"], None, ["b"]),
        (["a"], None, []),
    ],
)
def test_models_that_do_not_fit_are_refused(
    models: list[str], router: list[str] | None, allowed: Any
) -> None:
    with pytest.raises(ConfigError):
        Core(models, router=router and Router(router), allowed=allowed)


def test_trouble_in_every_stage_costs_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Event] = []
    cache = Cache(100_000, hooks=Hooks(listeners=[heard.append]))
    router = Router(["small", "large"], prices=PRICES)
    core = cache.core(["small", "large"], router)

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(f"{name} is broken")

    object.__setattr__(core, "store", Broken())
    monkeypatch.setattr(router, "_core", Broken())

    done = _replay(core, [(Claim, "lead"), (Call, _reply())])

    assert (done.value, done.decision.reason) == ("r", "fallback")
    assert {event.stage for event in heard if isinstance(event, Incident)} == {
        "exact",
        "route",
        "observe",
        "admit",
    }


# the drivers


def test_run_drives_with_calls() -> None:
    assert run(answer(QUERY, _core()), lambda effect: _reply(effect.model)).value == "m"


async def test_arun_drives_with_awaits() -> None:
    async def call(effect: Call) -> Reply:
        await asyncio.sleep(0)
        return _reply(effect.model)

    assert (await arun(answer(QUERY, _core()), call)).value == "m"


def test_a_driver_passes_errors_through_untouched() -> None:
    error = DiskError("x")

    def call(effect: Call) -> Reply:
        raise error

    with pytest.raises(DiskError) as raised:
        run(answer(QUERY, _core()), call)

    assert raised.value is error


def _chunks(effect: Call) -> Generator[str | Reply, None, None]:
    yield "a"
    yield "b"
    yield _reply("ab")


async def _achunks(effect: Call) -> AsyncGenerator[str | Reply, None]:
    for item in _chunks(effect):
        yield item


def test_stream_hands_chunks_on_and_stores_the_whole() -> None:
    cache = Cache(100_000)

    first = list(stream(answer(QUERY, _core(cache), single_flight=False), _chunks))
    again = list(stream(answer(QUERY, _core(cache), single_flight=False), _chunks))

    assert first[:2] == ["a", "b"]
    assert [item.value for item in (*first[2:], *again) if isinstance(item, Answer)] == ["ab", "ab"]
    assert len(again) == 1


def test_a_stream_that_is_closed_early_stores_nothing_and_hands_the_claim_on() -> None:
    cache = Cache(100_000)
    core = _core(cache)
    closed = []

    def chunks(effect: Call) -> Generator[str | Reply, None, None]:
        try:
            yield "a"
            yield _reply("ab")
        finally:
            closed.append(True)

    streaming = stream(answer(QUERY, core), chunks)
    assert next(streaming) == "a"

    streaming.close()

    assert closed == [True]
    assert len(cache) == 0
    assert core.flight.claim(core.key(QUERY), print)  # type: ignore[arg-type]


def test_a_stream_that_fails_half_way_stores_nothing() -> None:
    cache = Cache(100_000)

    def chunks(effect: Call) -> Generator[str | Reply, None, None]:
        yield "a"
        raise DiskError("x")

    with pytest.raises(DiskError):
        list(stream(answer(QUERY, _core(cache)), chunks))

    assert len(cache) == 0


def test_a_stream_without_its_reply_is_refused() -> None:
    def chunks(effect: Call) -> Generator[str | Reply, None, None]:
        yield "a"

    with pytest.raises(ValueTypeError, match="end with a Reply"):
        list(stream(answer(QUERY, _core()), chunks))


async def test_astream_is_stream_with_awaits() -> None:
    cache = Cache(100_000)

    first = [item async for item in astream(answer(QUERY, _core(cache)), _achunks)]
    again = [item async for item in astream(answer(QUERY, _core(cache)), _achunks)]

    assert first[:2] == ["a", "b"]
    assert len(first) == 3
    assert [type(item) for item in again] == [Answer]


async def test_astream_that_is_closed_early_hands_the_claim_on() -> None:
    core = _core()
    streaming = astream(answer(QUERY, core), _achunks)
    assert await anext(streaming) == "a"

    await streaming.aclose()

    assert core.flight.claim(core.key(QUERY), print)  # type: ignore[arg-type]


def test_a_drive_can_be_stepped_by_hand() -> None:
    drive = Drive(answer(QUERY, _core()))
    seen = []
    while effect := drive.effect:
        seen.append(type(effect))
        with drive:
            drive.result = effect.wait() if isinstance(effect, Claim) else _reply()

    assert seen == [Claim, Call]
    assert drive.answer.value == "r"
