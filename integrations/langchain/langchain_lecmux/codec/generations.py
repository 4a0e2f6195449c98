"""What `BaseCache.update` is given, as bytes and back: one or more generations, of text or of chat."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk
from langchain_core.utils.utils import LC_ID_PREFIX
from uuid_utils import uuid7

from langchain_lecmux.codec.messages import pack_message, unpack_message
from langchain_lecmux.codec.ready import Decoded, fresh, fresh_generation, remembering
from lecmux.tagged import Packer, UnstorableError, unpack

FORMAT: Final = 1
MAX_BYTES: Final = 16 * 2**20
"""Answers beyond this size are not stored, and not read: a file from elsewhere cannot ask for more memory."""

_written = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_parse = json.JSONDecoder().raw_decode
_CHAT = (ChatGeneration, ChatGenerationChunk)
_TEXT = (Generation, GenerationChunk)


def encode(generations: Sequence[Generation], about: Mapping[str, Any] | None = None) -> bytes:
    """UTF-8 JSON by the closed schema: `[format, tagged, [generation, ...], about]`.

    `about`: what the caller wants to know of the answer later, as plain JSON with string keys.

    Raises:
        UnstorableError: something outside the schema, nested too deeply, or larger than `MAX_BYTES`.
    """
    packer = Packer()
    packed = [_pack_generation(generation, packer) for generation in generations]
    text = _written([FORMAT, int(packer.tagged), packed, dict(about or {})])
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise UnstorableError(f"an answer of {len(data):,} bytes, where {MAX_BYTES:,} are stored at most")
    return data


def decode(data: bytes) -> tuple[list[Generation], dict[str, Any]]:
    """The generations, made anew with new message ids on every call, and what was said about them.

    Raises:
        UnstorableError: the data are not what `encode` writes.
    """
    ready = remembered(data)
    return anew(ready), fresh(ready.about)


def anew(ready: Decoded) -> list[Generation]:
    """The generations, with new message ids."""
    run = f"{LC_ID_PREFIX}-{uuid7()}"
    return [fresh_generation(item, f"{run}-{place}") for place, item in enumerate(ready.generations)]


def _decoded(data: bytes) -> Decoded:
    if len(data) > MAX_BYTES:
        raise UnstorableError("a stored answer beyond the size limit")
    try:
        version, tagged, packed, about = _read(data.decode("utf-8", "surrogatepass"))
        if version != FORMAT or not isinstance(about, dict):
            raise UnstorableError(f"a stored answer of format {version!r}; this version reads {FORMAT}")
        if tagged:
            packed = unpack(packed)
        return Decoded(tuple(_unpack_generation(item) for item in packed), about)
    except UnstorableError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnstorableError("a stored answer that does not fit the schema") from error


remembered = remembering(_decoded)


def _read(text: str) -> Any:
    """`json.loads` without its regular expressions, which take as long as the parsing."""
    value, end = _parse(text)
    if end != len(text):
        raise ValueError("text behind the end of the JSON")
    return value


def _pack_generation(generation: Generation, packer: Packer) -> list[Any]:
    kind = type(generation)
    info = packer.pack(generation.generation_info)
    if kind in _CHAT and isinstance(generation, ChatGeneration):
        return ["chat", pack_message(generation.message, packer), info]
    if kind in _TEXT:
        return ["text", generation.text, info]
    raise UnstorableError(f"a generation of type {kind.__name__}")


def _unpack_generation(packed: Any) -> Generation:
    kind, body, info = packed
    if info is not None and not isinstance(info, dict):
        raise UnstorableError("a stored generation with unfit details")
    if kind == "chat":
        message = unpack_message(body, "")
        if isinstance(message.content, str):
            return ChatGeneration.model_construct(text=message.content, message=message, generation_info=info)
        return ChatGeneration(message=message, generation_info=info)
    if kind == "text" and isinstance(body, str):
        return Generation(text=body, generation_info=info)
    raise UnstorableError("a stored generation of unknown kind")
