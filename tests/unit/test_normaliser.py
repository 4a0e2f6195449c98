"""Texts under one key: what a normaliser drops, and what it never does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecmux.hooks import Normaliser


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  What is\t RAM \n", "What is RAM"),
        ("one\u00a0two\u3000three", "one two three"),
        ("", ""),
        ("   ", "   "),
        ("a?", "a?"),
    ],
)
def test_white_space_is_dropped_by_default(text: str, normal: str) -> None:
    assert Normaliser()(text) == normal


def test_nothing_is_dropped_that_was_not_asked_for() -> None:
    assert Normaliser(white_space=False)("  A  b. ") == "  A  b. "
    assert Normaliser(white_space=False, case=True)("  STRASSE \u00df ") == "  strasse ss "
    assert Normaliser(white_space=False, punctuation=True)("a.  b,\n c!") == "a  b\n c"


@pytest.mark.parametrize(
    "one", ["Is it 3.5?", "C# or C++", "-5 or 5", "a - b", "5! / 5", "what is ? here", ".net"]
)
def test_punctuation_that_may_mean_something_stays(one: str) -> None:
    without = Normaliser(punctuation=True)(one)

    assert without == one.removesuffix("?")


@given(st.text(), st.booleans(), st.booleans(), st.booleans())
def test_a_normal_form_is_its_own(text: str, case: bool, white_space: bool, punctuation: bool) -> None:
    normaliser = Normaliser(case=case, white_space=white_space, punctuation=punctuation)
    normal = normaliser(text)

    assert normaliser(normal) == normal
    assert bool(normal) == bool(text)
