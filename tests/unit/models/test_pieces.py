"""Text that is handed out is final: no half character, no part of a stop word, no half tool call."""

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from lecmux.models._pieces import CallText, Decoder, StopWords


def _bytes(tokens: Sequence[int]) -> str:
    return bytes(tokens).decode(errors="replace")


@given(st.text(max_size=40))
def test_a_decoder_hands_out_whole_characters_and_loses_none(text: str) -> None:
    decoder = Decoder(_bytes)

    pieces = [decoder.add(byte) for byte in text.encode()] + [decoder.end()]

    assert "".join(pieces) == text
    if "\ufffd" not in text:
        assert not any("\ufffd" in piece for piece in pieces)


def test_a_character_that_stays_unfinished_is_marked_at_the_end() -> None:
    decoder = Decoder(_bytes)

    pieces = [decoder.add(byte) for byte in "ok👋".encode()[:-1]]

    assert "".join(pieces) == "ok"
    assert decoder.end() == "\ufffd"


def test_bytes_that_are_no_text_are_not_held_for_ever() -> None:
    longest = [0]

    def decode(tokens: Sequence[int]) -> str:
        longest[0] = max(longest[0], len(tokens))
        return _bytes(tokens)

    decoder = Decoder(decode)
    said = "".join(decoder.add(0x80) for _ in range(1000)) + decoder.end()

    assert set(said) == {"\ufffd"}
    assert longest[0] < 20


@given(st.text("abc", max_size=30), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3), st.data())
def test_stop_words_cut_where_the_whole_text_is_cut(text: str, words: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    bounds = [0, *cuts, len(text)]
    stop = StopWords(words)

    said = "".join(stop.add(text[start:end]) for start, end in itertools.pairwise(bounds)) + stop.end()

    # The first word to be complete ends the text; what follows is not read.
    ends = [place + len(word) for word in words if (place := text.find(word)) >= 0]
    if not ends:
        assert (said, stop.found) == (text, False)
        return
    assert stop.found
    assert text.startswith(said)
    assert not any(word in said for word in words)
    assert any(text.startswith(word, len(said)) for word in words)


def test_what_may_become_a_stop_word_is_held_back() -> None:
    stop = StopWords(["\nQ:"])

    assert [stop.add(piece) for piece in ("yes", "\n", "Q", "uite", "\nQ", ":", "no")] == [
        "yes",
        "",
        "",
        "\nQuite",
        "",
        "",
        "",
    ]
    assert stop.found
    assert stop.end() == ""


def _through(pieces: Sequence[str]) -> tuple[list[str], str]:
    calls = CallText()
    return [calls.add(piece) for piece in pieces], calls.end()


def test_a_tool_call_is_held_from_its_mark_on() -> None:
    said, held = _through(["Let me ", "look. <tool", "_call>{", '"name"', ": 1}"])

    assert said == ["Let me ", "look. ", "", "", ""]
    assert held == '<tool_call>{"name": 1}'


def test_what_only_looked_like_a_mark_is_let_go() -> None:
    said, held = _through(["a <t", "able>", " b"])

    assert "".join(said) + held == "a <table> b"
    assert said[1] == "<table>"


def test_json_at_the_start_is_held_and_later_json_is_not() -> None:
    assert _through([" ", '{"a"', ": 1}"]) == (["", "", ""], ' {"a": 1}')
    assert _through(["`", "``json", "\n1"]) == (["", "", ""], "```json\n1")
    assert _through(["see ", '{"a"', ": 1}"]) == (["see ", '{"a"', ": 1}"], "")
    assert _through(["`a`", " b"]) == (["`a`", " b"], "")
