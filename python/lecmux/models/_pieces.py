"""From tokens to pieces of text that may be handed out: whole characters, no stop word, no half tool call."""

from collections.abc import Callable, Sequence

_UNFINISHED = "\ufffd"
# No character has more bytes than four; a longer run of unfinished ones is no text and is shown as it is.
_TOKENS_HELD = 8
# With these a model begins a tool call inside its text; the names of the families that do are in _tool_calls.
_CALL_MARKS = ("<tool_call>", "[TOOL_CALLS]", "<|python_tag|>")
_CALL_STARTS = ("{", "[", "```")


class Decoder:
    """Joins tokens to text, holding back those that end inside a character.

    Only the tokens since the last piece are decoded again, so that a long reply costs no more per token.

    Args:
        decode: from tokens to text.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._tokens: list[int] = []
        self._shown_before = ""

    def add(self, token: int) -> str:
        """The text that this token completes, often all of it."""
        self._tokens.append(token)
        text = self._decode(self._tokens)
        unfinished = text.endswith(_UNFINISHED) and len(self._tokens) <= _TOKENS_HELD
        if unfinished or len(text) <= len(self._shown_before):
            return ""
        piece = text[len(self._shown_before) :]
        # Kept: the last token, whose text may depend on what stands before it (a blank, a joined accent).
        self._tokens = [token]
        self._shown_before = self._decode(self._tokens)
        return piece

    def end(self) -> str:
        """What was held back, with the mark of a character that stayed unfinished."""
        return self._decode(self._tokens)[len(self._shown_before) :]


class StopWords:
    """Ends a text before the first of some strings; hands nothing out that may become one of them."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)
        self._held = ""
        self.found = False

    def add(self, text: str) -> str:
        """The part of the text so far that no stop word can change."""
        if self.found:
            return ""
        text = self._held + text
        places = [place for word in self._words if (place := text.find(word)) >= 0]
        if places:
            self.found = True
            self._held = ""
            return text[: min(places)]
        keep = _longest_start(text, self._words)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def end(self) -> str:
        """What was held back and became no stop word."""
        held, self._held = self._held, ""
        return held


class CallText:
    """Holds a tool call back from its beginning to the end of the reply.

    A reply that begins as JSON or as a code block is held as a whole: it may be a call without a mark.
    """

    def __init__(self) -> None:
        self._held = ""
        self._shown = False
        self._holding = False

    def add(self, text: str) -> str:
        """The part of the text so far that belongs to no call."""
        self._held += text
        if self._holding:
            return ""
        start = self._held.lstrip()
        if not self._shown and (not start or start.startswith(_CALL_STARTS) or "```".startswith(start)):
            return ""
        places = [place for mark in _CALL_MARKS if (place := self._held.find(mark)) >= 0]
        self._holding = bool(places)
        cut = min(places) if places else len(self._held) - _longest_start(self._held, _CALL_MARKS)
        piece, self._held = self._held[:cut], self._held[cut:]
        self._shown = self._shown or bool(piece)
        return piece

    def end(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return held


def _longest_start(text: str, words: Sequence[str]) -> int:
    """How many characters at the end of `text` are the beginning of one of `words`."""
    longest = max((len(word) for word in words), default=1) - 1
    for length in range(min(longest, len(text)), 0, -1):
        tail = text[len(text) - length :]
        if any(word.startswith(tail) for word in words):
            return length
    return 0
