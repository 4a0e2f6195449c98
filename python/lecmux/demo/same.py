"""When two answers say the same: by their results, as a test of a user's own would compare them."""

import re
from typing import Any

from lecmux.demo.check import Words, numbers
from lecmux.demo.questions import QUESTIONS

__all__ = ["same_answer", "same_result"]


def same_answer(stored: Any, paid: Any) -> bool | None:
    """The hook: of two answers as `ChatRouter` hands them on, what is stored and what was just paid for."""
    return same_result(stored.text, paid.text)


def same_result(one: str, other: str) -> bool | None:
    """Whether two texts name the same words of the answer key, or end in the same number.

    It does not know what was asked. None where neither text has either: then the built-in compares them.
    """
    words = _words(one), _words(other)
    if any(words):
        return words[0] == words[1]
    found = numbers(one), numbers(other)
    if any(found):
        return found[0][-1:] == found[1][-1:]
    return None


def _words(text: str) -> set[str]:
    return {_MEANT[word] for word in _WORD.findall(text.casefold())}


def _key() -> dict[str, str]:
    """Words that the key accepts, and for those that mean the same, one of them."""
    accepted = [each.checker.accepted for each in QUESTIONS if isinstance(each.checker, Words)]
    return {word.casefold(): min(words).casefold() for words in accepted for word in words}


_MEANT = _key()
_WORD = re.compile(rf"(?<!\w)({'|'.join(sorted(map(re.escape, _MEANT), key=len, reverse=True))})(?!\w)")
