"""What a model generated, with the few facts about it that a cache and a router need."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, Generation

from langchain_lecmux.plan import Plan
from lecmux import Reply, Usage
from lecmux.policies import ended_normally

# Where providers say how an answer ended, and which model gave it.
_REASONS = ("finish_reason", "stop_reason", "stopReason", "done_reason", "finishReason")
_SAYS_HOW = frozenset({*_REASONS, "status"})
_FAILED = frozenset({"failed", "incomplete", "cancelled", "error"})
# Parts of the tokens with prices of their own: LangChain's names, and ours.
_INPUT_PARTS = {
    "cache_read": "cached_input_tokens",
    "image": "image_input_tokens",
    "audio": "audio_input_tokens",
}
_OUTPUT_PARTS = {
    "reasoning": "reasoning_tokens",
    "image": "image_output_tokens",
    "audio": "audio_output_tokens",
}
# What providers bill for searching with tools of their own: the names of the blocks that tell of one.
_SEARCHES = {
    "web_search": "web_searches",
    "web_search_call": "web_searches",
    "file_search": "storage_searches",
    "file_search_call": "storage_searches",
}
_MODELS = ("model_name", "model", "model_id")


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """The answer of one call; hooks receive it as `reply.value`.

    `generations`: one, or n of them. `pieces`: lengths in characters of the chunks that a streamed text
    came in; `plan`: the same for any other stream. Two are equal when they say the same and call the same
    tools, whatever their ids and metadata.
    """

    generations: tuple[Generation, ...]
    pieces: tuple[int, ...] = ()
    plan: Plan | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Generated) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]

    def _said(self) -> list[Any]:
        return [
            (each.text, [(call["name"], call["args"]) for call in _calls(each)]) for each in self.generations
        ]

    @property
    def wording(self) -> str:
        """All of it as one text: what it says, and which tools it calls."""
        return "\n".join(text + "".join(map(str, calls)) for text, calls in self._said())

    @property
    def text(self) -> str:
        """The text of the first generation."""
        return self.generations[0].text

    @property
    def message(self) -> BaseMessage | None:
        """The first message; None for a completion model."""
        for generation in self.generations:
            if isinstance(generation, ChatGeneration):
                return generation.message
        return None

    def messages(self) -> Iterator[BaseMessage]:
        """The messages of a chat model."""
        for generation in self.generations:
            if isinstance(generation, ChatGeneration):
                yield generation.message


def _calls(generation: Generation) -> Sequence[Any]:
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return message.tool_calls if isinstance(message, AIMessage) else ()


def reply(generated: Generated, *, seconds: float | None, model: str | None = None) -> Reply:
    """What hooks, prices and admission go by.

    `seconds` of wall time, None when nobody measured them; `model`: who answered, None for the name it gives
    itself.
    """
    return Reply(
        generated,
        usage=_usage(generated, seconds or 0.0),
        finish_reason=_worst_end(generated),
        model=model or model_name(generated),
    )


def model_name(generated: Generated) -> str | None:
    """The model that answered, as it calls itself."""
    for message in generated.messages():
        for name in _MODELS:
            if isinstance(value := message.response_metadata.get(name), str):
                return value
    return None


def _usage(generated: Generated, seconds: float) -> Usage:
    """Tokens of all generations. Input is paid once, and each of n generations reports it.

    Where all report the same output, it is the sum of the call: that is how providers of n answers count.
    """
    reports = [
        message.usage_metadata
        for message in generated.messages()
        if isinstance(message, AIMessage) and message.usage_metadata
    ]
    if not reports:
        return Usage(seconds=seconds)
    if len(reports) == 1:
        only: Mapping[str, Any] = reports[0]
        if not (only.get("input_token_details") or only.get("output_token_details")):
            return Usage(only["input_tokens"], only["output_tokens"], seconds, **_searches(generated))
    given: Mapping[str, Any] = max(reports, key=lambda report: report["input_tokens"])
    read = given.get("input_token_details") or {}
    made: list[Mapping[str, Any]] = [report.get("output_token_details") or {} for report in reports]
    outputs = [report["output_tokens"] for report in reports]
    once = len(set(outputs)) == 1

    def total(counts: Sequence[int]) -> int:
        return counts[0] if once else sum(counts)

    return Usage(
        input_tokens=given["input_tokens"],
        output_tokens=total(outputs),
        seconds=seconds,
        **{ours: read.get(theirs) or 0 for theirs, ours in _INPUT_PARTS.items()},
        **_written(read),
        **_searches(generated),
        **{ours: total([part.get(theirs) or 0 for part in made]) for theirs, ours in _OUTPUT_PARTS.items()},
    )


def _written(read: Mapping[str, Any]) -> dict[str, int]:
    """Tokens written to the provider's cache. Some tell apart those kept for an hour, in the total or not."""
    hour = read.get("ephemeral_1h_input_tokens") or 0
    minutes = read.get("ephemeral_5m_input_tokens") or 0
    total = read.get("cache_creation") or 0
    return {"cache_write_tokens": max(total - hour, minutes), "cache_write_1h_tokens": hour}


def _searches(generated: Generated) -> dict[str, int]:
    """Searches that the provider made: as it counts them, else one for each block that tells of one."""
    counts: dict[str, int] = {}
    for message in generated.messages():
        told = message.response_metadata.get("usage")
        used = told.get("server_tool_use") if isinstance(told, Mapping) else None
        if isinstance(used, Mapping) and used.get("web_search_requests"):
            counts["web_searches"] = counts.get("web_searches", 0) + used["web_search_requests"]
            continue
        blocks = message.content if isinstance(message.content, list) else ()
        for block in (*blocks, *message.additional_kwargs.get("tool_outputs", ())):
            if isinstance(block, Mapping) and (name := _search(block)):
                counts[name] = counts.get(name, 0) + 1
    return counts


def _search(block: Mapping[str, Any]) -> str | None:
    kind = block.get("type")
    return _SEARCHES.get(str(block.get("name") if kind in {"server_tool_call", "server_tool_use"} else kind))


def _worst_end(generated: Generated) -> str | None:
    """How the answer ended: the first end among its generations that is no normal one, else any."""
    reasons = [_end(generation) for generation in generated.generations]
    if len(reasons) == 1:
        return reasons[0]
    bad = next((reason for reason in reasons if not ended_normally(reason)), None)
    return bad or next((reason for reason in reasons if reason), None)


def _end(generation: Generation) -> str | None:
    details: list[dict[str, Any]] = [generation.generation_info or {}]
    if isinstance(generation, ChatGeneration):
        message = generation.message
        if _refused(message):
            return "refusal"
        details.append(message.response_metadata)
    for detail in details:
        if _SAYS_HOW.isdisjoint(detail):
            continue
        for name in _REASONS:
            if isinstance(reason := detail.get(name), str) and reason:
                return reason
        if detail.get("status") in _FAILED:
            return str(detail["status"])
    return None


def _refused(message: BaseMessage) -> bool:
    if message.additional_kwargs.get("refusal"):
        return True
    content: str | Sequence[Any] = message.content
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "refusal" for block in content
    )
