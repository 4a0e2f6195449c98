"""A model that follows a script, for tests without a model."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from lecmux.errors import ModelClosedError
from lecmux.models._request import check_request, last_user_text
from lecmux.models.base import Message
from lecmux.query import Query, Reply, Usage
from lecmux.testing.clock import FakeClock

__all__ = ["ScriptedModel", "ScriptedStream"]

_WORD = re.compile(r"\s*\S+")


class ScriptedModel:
    """Answers each text as the script says: a `lecmux.models.Model`, and a callable for `models=`.

    A chat is answered by the text of the user's last message. Usage counts words as tokens, unless the
    script gives a whole Reply. It takes `seconds` a call, on the fake clock if there is one: nothing sleeps.

    Args:
        script: text to answer; a Reply is returned as it is, an exception is raised.
        default: answer to every other text; None makes them a KeyError.
        seconds: duration reported for each call.
        clock: is advanced by `seconds` at each call.
        name: what decisions and reports call it.

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
        name: str = "scripted",
    ) -> None:
        self._script = dict(script or {})
        self._default = default
        self._seconds = seconds
        self._clock = clock
        self._name = name
        self._closed = False
        self._lock = threading.Lock()
        self.calls: list[str] = []

    @property
    def name(self) -> str:
        """What decisions and reports call it."""
        return self._name

    def __call__(self, query: Query) -> Reply:
        """Answers `query`.

        Raises:
            KeyError: for a text that is not in the script, where there is no default.
            ModelClosedError: after `close`.
        """
        return self._reply(query.text, len(query.text.split()))

    async def acall(self, query: Query) -> Reply:
        """As a call, for AsyncCache."""
        return self(query)

    def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> Reply:
        """Answers the user's last message; see `lecmux.models.Model`. Tools and seed change nothing.

        Raises:
            KeyError: for a text that is not in the script, where there is no default.
            ConfigError: no messages, or a setting that cannot work.
            ModelError: a message that is none, and ModelClosedError after `close`.
        """
        check_request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop)
        given = sum(len(str(message.get("content", "")).split()) for message in messages)
        reply = self._reply(last_user_text(messages), given)
        return _cut(reply, max_tokens, [stop] if isinstance(stop, str) else stop or ())

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
    ) -> "ScriptedStream":
        """As `chat`, word by word."""
        return ScriptedStream(
            self.chat(
                messages, max_tokens=max_tokens, temperature=temperature, stop=stop, seed=seed, tools=tools
            )
        )

    async def achat(self, messages: Sequence[Message], **settings: Any) -> Reply:
        """As `chat`."""
        return self.chat(messages, **settings)

    def astream(self, messages: Sequence[Message], **settings: Any) -> "ScriptedStream":
        """As `stream`; what it returns is read either way."""
        return self.stream(messages, **settings)

    def close(self) -> None:
        """Further calls raise ModelClosedError. May be called twice."""
        self._closed = True

    def _reply(self, text: str, given_tokens: int) -> Reply:
        if self._closed:
            raise ModelClosedError(f"{self._name} is closed: make another ScriptedModel")
        with self._lock:
            self.calls.append(text)
            if self._clock is not None:
                self._clock.advance(self._seconds)
        line = self._script.get(text, self._default)
        if line is None:
            raise KeyError(f"the script has no line for {text!r}")
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Reply):
            return line
        usage = Usage(given_tokens, len(line.split()), self._seconds)
        return Reply(line, usage, finish_reason="stop")


class ScriptedStream:
    """A scripted reply word by word, sync or async; `lecmux.models.Stream` says what each method does."""

    def __init__(self, reply: Reply) -> None:
        self._whole = reply
        self._pieces: Iterator[str] = iter(_pieces(reply.value))
        self._reply: Reply | None = None
        self._closed = False

    @property
    def reply(self) -> Reply | None:
        """The whole reply; None until the stream has ended normally."""
        return self._reply

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self._closed:
            raise StopIteration
        for piece in self._pieces:
            return piece
        self._reply = self._whole
        raise StopIteration

    def close(self) -> None:
        """Ends the stream. Harmless once it has ended."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        for piece in self:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """As `close`."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _pieces(value: Any) -> list[str]:
    """Words with the white space before them; the rest of the text goes with the last."""
    text = value.get("content") or "" if isinstance(value, dict) else value
    words = _WORD.findall(text) if isinstance(text, str) else []
    if words:
        words[-1] += text[sum(map(len, words)) :]
    return words


def _cut(reply: Reply, max_tokens: int | None, stop: Sequence[str]) -> Reply:
    """`reply` as far as the first of `stop`, and of at most `max_tokens` words."""
    if not isinstance(reply.value, str):
        return reply
    text, reason = reply.value, reply.finish_reason
    ends = [place for place in map(text.find, stop) if place >= 0]
    if ends:
        text, reason = text[: min(ends)], "stop"
    words = _pieces(text)
    if max_tokens is not None and len(words) > max_tokens:
        text, reason = "".join(words[:max_tokens]), "length"
    if text == reply.value:
        return reply
    return replace(
        reply,
        value=text,
        finish_reason=reason,
        usage=replace(reply.usage, output_tokens=len(_pieces(text))),
    )
