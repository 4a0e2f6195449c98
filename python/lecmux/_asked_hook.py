"""One hook under the rules of `lecmux.hooks`, asked with a call or with an await."""

import inspect
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from lecmux._incidents import Incidents
from lecmux._threaded import Threaded, in_a_loop
from lecmux.errors import ConfigError

__all__ = ["AskedHook", "Ways", "Word", "ways_into"]

_OVERRUNS_ALLOWED = 3
_FAILED = "the %s hook failed; said once, counted from now on: %s"
_SWITCHED_OFF = (
    f"the %s hook overran its time {_OVERRUNS_ALLOWED} times in a row and is switched off (%s); a larger "
    "time_budget_seconds or Threaded may suit it"
)


class Word(NamedTuple):
    """What a hook said. `value` is None where it abstained or failed."""

    value: Any
    failed: bool = False


class Ways(NamedTuple):
    """How a hook can be asked. `cancels`: an await is cancelled at the time budget."""

    plain: Callable[..., Any] | None = None
    awaited: Callable[..., Awaitable[Any]] | None = None
    cancels: bool = True


class AskedHook:
    """A hook with its counters, which are plain ints: a race can only delay the switching off.

    Args:
        name: of the hook.
        ways: to ask it.
        check: raises for an answer that is none.
        budget_seconds: longest time one call should take.
        clock: seconds.
        incidents: where trouble is counted.
    """

    def __init__(
        self,
        name: str,
        ways: Ways,
        *,
        check: Callable[[Any], None],
        budget_seconds: float,
        incidents: Incidents,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.awaits = ways.awaited is not None
        self._name = name
        self._ways = ways
        self._check = check
        self._budget = budget_seconds
        self._clock = clock
        self._incidents = incidents
        self._overruns = 0
        self._off = False
        self._said: set[str] = set()
        self._tasks: set[Any] = set()

    def apart(self, incidents: Incidents) -> "AskedHook":
        """The same hook with counters of its own, off where this one is."""
        copy = AskedHook(
            self._name,
            self._ways,
            check=self._check,
            budget_seconds=self._budget,
            incidents=incidents,
            clock=self._clock,
        )
        copy._off = self._off
        return copy

    def ask(self, *arguments: Any, check: Callable[[Any], None] | None = None) -> Word:
        """Its word, by a plain call."""
        if self._off:
            return Word(None, failed=True)
        function = self._ways.plain
        if function is None:
            self._failed("it is async, and this driver does not await: wrap it in Threaded(hook, ...)")
            return Word(None, failed=True)
        started = self._clock()
        try:
            value = function(*arguments)
            self._checked(value, check)
        except TimeoutError as error:
            self._failed(error)
            self._overran()
        except Exception as error:
            self._failed(error)
        else:
            self._timed(started)
            return Word(value)
        return Word(None, failed=True)

    async def ask_async(self, *arguments: Any, check: Callable[[Any], None] | None = None) -> Word:
        """Its word, by an await where it has one. One that takes too long is cancelled."""
        function = self._ways.awaited
        if self._off or function is None:
            return self.ask(*arguments, check=check)
        import asyncio  # noqa: PLC0415  costs 50 ms, and threads do without

        started = self._clock()
        try:
            async with asyncio.timeout(self._budget if self._ways.cancels else None):
                value = await function(*arguments)
            self._checked(value, check)
        except TimeoutError as error:
            self._failed(error)
            self._overran()
        except Exception as error:
            self._failed(error)
        else:
            self._timed(started)
            return Word(value)
        return Word(None, failed=True)

    def tell(self, event: Any) -> None:
        """Gives a listener an event; one that is async hears it in a task of the running loop."""
        loop = _running_loop() if self.awaits else None
        if loop is None:
            self.ask(event)
            return
        task = loop.create_task(self.ask_async(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _checked(self, value: Any, check: Callable[[Any], None] | None) -> None:
        if inspect.iscoroutine(value):
            value.close()
            raise TypeError(f"the {self._name} hook returned a coroutine: write it with async def")
        if value is not None:
            self._check(value)
            if check is not None:
                check(value)

    def _timed(self, started: float) -> None:
        if self._clock() - started > self._budget:
            self._incidents.count_only(f"hook:{self._name}", f"took longer than its {self._budget} s")
            self._overran()
        else:
            self._overruns = 0

    def _failed(self, error: Exception | str) -> None:
        self._incidents.add(f"hook:{self._name}", error, log=_FAILED, said=self._said)

    def _overran(self) -> None:
        self._overruns += 1
        if self._overruns == _OVERRUNS_ALLOWED and not self._off:
            self._off = True
            self._incidents.add(f"hook:{self._name}", "switched off", log=_SWITCHED_OFF, said=self._said)


def ways_into(hook: Any, method: str) -> Ways | None:
    """The ways to ask a protocol object, a bare callable, or either wrapped in Threaded; None for None.

    Raises:
        ConfigError: for something that cannot be asked.
    """
    if hook is None:
        return None
    if isinstance(hook, Threaded):
        inner = ways_into(hook.hook, method)
        if inner is None:
            return None
        function = inner.plain or in_a_loop(inner.awaited)
        return Ways(partial(hook.call, function), partial(hook.acall, function), cancels=False)
    if isinstance(hook, type) and hasattr(hook, method):
        raise ConfigError(f"the {method} hook is the class {hook.__name__}: pass an object of it")
    plain, awaited = getattr(hook, method, None), getattr(hook, f"a{method}", None)
    if plain is None and awaited is None:
        plain = hook
    if not all(callable(way) for way in (plain, awaited) if way is not None):
        raise ConfigError(f"the {method} hook must be callable or have a method {method}()")
    if _is_async(plain):
        plain, awaited = None, plain
    return Ways(plain, awaited)


def _is_async(function: Any) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004  an object may have an async one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _running_loop() -> Any:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
