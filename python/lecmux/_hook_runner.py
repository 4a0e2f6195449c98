"""Runs hooks under the rules of `lecmux.hooks`."""

import logging
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from lecmux import _fork
from lecmux._threaded import Threaded
from lecmux.errors import ConfigError
from lecmux.events import Event, Incident
from lecmux.hooks import Hooks
from lecmux.query import Query, Reply

_LOGGER = logging.getLogger("lecmux")
_OVERRUNS_ALLOWED = 3
_ERROR_TEXT = 200


class HookFailedError(Exception):
    """The scope hook failed or was switched off, so nobody knows the tenant. Never leaves the pipeline."""


class HookRunner:
    """The hooks of one cache, with their counters. `clock` returns seconds."""

    def __init__(self, hooks: Hooks | None = None, *, clock: Callable[[], float] = time.perf_counter) -> None:
        hooks = hooks or Hooks()
        runner = partial(_Runner, budget_seconds=hooks.time_budget_seconds, clock=clock, tell=self.incident)
        self._cost = runner("cost", _bound(hooks.cost, "cost"), check=_amount)
        self._admit = runner("admit", _bound(hooks.admit, "admit"), check=_boolean)
        self._ttl = runner("ttl", _bound(hooks.ttl, "ttl"), check=_lifetime)
        self._scope = runner("scope", _bound(hooks.scope, "scope"), check=_text)
        self._quality = runner("quality", _bound(hooks.quality, "quality"), check=_share)
        self._listeners = [
            runner("listener", _bound(listener, "on_event"), check=_nothing) for listener in hooks.listeners
        ]
        self.listening = bool(self._listeners)
        self._incidents = 0
        self._said: set[str] = set()
        self._lock = threading.Lock()
        _fork.renew(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    @property
    def incidents(self) -> int:
        """Troubles contained so far, in hooks and in the pipeline."""
        return self._incidents

    def cost(self, request: Query, reply: Reply) -> float | None:
        """The cost hook's word, or None."""
        value: float | None = self._cost.ask(request, reply)
        return value

    def admit(self, request: Query, reply: Reply) -> bool | None:
        """The admission hook's word, or None."""
        value: bool | None = self._admit.ask(request, reply)
        return value

    def ttl(self, request: Query, reply: Reply) -> float | None:
        """The ttl hook's word in seconds, or None."""
        value: float | None = self._ttl.ask(request, reply)
        return value

    def quality(self, request: Query, reply: Reply) -> float | None:
        """The quality hook's word in [0, 1], or None."""
        value: float | None = self._quality.ask(request, reply)
        return value

    def scope(self, request: Query) -> str:
        """The tenant.

        Raises:
            HookFailedError: when the hook failed: another tenant's scope must not stand in for it.
        """
        if not self._scope.there:
            return request.scope
        name = self._scope.ask(request)
        if self._scope.failed_last:
            raise HookFailedError("the scope hook failed, so this request is served without the cache")
        return request.scope if name is None else str(name)

    def emit(self, event: Event) -> None:
        """Tells every listener."""
        for listener in self._listeners:
            listener.ask(event)

    def incident(self, stage: str, error: BaseException | str) -> None:
        """Counts trouble that was contained, and tells the listeners, unless one of them made it."""
        with self._lock:
            self._incidents += 1
            first = stage not in self._said
            self._said.add(stage)
        if first and not stage.startswith("hook:"):
            _LOGGER.warning(
                "trouble in the stage %s was contained; said once, then counted: %s", stage, error
            )
        if self.listening and stage != "hook:listener":
            text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
            self.emit(Incident(stage, text[:_ERROR_TEXT]))


class _Runner:
    """One hook. Its counters are plain ints: a race among threads can only delay the switching off."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any] | None,
        *,
        check: Callable[[Any], None],
        budget_seconds: float,
        clock: Callable[[], float],
        tell: Callable[[str, BaseException | str], None],
    ) -> None:
        self.there = function is not None
        self._name = name
        self._function = function
        self._check = check
        self._budget = budget_seconds
        self._clock = clock
        self._tell = tell
        self._overruns = 0
        self._logged = False
        self._verdict = threading.local()

    @property
    def failed_last(self) -> bool:
        """True when this thread's last `ask` raised, or found the hook switched off."""
        return bool(getattr(self._verdict, "failed", False))

    def ask(self, *arguments: Any) -> Any:
        """The hook's answer, or None where it abstains, fails, or was switched off."""
        self._verdict.failed = self.there and self._function is None
        function = self._function
        if function is None:
            return None
        started = self._clock()
        try:
            value = function(*arguments)
            if value is not None:
                self._check(value)
        except TimeoutError as error:
            self._failed(error)
            self._overran()
        except Exception as error:
            self._failed(error)
        else:
            if self._clock() - started > self._budget:
                self._tell(f"hook:{self._name}", f"took longer than its {self._budget} s")
                self._overran()
            else:
                self._overruns = 0
            return value
        return None

    def _failed(self, error: Exception) -> None:
        self._verdict.failed = True
        self._tell(f"hook:{self._name}", error)
        if not self._logged:
            self._logged = True
            _LOGGER.warning("the %s hook failed; said once, counted from now on", self._name, exc_info=error)

    def _overran(self) -> None:
        self._overruns += 1
        if self._overruns == _OVERRUNS_ALLOWED and self._function is not None:
            self._function = None
            self._tell(f"hook:{self._name}", "switched off")
            _LOGGER.warning(
                "the %s hook overran its time %d times in a row and is switched off; a larger "
                "time_budget_seconds or Threaded may suit it",
                self._name,
                _OVERRUNS_ALLOWED,
            )


def _bound(hook: Any, method: str) -> Callable[..., Any] | None:
    """The function behind a protocol object, a bare callable, or either wrapped in Threaded."""
    if hook is None:
        return None
    if isinstance(hook, Threaded):
        inner = _bound(hook.hook, method)
        return None if inner is None else partial(hook.call, inner)
    function = getattr(hook, method, hook)
    if not callable(function):
        raise ConfigError(f"the {method} hook must be callable or have a method {method}()")
    return function  # type: ignore[no-any-return]


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
        raise TypeError(f"admit must return True, False or None, not {value!r}")


def _text(value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"scope must return a str or None, not {value!r}")


def _nothing(_value: Any) -> None:
    """A listener's return value is ignored."""
