"""Messages and tools in the OpenAI form, which `lecmux.models.Model` takes."""

import json
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    BaseContentBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.tools.types import BaseTool

from lecmux.errors import ConfigError

_ROLES = {MessageRole.CHATBOT: "assistant", MessageRole.MODEL: "assistant", MessageRole.FUNCTION: "tool"}


def openai_messages(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """The messages, with the reasoning of earlier answers left out, as providers ask for.

    Raises:
        ConfigError: a block that has no OpenAI form.
    """
    return [_message(message) for message in messages]


def openai_tools(tools: Sequence[BaseTool]) -> list[dict[str, Any]]:
    """The tools as JSON schemas."""
    return [tool.metadata.to_openai_tool(skip_length_check=True) for tool in tools]


def _message(message: ChatMessage) -> dict[str, Any]:
    said: dict[str, Any] = {
        "role": _ROLES.get(message.role, message.role.value),
        "content": _content(message),
    }
    calls = [_call(block) for block in message.blocks if isinstance(block, ToolCallBlock)]
    if calls := calls or _listed(message):
        said["tool_calls"] = calls
    if call_id := message.additional_kwargs.get("tool_call_id"):
        said["tool_call_id"] = call_id
    return said


def _content(message: ChatMessage) -> Any:
    parts = [part for block in message.blocks for part in _parts(block)]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _parts(block: BaseContentBlock) -> list[dict[str, Any]]:
    if isinstance(block, (ThinkingBlock, CachePoint, ToolCallBlock)):
        return []
    if isinstance(block, TextBlock):
        return [{"type": "text", "text": block.text}]
    if isinstance(block, CitableBlock):
        return [part for inner in block.content for part in _parts(inner)]
    if isinstance(block, CitationBlock):
        return _parts(block.cited_content)
    return [_media(block)]


def _media(block: BaseContentBlock) -> dict[str, Any]:
    if isinstance(block, ImageBlock):
        image = {"url": str(block.url) if block.url else block.inline_url()}
        return {"type": "image_url", "image_url": image | ({"detail": block.detail} if block.detail else {})}
    if isinstance(block, AudioBlock):
        data = block.resolve_audio(as_base64=True).read()
        audio = {"data": data.decode() if isinstance(data, bytes) else data, "format": block.format or "wav"}
        return {"type": "input_audio", "input_audio": audio}
    if isinstance(block, DocumentBlock):
        return {"type": "file", "file": {"filename": block.title, "file_data": block.inline_url()}}
    raise ConfigError(
        f"a message with a {type(block).__name__} has no OpenAI form, so this model cannot take it"
    )


def _call(block: ToolCallBlock) -> dict[str, Any]:
    arguments = block.tool_kwargs
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    function = {"name": block.tool_name, "arguments": text}
    return {"id": block.tool_call_id or "", "type": "function", "function": function}


def _listed(message: ChatMessage) -> list[dict[str, Any]]:
    """Tool calls as older integrations keep them."""
    calls = message.additional_kwargs.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
