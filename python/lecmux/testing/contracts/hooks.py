"""What every hook promises: a legal word or None, from any thread, and nothing changed."""

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest

from lecmux.events import Bypass, CacheHit, CacheMiss, Event, Incident, Observe, Route, Store
from lecmux.flow import HookRunner, Word
from lecmux.hooks import Hooks, Normaliser
from lecmux.policies.scored import EntryView, Scored
from lecmux.query import Decision, Key, Query, Reply, Usage

__all__ = ["HookContract", "ListenerContract", "NormaliserContract"]

_PATIENT_SECONDS = 3600.0
_MODELS = ("small", "large")
_TEXTS = ["", "What is RAM?", "  Two\n\tlines  ", "na\u00efve \u4f60\u597d \U0001f600", "x" * 10_000]
_DECISION = Decision(
    "0" * 16, "call", "small", "untried", "usd", lower={"small": 0.0, "large": 0.0}, tries={"small": 1.0}
)
_KEY = Key("What is RAM?", "ada", "f")
_ENTRIES = [
    EntryView(_KEY, 1.0, 0.002, 1_000, 0.0, 60.0, model="small"),
    EntryView(Key(""), 3.5, None, 200, age_seconds=0.0),
    EntryView(_KEY, 1e6, 0.0, 1_000_000, 3600.0, 0.0, 0.5, "large"),
    EntryView(_KEY, 1.0, 1e9, 185),
]
_EVENTS: list[Event] = [
    CacheHit(_KEY, _DECISION, 0.0),
    CacheMiss(_KEY, "absent"),
    Route(_KEY, _DECISION),
    Observe(_KEY, "0" * 16, "small", 0.1, None, "usd"),
    Store(_KEY, "small", 0.1),
    Bypass(_KEY, None, "admit"),
    Incident("exact", "OSError: no disk"),
]


class HookContract:
    """Subclass, set `kind`, and supply `hook`, an object or a callable, plain or async.

    How long a hook takes is not looked at: `time_budget_seconds` is yours to choose.
    """

    kind: ClassVar[str]
    """text, scope, route, cost, quality, admit, ttl or same_answer."""

    @pytest.fixture
    def hook(self) -> Any:
        """The hook."""
        raise NotImplementedError

    @pytest.fixture
    def requests(self) -> Sequence[Query]:
        """What it is asked about; give queries with the attributes that yours needs."""
        return [Query(text, scope="ada", fingerprint="f", attributes={"user": "ada"}) for text in _TEXTS]

    @pytest.fixture
    def replies(self) -> Sequence[Reply]:
        """What models may have answered; give replies with values as your models return them."""
        return [
            Reply("an answer", Usage(12, 3, 0.5), finish_reason="stop", model="small"),
            Reply("cut sh", Usage(12, 3, 0.5), finish_reason="length"),
            Reply(""),
        ]

    @pytest.fixture
    def asked(self, requests: Sequence[Query], replies: Sequence[Reply]) -> list[tuple[Any, ...]]:
        """Arguments of its calls."""
        if self.kind in {"text", "scope"}:
            return [(request,) for request in requests]
        if self.kind == "score":
            return [(entry,) for entry in _ENTRIES]
        if self.kind == "route":
            return [(request, _DECISION) for request in requests]
        if self.kind == "same_answer":
            return [(one.value, other.value) for one in replies for other in replies]
        return [(request, reply) for request in requests for reply in replies]

    async def test_gives_a_legal_word_or_abstains(self, hook: Any, asked: list[tuple[Any, ...]]) -> None:
        """For everything it is asked about; the message says what it gave instead."""
        words, troubles = await self._words(hook, asked)

        assert not troubles
        if self.kind == "route":
            assert {word.value for word in words} <= {None, *_MODELS}

    async def test_changes_nothing_it_is_given(self, hook: Any, asked: list[tuple[Any, ...]]) -> None:
        """Requests and replies are shared with the pipeline."""
        before = copy.deepcopy(asked)

        await self._words(hook, asked)

        assert repr(asked) == repr(before)

    def test_may_be_asked_from_many_threads(self, hook: Any, asked: list[tuple[Any, ...]]) -> None:
        """As threads of a server do; a hook that is only async is left out."""
        runner, troubles = self._runner(hook)
        if self._only_async(runner):
            pytest.skip("this hook is only async: one event loop asks it")

        with ThreadPoolExecutor(8) as pool:
            words = list(pool.map(lambda arguments: runner._ask(self.kind, *arguments), asked * 8))

        assert not troubles
        assert not any(word.failed for word in words)

    def _runner(self, hook: Any) -> tuple[HookRunner, list[str]]:
        troubles: list[str] = []
        hooks: Any = {} if self.kind == "score" else {self.kind: hook}
        score = Scored(hook).score if self.kind == "score" else None
        runner = HookRunner(Hooks(**hooks, time_budget_seconds=_PATIENT_SECONDS), score=score)
        return runner.apart(lambda stage, text: troubles.append(f"{stage}: {text}")), troubles

    def _only_async(self, runner: HookRunner) -> bool:
        asked: Any = runner._hooks[self.kind]
        return asked._ways.plain is None

    async def _words(self, hook: Any, asked: list[tuple[Any, ...]]) -> tuple[list[Word], list[str]]:
        """By every way it has: with an await, and with a call."""
        runner, troubles = self._runner(hook)
        words = [await runner.consult(self.kind, *arguments).wait_async() for arguments in asked]
        if not self._only_async(runner):
            words += [runner._ask(self.kind, *arguments) for arguments in asked]
        return words, troubles


class NormaliserContract:
    """Subclass, and supply `normaliser`, a callable from text to text."""

    @pytest.fixture
    def normaliser(self) -> Any:
        """The normaliser."""
        return Normaliser()

    @pytest.mark.parametrize("text", _TEXTS, ids=lambda text: repr(text)[:20])
    def test_a_normal_form_is_text_and_its_own(self, normaliser: Any, text: str) -> None:
        """Normalising twice is normalising once; a text does not vanish."""
        normal = normaliser(text)

        assert isinstance(normal, str)
        assert normaliser(normal) == normal
        assert bool(normal) == bool(text)


class ListenerContract:
    """Subclass, and supply `listener`, an object with `on_event` or a callable."""

    @pytest.fixture
    def listener(self) -> Any:
        """The listener."""
        raise NotImplementedError

    @pytest.mark.parametrize("event", _EVENTS, ids=lambda event: type(event).__name__)
    async def test_hears_every_event(self, listener: Any, event: Event) -> None:
        """Without failing, whatever comes; new kinds of events may come with any release."""
        runner = HookRunner(Hooks(listeners=[listener], time_budget_seconds=_PATIENT_SECONDS))

        await runner._listeners[0].ask_async(event)

        assert runner.incidents == 0
