"""Requests over models that fail, refuse, cut off or say nothing, against an account of what must hold."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecmux import Answer, Cache, Cascade, Price, Query, Reply, Router, Usage
from lecmux.flow import Call, answer, run, stream
from lecmux.testing import FakeClock

MODELS = ["a", "b", "c"]
PRICES = {"a": Price(usd_per_second=1.0), "b": Price(usd_per_second=2.0), "c": Price(usd_per_second=4.0)}
ARMS = [*MODELS, "a then c"]

ENDS = {"well": "stop", "cut": "length", "refused": "content_filter", "empty": "stop", "nothing": "stop"}
Behaviour = st.sampled_from([*ENDS, "fails", "breaks off", "interrupts"])


@dataclass
class Ask:
    """One request and how the models behave in it."""

    text: str
    behaviours: dict[str, str]
    good: bool
    mode: Any
    route: str | None
    shadow: bool
    streamed: bool


asks = st.builds(
    Ask,
    text=st.sampled_from(["p", "q"]),
    behaviours=st.fixed_dictionaries(dict.fromkeys(MODELS, Behaviour)),
    good=st.booleans(),
    mode=st.sampled_from(["use", "refresh", "skip"]),
    route=st.sampled_from([None, None, *ARMS]),
    shadow=st.booleans(),
    streamed=st.booleans(),
)


class World:
    """A cache and a router, with a list of what was called and what it cost."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cache = Cache(1_000_000, clock=self.clock)
        self.ask = Ask("", {}, good=True, mode="use", route=None, shadow=False, streamed=False)
        self.router = Router(MODELS, prices=PRICES, arms=[Cascade("a", "c", check=self.check)])
        self.called: list[str] = []
        self.paid = 0
        self.number = 0

    def check(self, request: Query, reply: Reply) -> bool:
        return self.ask.good

    def pieces(self, effect: Call) -> Generator[Any, None, None]:
        name, behaviour = effect.model, self.ask.behaviours[effect.model]
        self.called.append(name)
        self.number += 1
        self.clock.advance(1.0)
        if behaviour == "interrupts":
            raise KeyboardInterrupt
        self.paid += round(PRICES[name].usd_per_second)
        if behaviour == "fails":
            raise OSError(name)
        said = f"{name} {self.number}"
        yield said[:1]
        if behaviour == "breaks off":
            raise OSError(name)
        yield said[1:]
        value = {"empty": "", "nothing": None}.get(behaviour, said)
        yield Reply(value, Usage(seconds=1.0), finish_reason=ENDS[behaviour])

    def whole(self, effect: Call) -> Reply:
        *_, reply = self.pieces(effect)
        assert isinstance(reply, Reply)
        return reply

    def perform(self, ask: Ask) -> tuple[Answer | None, list[str], BaseException | None]:
        self.ask, self.called = ask, []
        allowed = None if ask.route is None else [ask.route]
        core = self.cache.core(MODELS, self.router, allowed=allowed, mode=ask.mode, shadow=ask.shadow)
        chunks: list[str] = []
        done = None
        try:
            if not ask.streamed:
                return run(answer(Query(ask.text), core), self.whole), [], None
            for item in stream(answer(Query(ask.text), core, single_flight=False), self.pieces):
                if isinstance(item, Answer):
                    done = item
                else:
                    chunks.append(item)
        except (OSError, KeyboardInterrupt) as error:
            return None, chunks, error
        return done, chunks, None


@settings(max_examples=300, deadline=None)
@given(st.lists(asks, max_size=12))
def test_whatever_the_models_do(script: list[Ask]) -> None:
    world = World()
    for ask in script:
        before = world.cache.get(ask.text)
        done, chunks, error = world.perform(ask)
        after = world.cache.get(ask.text)
        _check_calls(world, ask, error)
        if done is None:
            assert error is not None
            assert after == before, "nothing of a request that failed is stored"
        else:
            _check_answer(ask, done, chunks, before, after)
        _check_books(world)


def _check_calls(world: World, ask: Ask, error: BaseException | None) -> None:
    called = world.called
    assert len(set(called)) == len(called), "no model is asked twice in one request"
    if ask.route in MODELS:
        assert set(called) <= {ask.route}
    elif ask.route is not None:
        assert set(called) <= {"a", "c"}
    if isinstance(error, KeyboardInterrupt):
        assert ask.behaviours[called[-1]] == "interrupts"
    elif error is not None:
        broke = [name for name in called if ask.behaviours[name] in {"fails", "breaks off"}]
        assert error.args[0] == broke[0], "the first failure is the one that is raised"


def _check_answer(ask: Ask, done: Answer, chunks: list[str], before: Any, after: Any) -> None:
    decision = done.decision
    if decision.kind == "hit":
        assert (done.value, after) == (before, before)
        assert ask.mode == "use"
        assert not ask.shadow
        return
    assert decision.model is not None
    behaviour = ask.behaviours[decision.model]
    assert behaviour in ENDS
    assert set(decision.failed) == {
        name for name in decision.failed if ask.behaviours[name] in {"fails", "breaks off"}
    }
    if ask.streamed and isinstance(done.value, str) and done.value:
        assert "".join(chunks) == done.value, "only the answer that was given is handed on"
    if after != before:
        assert ask.mode != "skip"
        assert behaviour in {"well", "empty"}, "only what ended normally is stored"
        assert after == done.value


def _check_books(world: World) -> None:
    stats = world.cache.stats()
    assert stats.usd.spent == world.paid * 1_000_000_000, (
        "every call that ended is paid once, to the nano-dollar"
    )
    assert len(world.cache._flight._inflight) == 0
    assert not world.cache._flight._leads
    world.cache.check()


def test_the_account_itself_notices_a_call_that_was_not_booked() -> None:
    world = World()
    world.paid += 1

    with pytest.raises(AssertionError):
        _check_books(world)
