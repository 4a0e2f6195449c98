"""When an answer counts as right: two checkers, the same for both models."""

import re
from dataclasses import dataclass

__all__ = ["Checker", "Number", "Words", "numbers"]

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_NUMERALS = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
}
_NUMERAL = re.compile(r"\b(" + "|".join(_NUMERALS) + r")\b")


@dataclass(frozen=True, slots=True)
class Number:
    """Right when the last number of the answer is `value`.

    Numbers that the question gives are not counted, as long as others are there: an answer may repeat them.
    """

    value: float

    def right(self, question: str, answer: str) -> bool:
        """Whether `answer` answers `question`."""
        given = set(numbers(question)) - {self.value}
        found = [number for number in numbers(answer) if number not in given]
        return bool(found) and found[-1] == self.value


@dataclass(frozen=True, slots=True)
class Words:
    """Right when one of `accepted` stands in the answer as a whole word or phrase; case does not matter."""

    accepted: tuple[str, ...]

    def right(self, question: str, answer: str) -> bool:
        """Whether `answer` answers `question`."""
        return any(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", answer, re.IGNORECASE) for word in self.accepted
        )


Checker = Number | Words


def numbers(text: str) -> list[float]:
    """Numbers in order, digits or the words up to twelve."""
    numerals = _NUMERAL.sub(lambda match: str(_NUMERALS[match[1]]), text.lower())
    return [float(found.replace(",", "")) for found in _NUMBER.findall(numerals)]
