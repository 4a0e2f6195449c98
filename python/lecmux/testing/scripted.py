"""A model that follows a script, for tests without a model."""

import threading
from collections.abc import Mapping

from lecmux.query import Query, Reply, Usage
from lecmux.testing.clock import FakeClock

__all__ = ["ScriptedModel"]


class ScriptedModel:
    """Answers each text as the script says; a callable for `models=`.

    Usage counts words as tokens, unless the script gives a whole Reply. It takes `seconds` a call, on the
    fake clock if there is one: nothing sleeps.

    Args:
        script: text to answer; a Reply is returned as it is, an exception is raised.
        default: answer to every other text; None makes them a KeyError.
        seconds: duration reported for each call.
        clock: is advanced by `seconds` at each call.

    Attributes:
        calls: the texts asked for, in order.
    """

    def __init__(
        self,
        script: Mapping[str, str | Reply | Exception] | None = None,
        *,
        default: str | None = None,
        seconds: float = 1.0,
        clock: FakeClock | None = None,
    ) -> None:
        self._script = dict(script or {})
        self._default = default
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self.calls: list[str] = []

    def __call__(self, query: Query) -> Reply:
        """Answers `query`.

        Raises:
            KeyError: for a text that is not in the script, where there is no default.
        """
        with self._lock:
            self.calls.append(query.text)
            if self._clock is not None:
                self._clock.advance(self._seconds)
        line = self._script.get(query.text, self._default)
        if line is None:
            raise KeyError(f"the script has no line for {query.text!r}")
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Reply):
            return line
        usage = Usage(len(query.text.split()), len(line.split()), self._seconds)
        return Reply(line, usage, finish_reason="stop")

    async def acall(self, query: Query) -> Reply:
        """As a call, for AsyncCache."""
        return self(query)
