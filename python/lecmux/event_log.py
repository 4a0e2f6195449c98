"""A listener that writes events to a logger, without anybody's texts unless asked to."""

import logging
import os
from dataclasses import fields
from typing import Any

from lecmux.events import Event, Incident
from lecmux.query import Decision, Key

__all__ = ["EventLog"]

_SECRET = os.urandom(16)
_DIGEST_BYTES = 6


class EventLog:
    """Writes one line an event: `Hooks(listeners=[EventLog()])`.

    A key is written as a digest that is the same for the same key while the process lives, and cannot be
    guessed from a list of prompts.

    Args:
        logger: to write to; by default `lecmux.events`.
        level: of the lines; incidents are warnings at least.
        texts: write keys and messages of errors as they are.
    """

    def __init__(
        self, logger: logging.Logger | None = None, *, level: int = logging.DEBUG, texts: bool = False
    ) -> None:
        self._logger = logger or logging.getLogger("lecmux.events")
        self._level = level
        self._texts = texts

    def on_event(self, event: Event, /) -> None:
        """Writes `event`."""
        level = max(self._level, logging.WARNING) if isinstance(event, Incident) else self._level
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", self.line(event))

    def line(self, event: Event) -> str:
        """`event` as one line: its name, then its facts."""
        told = [type(event).__name__]
        for each in fields(event):
            told += self._facts(each.name, getattr(event, each.name))
        return " ".join(told)

    def _facts(self, name: str, value: Any) -> list[str]:
        if isinstance(value, Key):
            return [f"key={_digest(value)}"] if not self._texts else [f"key={tuple(value)!r}"]
        if isinstance(value, Decision):
            return [f"{part}={getattr(value, part)}" for part in ("id", "model", "reason", "cost", "saved")]
        if name == "error" and not self._texts:
            value = str(value).partition(":")[0]  # the class; the message may quote a prompt
        return (
            [] if value is None else [f"{name}={value!r}" if isinstance(value, float) else f"{name}={value}"]
        )


def _digest(key: Key) -> str:
    import hashlib  # noqa: PLC0415  loads OpenSSL, for those who write a log only

    digest = hashlib.blake2b(key=_SECRET, digest_size=_DIGEST_BYTES)
    for part in key:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()
