"""One message with blocks of any of LlamaIndex's kinds, as plain JSON and back.

The schema is the table `_KINDS`: for each kind of block its class, and how each of its fields is written and
read. A block of another class is refused, a subclass too, since its extra meaning would be lost in silence.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    BaseContentBlock,
    CacheControl,
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
    VideoBlock,
)
from pydantic import AnyUrl

from lecmux.tagged import Packer, UnstorableError

Read = Callable[[Any], Any]


def _of(*kinds: type) -> Read:
    def read(value: Any) -> Any:
        if type(value) not in kinds:
            raise UnstorableError(f"a stored {type(value).__name__} in the wrong place")
        return value

    return read


def _blocks(value: Any) -> list[BaseContentBlock]:
    return [unpack_block(block) for block in _of(list)(value)]


def _cache_control(value: Any) -> CacheControl:
    return CacheControl(**_of(dict)(value))


_TEXT, _NUMBER, _OBJECT, _BYTES = _of(str), _of(int), _of(dict), _of(bytes)
_PLACE: dict[str, Read] = {
    "path": lambda value: Path(_TEXT(value)),
    "url": lambda value: AnyUrl(_TEXT(value)),
}

_KINDS: dict[str, tuple[type[BaseContentBlock], dict[str, Read]]] = {
    "text": (TextBlock, {"text": _TEXT}),
    "image": (ImageBlock, {"image": _BYTES, "image_mimetype": _TEXT, "detail": _TEXT, **_PLACE}),
    "audio": (AudioBlock, {"audio": _BYTES, "format": _TEXT, **_PLACE}),
    "video": (
        VideoBlock,
        {"video": _BYTES, "video_mimetype": _TEXT, "detail": _TEXT, "fps": _NUMBER, **_PLACE},
    ),
    "document": (
        DocumentBlock,
        {
            "data": _BYTES,
            "title": _TEXT,
            "document_mimetype": _TEXT,
            "url": _TEXT,
            "path": _TEXT,
        },
    ),
    "cache": (CachePoint, {"cache_control": _cache_control}),
    "citable": (CitableBlock, {"title": _TEXT, "source": _TEXT, "content": _blocks}),
    "citation": (
        CitationBlock,
        {
            "source": _TEXT,
            "title": _TEXT,
            "additional_location_info": _OBJECT,
            "cited_content": lambda value: unpack_block(value),  # noqa: PLW0108  defined below
        },
    ),
    "thinking": (
        ThinkingBlock,
        {"content": _TEXT, "num_tokens": _NUMBER, "additional_information": _OBJECT},
    ),
    "tool_call": (
        ToolCallBlock,
        {"tool_call_id": _TEXT, "tool_name": _TEXT, "tool_kwargs": _of(dict, str)},
    ),
}
_NAMES = {kind: name for name, (kind, _) in _KINDS.items()}
# Fields a newer LlamaIndex may have added: a block that uses one is refused rather than stored without it.
_UNKNOWN = {
    kind: kind.model_fields.keys() - {"block_type"} - fields.keys() for kind, fields in _KINDS.values()
}
_REQUIRED = {
    kind: {field for field, about in kind.model_fields.items() if about.is_required()}
    for kind, _ in _KINDS.values()
}
_EMPTY: tuple[Any, ...] = (None, {}, [])


def pack_message(message: ChatMessage, packer: Packer) -> list[Any]:
    """`[role, [block, ...], additional_kwargs]`.

    Raises:
        UnstorableError: a class outside the table, or a value outside the schema.
    """
    if type(message) is not ChatMessage:
        raise UnstorableError(f"a message of type {type(message).__name__}")
    blocks = [pack_block(block, packer) for block in message.blocks]
    return [message.role.value, blocks, packer.pack(message.additional_kwargs)]


def unpack_message(packed: Any) -> ChatMessage:
    """The message of `pack_message`.

    Every field is checked before the class is built without validation: the validators of media blocks would
    encode their bytes once more.

    Raises:
        UnstorableError: the data do not fit the schema.
    """
    role, blocks, extra = packed
    return ChatMessage.model_construct(
        role=MessageRole(role), blocks=_blocks(blocks), additional_kwargs=_OBJECT(extra)
    )


def pack_block(block: BaseContentBlock, packer: Packer) -> list[Any]:
    """`[kind, fields]`, with the fields that are not empty."""
    name = _NAMES.get(type(block))
    if name is None:
        raise UnstorableError(f"a block of type {type(block).__name__}")
    kind, readers = _KINDS[name]
    if any(getattr(block, unknown) not in _EMPTY for unknown in _UNKNOWN[kind]):
        raise UnstorableError("a block with a field this version does not know")
    values = {field: getattr(block, field) for field in readers}
    return [name, {field: _packed(value, packer) for field, value in values.items() if value is not None}]


def _packed(value: Any, packer: Packer) -> Any:
    if type(value) in _NAMES:
        return pack_block(value, packer)
    if isinstance(value, list):
        return [_packed(item, packer) for item in value]
    if isinstance(value, CacheControl):
        return value.model_dump()
    if isinstance(value, Path):
        return str(value)
    return str(value) if isinstance(value, AnyUrl) else packer.pack(value)


def unpack_block(packed: Any) -> BaseContentBlock:
    """The block of `pack_block`.

    Raises:
        UnstorableError: the data do not fit the schema.
    """
    name, stored = packed
    kind, readers = _KINDS[name]
    if not stored.keys() <= readers.keys():
        raise UnstorableError("a stored block with unknown fields")
    fields = {field: readers[field](value) for field, value in stored.items()}
    if not _REQUIRED[kind] <= fields.keys():
        raise UnstorableError("a stored block that lacks a required field")
    return kind.model_construct(**fields)
