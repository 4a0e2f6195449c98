"""Values in a closed schema: str, bytes, and JSON-able objects with string keys.

Immutable str and bytes are kept by reference; the rest is kept as bytes and decoded afresh for every
reader, so that no caller can change what another is served. Data never names a class.
"""

import json
import math
from typing import Any

from lecmux._core import Encoded
from lecmux.errors import ValueTypeError

__all__ = ["MAX_DEPTH", "decode_json", "decode_value", "encode_json", "encode_value"]

MAX_DEPTH = 100
"""Deepest nesting of lists and dicts: far from the interpreter's recursion limit, on any stack."""

_JSON = b"J"
_SURROGATE_TEXT = b"S"
_ALLOWED = "use str, bytes, int, float, bool, or dicts (str keys) and lists of these and None"


def encode_value(value: object) -> str | bytes | Encoded:
    """Returns what the store keeps for `value`.

    Raises:
        ValueTypeError: for None, a kind outside the schema, nesting beyond `MAX_DEPTH`, NaN or infinity.
    """
    kind = type(value)
    if kind is str:
        return _encode_text(value)  # type: ignore[arg-type]
    if kind is bytes:
        return value  # type: ignore[return-value]
    if value is None:
        raise ValueTypeError("None cannot be stored: get returns None for a miss; delete the key instead")
    if isinstance(value, str):
        return _encode_text(str.__str__(value))
    if isinstance(value, bytes):
        return bytes(value)
    return Encoded(_JSON + encode_json(value))


def decode_value(data: bytes) -> Any:
    """Returns a fresh copy of what `encode_value` encoded as `data`."""
    tag, payload = data[:1], data[1:]
    if tag == _JSON:
        return decode_json(payload)
    if tag == _SURROGATE_TEXT:
        return payload.decode("utf-8", "surrogatepass")
    raise ValueTypeError(f"an entry with the unknown tag {tag!r}: it was not written by this version")


def encode_json(value: object) -> bytes:
    """Returns `value` as compact JSON.

    Raises:
        ValueTypeError: for what JSON would change silently (tuples, subclasses, keys that are not str).
    """
    _validate(value)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:  # an int beyond the interpreter's limit of digits
        raise ValueTypeError(f"cannot be stored: {error}") from error
    # Lone surrogates come back as they were: both directions pass them through.
    return text.encode("utf-8", "surrogatepass")


def decode_json(data: bytes) -> Any:
    """Returns the object that `encode_json` was given, made afresh."""
    return json.loads(data.decode("utf-8", "surrogatepass"))


def _encode_text(text: str) -> str | Encoded:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return Encoded(_SURROGATE_TEXT + text.encode("utf-8", "surrogatepass"))
    return text


def _validate(value: object) -> None:
    """Walks without recursion, so that a cycle ends at `MAX_DEPTH` and not at the stack's."""
    pending: list[tuple[object, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        kind = type(item)
        if kind is float and not math.isfinite(item):  # type: ignore[arg-type]
            raise ValueTypeError(f"{item!r} cannot be stored: JSON has no such number")
        if kind in _LEAVES:
            continue
        if depth >= MAX_DEPTH:
            raise ValueTypeError(f"nested deeper than {MAX_DEPTH} levels, or a cycle")
        if kind is list:
            pending.extend((child, depth + 1) for child in item)  # type: ignore[attr-defined]
        elif kind is dict:
            _validate_keys(item)  # type: ignore[arg-type]
            pending.extend((child, depth + 1) for child in item.values())  # type: ignore[attr-defined]
        else:
            raise ValueTypeError(f"{kind.__name__} cannot be stored; {_ALLOWED}")


def _validate_keys(mapping: dict[object, object]) -> None:
    for key in mapping:
        if type(key) is not str:
            raise ValueTypeError(f"a dict key of type {type(key).__name__} cannot be stored; {_ALLOWED}")


_LEAVES = frozenset({str, int, float, bool, type(None)})
