"""Keys stay short and writable, and different texts stay different."""

from lecmux.key_text import MAX_KEY_CHARS, bounded


def test_a_short_text_is_its_own_key() -> None:
    assert bounded("what is a cache? \u00e9") == "what is a cache? \u00e9"


def test_a_long_text_becomes_a_digest_of_its_own() -> None:
    one, other = (bounded("x" * MAX_KEY_CHARS + end) for end in "ab")

    assert one != other
    assert len(one) < MAX_KEY_CHARS


def test_lone_surrogates_can_be_stored() -> None:
    bounded("\ud800").encode()

    assert bounded("\ud800") != bounded("\ud801")
