"""Binds hooks to their contract: those of the docs, one of each kind, and async ones."""

import logging
from typing import Any

import pytest

from lecmux import Query, Reply, Threaded
from lecmux.event_log import EventLog
from lecmux.hooks import Normaliser
from lecmux.policies import EntryView
from lecmux.query import Decision, Key
from lecmux.testing.contracts import HookContract, ListenerContract, NormaliserContract

WORDS: dict[str, Any] = {
    "text": lambda request: request.text.strip(),
    "scope": lambda request: request.attributes.get("user"),
    "route": lambda request, decision: "large" if len(request.text) > 100 else None,
    "cost": lambda request, reply: reply.usage.seconds * 0.5,
    "quality": lambda request, reply: float(bool(reply.value)),
    "admit": lambda request, reply: False if not reply.value else None,
    "ttl": lambda request, reply: 60.0,
    "same_answer": lambda one, other: one.lower() == other.lower(),
}


@pytest.mark.parametrize("kind", list(WORDS))
class TestBareCallables(HookContract):
    @pytest.fixture(autouse=True)
    def of_kind(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "kind", kind, raising=False)

    @pytest.fixture
    def hook(self, kind: str, of_kind: None) -> Any:
        return WORDS[kind]

    @pytest.fixture
    def asked(self, of_kind: None, requests: Any, replies: Any) -> Any:
        return HookContract.asked.__wrapped__(self, requests, replies)  # type: ignore[attr-defined]


class Judge:
    """An object with both ways to ask."""

    def quality(self, request: Query, reply: Reply, /) -> float | None:
        return 1.0 if reply.finish_reason == "stop" else None

    async def aquality(self, request: Query, reply: Reply, /) -> float | None:
        return self.quality(request, reply)


class TestObjectWithBothWays(HookContract):
    kind = "quality"

    @pytest.fixture
    def hook(self) -> Any:
        return Judge()


class TestAsyncFunction(HookContract):
    kind = "route"

    @pytest.fixture
    def hook(self) -> Any:
        async def route(request: Query, decision: Decision) -> str | None:
            return decision.model

        return route


class TestThreaded(HookContract):
    kind = "cost"

    @pytest.fixture
    def hook(self) -> Any:
        return Threaded(lambda request, reply: 0.5, timeout_seconds=60, most_stuck=1000)


class TestScore(HookContract):
    kind = "score"

    @pytest.fixture
    def hook(self) -> Any:
        return lambda entry: None if entry.scope else entry.saving_per_byte


class TestNormaliser(NormaliserContract):
    @pytest.fixture(params=[Normaliser(), Normaliser(case=True, white_space=True, punctuation=True)])
    def normaliser(self, request: pytest.FixtureRequest) -> Any:
        return request.param


class TestEventLog(ListenerContract):
    @pytest.fixture
    def listener(self) -> Any:
        return EventLog(level=logging.CRITICAL)


BAD: dict[str, Any] = {
    "cost": lambda request, reply: -1.0,
    "route": lambda request, decision: "huge",
    "text": lambda request: 1 / len(request.text),
    "score": lambda entry: 1.0 / entry.cost,
}


@pytest.mark.parametrize("kind", list(BAD))
async def test_the_contract_finds_a_hook_that_breaks_it(kind: str) -> None:
    class Broken(HookContract):
        pass

    Broken.kind = kind
    asked: list[tuple[Any, ...]] = {
        "cost": [(Query("q"), Reply("r"))],
        "route": [(Query("q"), None)],
        "text": [(Query(""),)],
        "score": [(EntryView(Key("q"), 1.0, 0.0, 200),)],
    }[kind]

    with pytest.raises(AssertionError):
        await Broken().test_gives_a_legal_word_or_abstains(BAD[kind], asked)
