"""Puts a reply together from the chunks of a chat completion."""

import json
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from lecmux.query import Reply, Usage

_MILLISECONDS = 1000.0


class Collected:
    """Puts the chunks of a streamed chat completion together; a whole completion is taken as one chunk.

    `worked`: count the seconds the server says it worked, where it does, instead of those that passed.
    """

    def __init__(self, *, worked: bool = True) -> None:
        self._worked = worked
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._tools: list[dict[str, Any]] = []
        self._open_tools: dict[int, dict[str, Any]] = {}
        self._finish_reason: str | None = None
        self._refused = False
        self.model: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._timings: Mapping[str, float] = {}
        self._started = perf_counter()

    @property
    def begun(self) -> bool:
        """True once there is a token, of whatever kind."""
        return bool(self._text or self._thoughts or self._tools or self._finish_reason)

    @property
    def finished(self) -> bool:
        """True once the model said why it ended."""
        return self._finish_reason is not None

    def add(self, chunk: Mapping[str, Any]) -> str:
        """Takes one chunk in; returns the text it adds, often "".

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is no chunk.
        """
        self._usage = _mapping(chunk, "usage") or self._usage
        self._timings = _mapping(chunk, "timings") or self._timings
        self.model = _text(chunk.get("model")) or self.model
        added = ""
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or choice.get("message") or {}
            self._finish_reason = _text(choice.get("finish_reason")) or self._finish_reason
            for call in delta.get("tool_calls") or ():
                self._add_tool_call(call)
            if thought := _text(delta.get("reasoning_content") or delta.get("reasoning")):
                self._thoughts.append(thought)
            self._refused = self._refused or bool(delta.get("refusal"))
            added += _text(delta.get("content")) or _text(delta.get("refusal"))
        if added:
            self._text.append(added)
        return added

    def reply(self, model: str) -> Reply:
        """The whole: text, or an assistant message where tools were called."""
        text = "".join(self._text)
        value = {"role": "assistant", "content": text, "tool_calls": self._tools} if self._tools else text
        reason = "refusal" if self._refused else self._finish_reason
        return Reply(value, self._used(), reason, model, "".join(self._thoughts) or None)

    def _add_tool_call(self, call: Mapping[str, Any]) -> None:
        """Continues the call of the same index. A new id begins a new one: some servers count none."""
        index = call.get("index") or 0
        whole = self._open_tools.get(index)
        if whole is None or (call.get("id") and whole["id"] and call["id"] != whole["id"]):
            whole = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            self._open_tools[index] = whole
            self._tools.append(whole)
        whole["id"] = _text(call.get("id")) or whole["id"]
        written = call.get("function") or {}
        arguments = written.get("arguments")
        whole["function"]["name"] += _text(written.get("name"))
        # Some servers send the arguments as an object.
        whole["function"]["arguments"] += (
            json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments)
        )

    def _used(self) -> Usage:
        """Tokens and seconds. Those the model worked leave out the time it waited for its turn."""
        worked = _seconds(self._timings.get("prompt_ms")) + _seconds(self._timings.get("predicted_ms"))
        given = _mapping(self._usage, "prompt_tokens_details")
        made = _mapping(self._usage, "completion_tokens_details")
        return Usage(
            input_tokens=_count(self._usage.get("prompt_tokens")),
            output_tokens=_count(self._usage.get("completion_tokens")),
            seconds=worked if worked and self._worked else perf_counter() - self._started,
            cached_input_tokens=_count(given.get("cached_tokens")),
            cache_write_tokens=_count(given.get("cache_write_tokens")),
            reasoning_tokens=_count(made.get("reasoning_tokens")),
            image_input_tokens=_count(given.get("image_tokens")),
            image_output_tokens=_count(made.get("image_tokens")),
            audio_input_tokens=_count(given.get("audio_tokens")),
            audio_output_tokens=_count(made.get("audio_tokens")),
        )


def _mapping(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part that is an object; an empty one where it is anything else."""
    part = of.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    """A text, also one in parts; "" for None.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value)
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError(f"not a text: {value!r}")


def _count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _seconds(milliseconds: Any) -> float:
    good = isinstance(milliseconds, (int, float)) and 0 < milliseconds < float("inf")
    return milliseconds / _MILLISECONDS if good else 0.0
