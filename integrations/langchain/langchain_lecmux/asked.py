"""What is asked of a model of lecmux: LangChain's messages in the OpenAI form."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, convert_to_openai_messages

# Blocks that LangChain leaves in the content although `tool_calls` says the same, and thoughts, which no
# model is asked to read again.
_NO_CONTENT = frozenset(
    {"tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "reasoning", "thinking"}
)


def openai_messages(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Messages in the OpenAI form, whose content holds content alone."""
    converted = convert_to_openai_messages(list(messages))
    assert isinstance(converted, list)
    return [_cleaned(message) for message in converted]


def _cleaned(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    kept = [part for part in content if not isinstance(part, dict) or part.get("type") not in _NO_CONTENT]
    return {**message, "content": kept or ""} if len(kept) < len(content) else message
