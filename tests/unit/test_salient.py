"""The two parts of a request: what is compared by likeness, and a digest of what must be equal."""

import pytest

from lecmux.salient import MAX_SALIENT_CHARS, salient


def test_the_text_is_kept_and_the_rest_becomes_a_digest() -> None:
    found = salient("Who?", "much was said before")

    assert found is not None
    assert found.text == "Who?"
    assert len(found.context) == 32


def test_nothing_beside_the_text_is_no_context() -> None:
    assert salient("Who?", "") == ("Who?", "")


def test_another_rest_is_another_context() -> None:
    assert salient("Who?", "a") != salient("Who?", "b")


@pytest.mark.parametrize("text", ["", " \n", "a" * (MAX_SALIENT_CHARS + 1), "\ud800"])
def test_texts_that_cannot_be_compared(text: str) -> None:
    assert salient(text, "") is None
