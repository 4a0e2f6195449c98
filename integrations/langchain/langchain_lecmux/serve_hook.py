"""The `serve` hook, under the rules that `lecmux.hooks` gives to all of them."""

import time
from collections.abc import Callable
from typing import Final

from lecmux import Query
from lecmux.flow import HookRunner

_BUDGET_SECONDS: Final = 0.1
_OVERRUNS_ALLOWED: Final = 3
_STAGE: Final = "hook:serve"


class ServeHook:
    """Asks whether a stored answer may be served; where the hook abstains or fails, it may.

    A hook cannot be interrupted: an overrun of 0.1 s is seen on return, and three in a row switch it off.
    Trouble is counted and logged by `hooks`.
    """

    def __init__(self, hook: Callable[[Query], bool | None] | None, hooks: HookRunner) -> None:
        self._hook = getattr(hook, "serve", hook)
        self._hooks = hooks
        self._overruns = 0

    @property
    def asks(self) -> bool:
        """Whether there is a hook."""
        return self._hook is not None

    def __call__(self, query: Query) -> bool:
        """False only where the hook says so."""
        if self._hook is None:
            return True
        started = time.perf_counter()
        try:
            word = self._hook(query)
            if not (word is None or isinstance(word, bool)):
                raise TypeError(f"serve must return True, False or None, not {word!r}")
        except Exception as error:
            self._hooks.incident(_STAGE, error)
            word = None
        if time.perf_counter() - started > _BUDGET_SECONDS:
            self._overran()
        else:
            self._overruns = 0
        return word is not False

    def _overran(self) -> None:
        self._overruns += 1
        self._hooks.incident(_STAGE, f"took longer than its {_BUDGET_SECONDS} s")
        if self._overruns == _OVERRUNS_ALLOWED:
            self._hook = None
            self._hooks.incident(_STAGE, "switched off")
