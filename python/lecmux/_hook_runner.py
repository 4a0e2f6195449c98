"""Runs hooks under the rules of `lecmux.hooks`."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from lecmux._asked_hook import AskedHook, Ways, Word, ways_into
from lecmux._incidents import Incidents
from lecmux.errors import ConfigError
from lecmux.events import Event, Incident
from lecmux.hooks import Hooks
from lecmux.policies._check import instance
from lecmux.policies.scored import EntryView
from lecmux.query import Decision, Query, Reply

_NOTHING = Word(None)


class HookFailedError(Exception):
    """The scope hook failed or was switched off, so nobody knows the tenant. Never leaves the pipeline."""


class HookRunner:
    """The hooks of one cache, with their counters.

    `score` is the hook of its eviction policy, if that asks one; `clock` returns seconds.

    Attributes:
        listening: whether anybody hears of events.
        scores: whether a score hook is asked for the worth of entries.
        awaited: names of the hooks that can be awaited; a driver that awaits asks them by `Consult`.
    """

    def __init__(
        self,
        hooks: Hooks | None = None,
        *,
        score: Any = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        hooks = Hooks() if hooks is None else hooks
        instance("hooks", hooks, Hooks)
        instance("listeners", hooks.listeners, Iterable, "a sequence")
        self._incidents = Incidents(self._tell_listeners, log_texts=hooks.log_texts)
        budget = hooks.time_budget_seconds
        asked = partial(AskedHook, budget_seconds=budget, clock=clock, incidents=self._incidents)
        ways = {name: ways_into(getattr(hooks, name), name) for name in _CHECKS}
        self._hooks: dict[str, AskedHook | Said] = {
            name: asked(name, way, check=_CHECKS[name]) for name, way in ways.items() if way is not None
        }
        heard = [way for listener in hooks.listeners if (way := ways_into(listener, "on_event"))]
        self._listeners = [asked("listener", way, check=_anything) for way in heard]
        self.listening = bool(self._listeners)
        self.awaited = frozenset(name for name, hook in self._hooks.items() if hook.awaits)
        if "normalise" in self.awaited:
            raise ConfigError("a normaliser is asked for every key: it must not be async")
        self.scores = score is not None
        if score is not None:
            self._hooks["score"] = asked("score", _plainly(score), check=_finite)

    @property
    def routes(self) -> bool:
        """Whether a route hook is asked."""
        return "route" in self._hooks

    @property
    def keys(self) -> bool:
        """Whether a hook is asked for the key of a query."""
        return any(name in self._hooks for name in ("text", "normalise", "scope"))

    @property
    def incidents(self) -> int:
        """Troubles contained so far, in hooks and in the pipeline."""
        return self._incidents.count

    def cost(self, request: Query, reply: Reply) -> float | None:
        """The cost hook's word, or None."""
        value: float | None = self._ask("cost", request, reply).value
        return value

    def admit(self, request: Query, reply: Reply) -> bool | None:
        """The admission hook's word, or None."""
        value: bool | None = self._ask("admit", request, reply).value
        return value

    def ttl(self, request: Query, reply: Reply) -> float | None:
        """The ttl hook's word in seconds, or None."""
        value: float | None = self._ask("ttl", request, reply).value
        return value

    def quality(self, request: Query, reply: Reply) -> float | None:
        """The quality hook's word in [0, 1], or None."""
        value: float | None = self._ask("quality", request, reply).value
        return value

    def text(self, request: Query) -> str:
        """The text of the key: the text hook's word or the query's own, normalised."""
        if not self._hooks:  # the usual case, at no cost
            return request.text
        word: str | None = self._ask("text", request).value
        text = request.text if word is None else word
        normal: str | None = self._ask("normalise", text).value
        return text if normal is None else normal

    def scope(self, request: Query) -> str:
        """The tenant.

        Raises:
            HookFailedError: when the hook failed: another tenant's scope must not stand in for it.
        """
        if not self._hooks:
            return request.scope
        word = self._ask("scope", request)
        if word.failed:
            raise HookFailedError("the scope hook failed, so this request is served without the cache")
        return request.scope if word.value is None else str(word.value)

    def route(self, request: Query, decision: Decision, among: Sequence[str]) -> str | None:
        """The model that the route hook names, one of `among`, or None."""
        if "route" not in self._hooks:
            return None
        value: str | None = self._ask("route", request, decision, check=one_of(among)).value
        return value

    def same_answer(self, one: Any, other: Any) -> bool:
        """Whether two answers say the same: the hook's word, else whether they are equal."""
        value = self.compared(one, other)
        return bool(one == other) if value is None else value

    def compared(self, one: Any, other: Any) -> bool | None:
        """The same_answer hook's word, or None."""
        value: bool | None = self._ask("same_answer", one, other).value
        return value

    def score(self, entry: EntryView) -> float | None:
        """The score hook's word, or None."""
        value = self._ask("score", entry).value
        return None if value is None else float(value)

    def emit(self, event: Event) -> None:
        """Tells every listener."""
        for listener in self._listeners:
            listener.tell(event)

    def incident(self, stage: str, error: BaseException | str) -> None:
        """Counts trouble that was contained, and tells the listeners, unless one of them made it."""
        self._incidents.add(stage, error)

    def consult(self, name: str, *arguments: Any, check: Callable[[Any], None] | None = None) -> "Consult":
        """The effect by which a driver asks the hook `name`, one of `awaited`."""
        return Consult(self._hooks[name], arguments, check)

    def told(self, words: Mapping[str, Word]) -> "HookRunner":
        """These hooks, where those named in `words` have been asked already."""
        view = copy.copy(self)
        view._hooks = {**self._hooks, **{name: Said(word) for name, word in words.items()}}
        view.awaited = self.awaited - words.keys()
        return view

    def apart(self, tell: Callable[[str, str], None]) -> "HookRunner":
        """These hooks with nobody listening and counters of their own: to ask without consequences.

        `tell` is given stage and text of each trouble.
        """
        view = copy.copy(self)
        view._listeners, view.listening = [], False
        view._incidents = Incidents(tell, silent=True)
        view._hooks = {name: hook.apart(view._incidents) for name, hook in self._hooks.items()}
        return view

    def _ask(self, name: str, *arguments: Any, check: Callable[[Any], None] | None = None) -> Word:
        hook = self._hooks.get(name)
        return _NOTHING if hook is None else hook.ask(*arguments, check=check)

    def _tell_listeners(self, stage: str, text: str) -> None:
        if self.listening and stage != "hook:listener":
            self.emit(Incident(stage, text))


@dataclass(frozen=True, slots=True)
class Said:
    """A hook that was asked already."""

    word: Word
    awaits = False

    def ask(self, *_: Any, check: Callable[[Any], None] | None = None) -> Word:
        """The same word to everybody."""
        return self.word

    async def ask_async(self, *_: Any, check: Callable[[Any], None] | None = None) -> Word:
        """As `ask`."""
        return self.word

    def apart(self, incidents: Incidents) -> "Said":
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class Consult:
    """Effect: ask a hook that can be awaited; the driver sends back its Word."""

    hook: AskedHook | Said
    arguments: tuple[Any, ...]
    check: Callable[[Any], None] | None = None

    def wait(self) -> Word:
        """Asks with a call; a hook that is only async counts as failed."""
        return self.hook.ask(*self.arguments, check=self.check)

    async def wait_async(self) -> Word:
        """Asks with an await."""
        return await self.hook.ask_async(*self.arguments, check=self.check)


def one_of(names: Sequence[str]) -> Callable[[Any], None]:
    """A check that a name is one of `names`."""

    def check(name: Any) -> None:
        if name not in names:
            raise ValueError(f"route must name one of {', '.join(map(repr, names))}, not {name!r}")

    return check


def _plainly(score: Any) -> Ways:
    """The way into a score hook, whose async twin nobody awaits."""
    way = ways_into(score, "score")
    return Ways() if way is None else Ways(way.plain)


def _finite(value: Any) -> None:
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"a score must be a finite number, not {value!r}")


def _amount(value: Any) -> None:
    if isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise ValueError(f"a cost must be a finite number of at least 0, not {value!r}")


def _lifetime(value: Any) -> None:
    if isinstance(value, bool) or not math.isfinite(value) or value <= 0:
        raise ValueError(f"a time to live must be a finite number of seconds above 0, not {value!r}")


def _share(value: Any) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"a quality must lie in [0, 1], not {value!r}")


def _boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"the answer must be True, False or None, not {type(value).__name__}")


def _text(value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"the answer must be a str or None, not {type(value).__name__}")


def _anything(_value: Any) -> None:
    """A listener's return value is ignored."""


_CHECKS: dict[str, Callable[[Any], None]] = {
    "scope": _text,
    "text": _text,
    "normalise": _text,
    "cost": _amount,
    "quality": _share,
    "admit": _boolean,
    "ttl": _lifetime,
    "route": _text,
    "same_answer": _boolean,
}
