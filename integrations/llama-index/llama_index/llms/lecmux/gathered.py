"""A stream as it passes: each chunk tells of the decision, and what they amount to is kept for the store."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from llama_index.core.base.llms.types import ChatResponse

from lecmux import Decision, Reply, Usage
from lecmux.facts import end_facts, start_facts
from lecmux.policies import ended_normally
from llama_index.llms.lecmux.generated import Generated
from llama_index.llms.lecmux.responses import Response, end, usage
from llama_index.llms.lecmux.serving import told, usage_facts

_THINKING = "thinking_delta"
_COUNTS = tuple(each.name for each in fields(Usage))


class Gathered:
    """The chunks of one stream, from the last model that gave any.

    Each carries all that was said so far, so the last one is whole.
    """

    def __init__(self) -> None:
        self._clear()

    def begin(self) -> None:
        """A model is asked: its first chunk will replace those of one that failed or was not good enough."""
        self._fresh = True

    def _clear(self) -> None:
        self._fresh = False
        self._pieces: list[int] = []
        self._usage = Usage()
        self._end: str | None = None
        self._last: Response | None = None
        self._handed: Response | None = None

    def take(self, chunk: Response, decision: Decision) -> Response:
        """The chunk as it is handed on."""
        if self._fresh:
            self._clear()
        if chunk.delta:
            self._pieces.append(len(chunk.delta))
        if isinstance(thought := chunk.additional_kwargs.get(_THINKING), str) and thought:
            self._pieces.append(-len(thought))
        self._usage = _larger(self._usage, usage(chunk))
        if (reason := end(chunk)) and (self._end is None or ended_normally(self._end)):
            self._end = reason
        self._last = chunk
        self._handed = told(chunk, start_facts(decision))
        return self._handed

    def reply(self, model: str, seconds: float) -> Reply:
        """What the chunks amount to; a value of None, which is never stored, where there were none."""
        if self._fresh:
            self._clear()
        used = replace(self._usage, seconds=seconds)
        if self._last is None:
            return Reply(None, usage=used, model=model)
        generated = Generated(_whole(self._last), tuple(self._pieces), self._tokens)
        return Reply(generated, usage=used, finish_reason=self._end, model=model)

    @property
    def _tokens(self) -> tuple[int, int]:
        return self._usage.input_tokens, self._usage.output_tokens

    def settle(self, decision: Decision) -> None:
        """The stream has ended: the last chunk, which its reader still holds, also tells what it cost."""
        if self._handed is not None:
            facts: dict[str, Any] = self._handed.additional_kwargs["lecmux"]
            facts.update(end_facts(decision), **usage_facts(self._tokens))


def _larger(one: Usage, other: Usage) -> Usage:
    """Each count at its largest: some report it once, some as it grows, some the input first."""
    return Usage(**{name: max(getattr(one, name), getattr(other, name)) for name in _COUNTS})


def _whole(chunk: Response) -> Response:
    """The last chunk without what belongs to it as a chunk."""
    rest: Mapping[str, Any] = chunk.additional_kwargs
    update: dict[str, Any] = {"delta": None}
    if _THINKING in rest:
        update["additional_kwargs"] = {name: value for name, value in rest.items() if name != _THINKING}
    if isinstance(chunk, ChatResponse) and _THINKING in (said := chunk.message.additional_kwargs):
        kept = {name: value for name, value in said.items() if name != _THINKING}
        update["message"] = chunk.message.model_copy(update={"additional_kwargs": kept})
    return chunk.model_copy(update=update)
