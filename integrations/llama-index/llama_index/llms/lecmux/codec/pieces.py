"""The lengths of the pieces that a stream came in, written in about one byte each.

As a list of numbers they would weigh as much as the text.
"""

from typing import Any

_ZERO = ord("#")
_LONGEST = ord("[") - _ZERO


def pack_pieces(pieces: tuple[int, ...]) -> str | list[int]:
    """One printable character each, or a list where one is long or of reasoning."""
    if all(0 <= length <= _LONGEST for length in pieces):
        return "".join(chr(_ZERO + length) for length in pieces)
    return list(pieces)


def unpack_pieces(packed: Any) -> tuple[int, ...]:
    """The lengths of `pack_pieces`."""
    if isinstance(packed, str):
        return tuple(ord(length) - _ZERO for length in packed)
    return tuple(length for length in packed if isinstance(length, int))
