"""What likeness may go by in a request, apart from all that must be equal.

An answer to a question that is only alike is right where everything else is the same: the turns before, the
system text, files. So a request is cut in two: the last human turn, and a digest of the rest.
"""

from hashlib import blake2b
from typing import Final, NamedTuple

from lecmux.key_text import is_encodable

__all__ = ["MAX_SALIENT_CHARS", "Salient", "salient"]

MAX_SALIENT_CHARS: Final = 1000
"""Of longer texts, embedders see a part: that this is alike says nothing of the rest."""


class Salient(NamedTuple):
    """`text` is compared by likeness; `context`, a digest of all else, must be equal."""

    text: str
    context: str


def salient(text: str, rest: str) -> Salient | None:
    """The two parts of a request.

    Args:
        text: what was said last by a human.
        rest: all else that was said, in one text that is equal for equal conversations; empty for none.

    Returns:
        None where there is nothing to compare, or more than `MAX_SALIENT_CHARS`.
    """
    if len(text) > MAX_SALIENT_CHARS or not text.strip():
        return None
    if not (text.isascii() or is_encodable(text)):
        return None
    return Salient(text, digest(rest) if rest else "")


def digest(rest: str) -> str:
    """128 bits of BLAKE2b, in hexadecimal."""
    return blake2b(rest.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
