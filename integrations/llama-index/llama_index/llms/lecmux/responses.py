"""What a response tells of itself: what it consumed, and how it ended.

Every integration keeps these elsewhere: in `raw`, as an object or a dictionary, or in `additional_kwargs`.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from lecmux import Usage
from lecmux.policies import ended_normally

Response = ChatResponse | CompletionResponse

# Parts of a usage: where providers count them, as a path from the usage, and what is not in their totals.
_INPUT: Final = ("prompt_tokens", "input_tokens", "prompt_token_count", "inputTokens", "prompt_eval_count")
_OUTPUT: Final = (
    "completion_tokens",
    "output_tokens",
    "candidates_token_count",
    "outputTokens",
    "eval_count",
)
_INPUT_DETAILS: Final = ("prompt_tokens_details", "input_tokens_details")
_OUTPUT_DETAILS: Final = ("completion_tokens_details", "output_tokens_details")
_READ_BESIDE: Final = ("cache_read_input_tokens", "cacheReadInputTokens")
_WRITTEN_BESIDE: Final = ("cache_creation_input_tokens", "cacheWriteInputTokens")
_USAGE: Final = ("usage", "usage_metadata")
_REASONS: Final = ("finish_reason", "stop_reason", "stopReason", "done_reason", "finishReason")
_PARTS: Final = ("choices", "candidates")
_FAILED: Final = frozenset({"failed", "incomplete", "cancelled", "error"})


def usage(response: Response) -> Usage:
    """What it consumed; 0 where nobody counted."""
    raw, said = response.raw, response.additional_kwargs
    for place in (*(_get(raw, name) for name in _USAGE), *(said.get(name) for name in _USAGE), said, raw):
        if _count(place, _INPUT) or _count(place, _OUTPUT):
            return _usage(place)
    return Usage()


def _usage(place: Any) -> Usage:
    given = next((found for name in _INPUT_DETAILS if (found := _get(place, name))), None)
    made = next((found for name in _OUTPUT_DETAILS if (found := _get(place, name))), None)
    # Some count what their own prompt cache took part in, and what was thought, beside the totals.
    read, wrote = _count(place, _READ_BESIDE), _count(place, _WRITTEN_BESIDE)
    hour = _count(_get(place, "cache_creation"), ("ephemeral_1h_input_tokens",))
    thought = _count(place, ("thoughts_token_count",))
    return Usage(
        input_tokens=_count(place, _INPUT) + read + wrote,
        output_tokens=_count(place, _OUTPUT) + thought,
        cached_input_tokens=read
        or _count(given, ("cached_tokens",))
        or _count(place, ("cached_content_token_count",)),
        cache_write_tokens=max(0, wrote - hour),
        cache_write_1h_tokens=hour,
        web_searches=_count(_get(place, "server_tool_use"), ("web_search_requests",)),
        reasoning_tokens=thought or _count(made, ("reasoning_tokens",)),
        image_input_tokens=_count(given, ("image_tokens",)),
        image_output_tokens=_count(made, ("image_tokens",)),
        audio_input_tokens=_count(given, ("audio_tokens",)),
        audio_output_tokens=_count(made, ("audio_tokens",)),
    )


def end(response: Response) -> str | None:
    """How it ended, as the provider names it; the first end among its parts that is no normal one."""
    if isinstance(response, ChatResponse) and response.message.additional_kwargs.get("refusal"):
        return "refusal"
    raw = response.raw
    parts = [part for name in _PARTS for part in _items(_get(raw, name))]
    found = [reason for place in (*parts, raw, _get(raw, "delta"), response.additional_kwargs)
             if (reason := _reason(place))]  # fmt: skip
    if (status := _get(raw, "status")) in _FAILED:
        found.append(str(status))
    return next((reason for reason in found if not ended_normally(reason)), next(iter(found), None))


def text_of(response: Response) -> str:
    """Its text, "" where there is none."""
    if isinstance(response, CompletionResponse):
        return response.text
    return response.message.content or ""


def _reason(place: Any) -> str | None:
    for name in _REASONS:
        reason = _get(place, name)
        if isinstance(reason, Enum):
            reason = reason.value if isinstance(reason.value, str) else reason.name
        if isinstance(reason, str) and reason:
            return reason
    return None


def _get(place: Any, name: str) -> Any:
    """A field of whatever a provider's client returned; trouble in reading it must cost no answer."""
    if place is None or isinstance(place, str):
        return None
    try:
        return place.get(name) if isinstance(place, Mapping) else getattr(place, name, None)
    except Exception:
        return None


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _count(place: Any, names: Iterable[str]) -> int:
    for name in names:
        number = _get(place, name)
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            return number
    return 0
