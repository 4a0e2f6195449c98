"""The key stage: what LlamaIndex hands a model, reduced to what can change the answer.

Dropped: ids of tool calls (numbered, since only which call an answer belongs to matters), token counts, cache
marks, and what this package tells on its own answers. Files and media count by their content.
"""

import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import blake2b
from io import IOBase
from pathlib import Path
from typing import Any, Final

from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from pydantic import BaseModel

from lecmux.key_text import bounded

FACTS: Final = "lecmux"
"""Where `additional_kwargs` of an answer tell of the decision behind it."""

COUNTERS: Final = frozenset(
    {"prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"}
)
"""Where `additional_kwargs` of some models count what a call consumed."""

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{4,}")
_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class UnstableKeyError(ValueError):
    """What is asked has no form that a later run could ask for, so it is answered without the cache."""


def chat_key(messages: Sequence[ChatMessage]) -> str:
    """The key of a conversation, equal for equal conversations.

    Raises:
        UnstableKeyError: an object in it is known by its address alone, or a file in it cannot be read.
    """
    return bounded("c" + written(turns(messages)))


def turns(messages: Sequence[ChatMessage]) -> list[list[Any]]:
    """What was said: role, content and, where there is more, the rest.

    Raises:
        UnstableKeyError: an object in it is known by its address alone, or a file in it cannot be read.
    """
    calls: dict[str, str] = {}
    return [_message(message, calls) for message in messages]


def completion_key(prompt: str) -> str:
    """The key of a prompt."""
    return bounded("t" + prompt)


def written(value: Any) -> str:
    """Plain data as JSON, equal for equal data.

    Raises:
        UnstableKeyError: nested beyond what can be written.
    """
    try:
        return _written(value)
    except RecursionError as error:
        raise UnstableKeyError("nested too deeply to be a key") from error


def plain(value: Any) -> Any:
    """Any value as JSON has it: a class as its schema, bytes as their digest, an object as its fields.

    Raises:
        UnstableKeyError: an object known by its address alone.
    """
    if value is None or type(value) in {str, bool, int, float}:
        return value
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    return _object(value)


def digest(data: bytes) -> str:
    """128 bits of BLAKE2b, in hexadecimal."""
    return blake2b(data, digest_size=16).hexdigest()


def _object(value: Any) -> Any:
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": digest(bytes(value))}
    if isinstance(value, type):
        schema = value.model_json_schema() if issubclass(value, BaseModel) else None
        return {"class": value.__qualname__, "schema": schema}
    if isinstance(value, BaseModel):
        return {"is": type(value).__name__, **{name: plain(item) for name, item in value}}
    text = repr(value)
    if _ADDRESS.search(text):
        raise UnstableKeyError(f"an object without a stable form: {text[:60]}")
    return text


def _message(message: ChatMessage, calls: dict[str, str]) -> list[Any]:
    said = [message.role.value, _content(message, calls)]
    if extra := _extra(message.additional_kwargs, calls):
        said.append(extra)
    return said


def _content(message: ChatMessage, calls: dict[str, str]) -> Any:
    blocks = [block for block in message.blocks if not isinstance(block, CachePoint)]
    if len(blocks) == 1 and type(blocks[0]) is TextBlock:
        return blocks[0].text
    return [_block(block, calls) for block in blocks]


def _block(block: BaseModel, calls: dict[str, str]) -> dict[str, Any]:
    skipped = {"num_tokens"} if isinstance(block, ThinkingBlock) else set()
    fields = {name: value for name, value in block if name not in skipped and value not in (None, {}, [])}
    if isinstance(block, ToolCallBlock):
        fields["tool_call_id"] = _numbered(block.tool_call_id, calls)
        fields["tool_kwargs"] = _arguments(block.tool_kwargs)
    return {name: _field(name, value, calls) for name, value in fields.items()}


def _field(name: str, value: Any, calls: dict[str, str]) -> Any:
    if isinstance(value, BaseModel) and hasattr(value, "block_type"):
        return _block(value, calls)
    if isinstance(value, list):
        return [_field(name, item, calls) for item in value]
    if isinstance(value, IOBase):
        return {"bytes": digest(_read(value))}
    if name == "path":
        return {"bytes": _file(value)}
    return str(value) if name == "url" else plain(value)


def _read(stream: Any) -> bytes:
    """All of it; the reader finds it where it was."""
    place = stream.tell()
    stream.seek(0)
    data = stream.read()
    stream.seek(place)
    return data if isinstance(data, bytes) else str(data).encode("utf-8", "surrogatepass")


def _file(path: Any) -> str:
    try:
        return digest(Path(path).read_bytes())
    except OSError as error:
        raise UnstableKeyError(f"a file that cannot be read: {path}") from error


def _arguments(arguments: Any) -> Any:
    """Arguments as an object, also where a stream left them as its text."""
    if isinstance(arguments, str):
        try:
            return json.loads(arguments)
        except ValueError:
            return arguments
    return plain(arguments)


def _extra(kwargs: Mapping[str, Any], calls: dict[str, str]) -> dict[str, Any]:
    said = {
        name: plain(value)
        for name, value in kwargs.items()
        if name != FACTS and name not in COUNTERS and value
    }
    if isinstance(said.get("tool_calls"), list):
        said["tool_calls"] = [_call(call, calls) for call in said["tool_calls"]]
    for name in ("tool_call_id", "call_id"):
        if name in said:
            said[name] = _numbered(said[name], calls)
    return said


def _call(call: Any, calls: dict[str, str]) -> Any:
    if not isinstance(call, dict):
        return call
    said = {name: value for name, value in call.items() if name != "index"}
    for name in ("id", "tool_call_id", "call_id", "tool_id"):
        if name in said:
            said[name] = _numbered(said[name], calls)
    return said


def _numbered(call_id: Any, calls: dict[str, str]) -> Any:
    if not isinstance(call_id, str):
        return call_id
    return calls.setdefault(call_id, str(len(calls)))
