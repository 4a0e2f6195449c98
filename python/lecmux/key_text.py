"""The text a query is looked up by, kept short: a long conversation should not fill the byte budget twice."""

from hashlib import blake2b
from typing import Final

__all__ = ["MAX_KEY_CHARS", "bounded", "is_encodable"]

MAX_KEY_CHARS: Final = 1024
"""Longer texts become a 256-bit digest."""


def bounded(text: str) -> str:
    """`text`, or in place of a long one, or one with lone surrogates, its digest behind the letter d."""
    if len(text) <= MAX_KEY_CHARS and (text.isascii() or is_encodable(text)):
        return text
    return "d" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def is_encodable(text: str) -> bool:
    """Whether it holds no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
