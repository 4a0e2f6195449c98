"""Ids of tool calls: random, repeated where a stored answer is served again, and named in several places."""

import secrets
import string
from collections.abc import Mapping
from typing import Any

__all__ = ["renamed", "similar_id"]

_ALPHABET = string.ascii_letters + string.digits
_SHORTEST_TAIL = 8
# Arguments are the caller's own data: an id inside them is not ours to change.
_ARGUMENTS = frozenset({"args", "arguments", "input", "tool_kwargs"})


def similar_id(call_id: str) -> str:
    """A new id of the same shape: providers demand their own prefixes, lengths and alphabets back."""
    cut = max(call_id.rfind("_"), call_id.rfind("-")) + 1
    length = len(call_id) - cut
    length = length if length >= _SHORTEST_TAIL else 24
    return call_id[:cut] + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with every id replaced that `names` holds, in strings, lists and dictionaries of any depth."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {
            names.get(name, name): item if name in _ARGUMENTS else renamed(item, names)
            for name, item in value.items()
        }
    return value
