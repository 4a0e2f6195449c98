"""What every embedder of ours takes: a sequence of texts, each of which has a UTF-8 form."""

from collections.abc import Sequence

from lecmux.errors import ValueTypeError

__all__ = ["listed"]


def listed(texts: Sequence[str]) -> list[str]:
    """`texts` as a list; lone surrogates, which no tokenizer takes, become question marks.

    Raises:
        ValueTypeError: for one text instead of a sequence, or an item that is no text.
    """
    if isinstance(texts, str | bytes):
        raise ValueTypeError("embed takes a sequence of texts; put a single one into a list")
    found = list(texts)
    for place, text in enumerate(found):
        if not isinstance(text, str):
            raise ValueTypeError(f"text {place} is a {type(text).__name__}, not a str")
        if not text.isascii():
            found[place] = text.encode("utf-8", "replace").decode("utf-8")
    return found
