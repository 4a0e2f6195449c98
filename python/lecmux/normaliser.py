"""Texts that mean the same under one key, where you say that they do."""

from dataclasses import dataclass

__all__ = ["Normaliser"]

_OPENING = "\u00bf\u00a1"
_CLOSING = (
    ".,;:?!\u2026\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f"  # the wide ones are of Chinese and Japanese
)


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Drops differences of writing from the text of a key: `Hooks(normalise=Normaliser())`.

    The model is asked the text as it was written, and its answer is then served for every text with the
    same normal form. Switch on only what makes no difference to your answers: white space does in code,
    case does in names and identifiers.

    >>> Normaliser(case=True, punctuation=True)("  What is  RAM ? no: ROM!")
    'what is ram ? no rom'

    Attributes:
        case: folds case, beyond ASCII too.
        white_space: makes each run of white space one space, and strips both ends.
        punctuation: drops full stops, commas, colons and marks at the end of a word. What stands within a
            word or alone stays (3.5, C#, a ?), and so does a mark after a digit (5!).
    """

    case: bool = False
    white_space: bool = True
    punctuation: bool = False

    def __call__(self, text: str) -> str:
        """The normal form of `text`; what would become empty stays as it is."""
        normal = text.casefold() if self.case else text
        if self.punctuation:
            normal = _without_punctuation(normal)
        if self.white_space:
            normal = " ".join(normal.split())
        return normal or text


def _without_punctuation(text: str) -> str:
    """White space stays as it is: only `split` on the single space keeps it."""
    return "\n".join(" ".join(map(_bare, line.split(" "))) for line in text.split("\n"))


def _bare(word: str) -> str:
    bare = word.rstrip(_CLOSING)
    if bare and bare[-1].isdigit() and "!" in word[len(bare) :]:
        return word
    return bare.lstrip(_OPENING) or word
