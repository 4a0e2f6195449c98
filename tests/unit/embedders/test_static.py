"""`Static`: the shipped table, its word pieces beside the library's, and what it needs."""

import csv
import functools
import gzip
import importlib.resources
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from lecmux import VectorIndex, _core
from lecmux.embedders import Static
from lecmux.embedders.static import vocabulary
from lecmux.errors import SnapshotError, ValueTypeError

TEXTS = [
    "How do I reset my password?",
    "What's the weather like in São Paulo, tomorrow at 9:30pm?",
    "Straße, naïve café — “quoted” … 50€/month; C++ & C#: snake_case, x**2 != x^2",
    "日本語とカタカナ 中文混排 한국어 русский язык Ελληνικά العربية हिन्दी",
    "İstanbul ǅ ﬁne Ⅳ ½ ² ①",
    "tab\tnew\nline\r\nnull\x00 zero\u200bwidth soft\u00adhyphen nbsp\u00a0end \u3000 wide",
    "antidisestablishmentarianism electroencephalographically qwertzuiop",
    "a" * 101 + " " + "b" * 100,
    "🙂 emoji 👩‍👩‍👧 and 🇩🇪 flags",
    "e\u0301 combining, \u0e4d\u0e32 thai ์",
    "''``--__..!!??~~@#$%^&*()[]{}<>|\\/",
    "",
    "   ",
]


def similarity(first: str, second: str) -> float:
    left, right = Static().embed([first, second]).tolist()
    return sum(a * b for a, b in zip(left, right, strict=True))


@functools.cache
def _table() -> _core.StaticTable:
    return _core.StaticTable(vocabulary(), _shipped().read_bytes())


def pieces(text: str) -> list[int]:
    return _table().pieces(text, 10**6)


@functools.cache
def _tokenizer() -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    words = {word: number for number, word in enumerate(vocabulary().split("\n")) if word}
    return tokenizers.BertWordPieceTokenizer(words, lowercase=True)


def library(text: str) -> list[int]:
    """The pieces as the library `tokenizers` finds them."""
    return _tokenizer().encode(text, add_special_tokens=False).ids


def _shipped() -> Path:
    with importlib.resources.as_file(importlib.resources.files("lecmux.embedders")) as folder:
        return folder / "static_table.bin"


def _asked() -> list[str]:
    """Questions that people typed, where an optional data folder has them."""
    if not (folder := os.environ.get("LECMUX_DATA")):
        pytest.skip("LECMUX_DATA is not set: no questions that people typed")
    texts = []
    for file, column in (
        ("text/bing_covid_queries_2020_01.csv.gz", "query"),
        ("text/arena_hard_v01_prompts.csv.gz", "prompt"),
    ):
        with gzip.open(Path(folder) / file, "rt", encoding="utf-8", newline="") as lines:
            texts += [row[column] for row in csv.DictReader(lines)]
    return list(dict.fromkeys(texts))


class TestPieces:
    """Word pieces are those of the library `tokenizers`, markers in the text aside."""

    @pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text)[:30])
    def test_of_texts_with_traps(self, text: str) -> None:
        assert pieces(text) == library(text)

    def test_of_every_character_whose_category_never_changed(self) -> None:
        characters = [
            chr(code)
            for code in range(0x10000)
            if unicodedata.category(chr(code)) not in {"Cs", "Co"}
            and unicodedata.category(chr(code)) == unicodedata.ucd_3_2_0.category(chr(code)) != "Cn"
        ]  # the library's tables are of another version of Unicode
        differ = [each for each in characters if pieces(f"a{each}b") != library(f"a{each}b")]

        assert not differ[:5]

    def test_of_questions_that_people_typed(self) -> None:
        differ = [text for text in _asked() if pieces(text) != library(text)]

        assert not differ[:5]

    def test_of_markers_are_plain_words(self) -> None:
        (separator,) = [n for n, word in enumerate(vocabulary().split("\n")) if word == "[SEP]"]

        assert separator not in pieces("[SEP] and [sep]")


def test_alike_texts_are_closer_than_others() -> None:
    asked = "How do I reset my password?"

    assert similarity(asked, "how can i reset the password") > 0.8
    assert similarity(asked, "Which river flows through Cairo?") < 0.3


def test_case_and_accents_do_not_matter() -> None:
    assert similarity("CAFÉ in Paris", "cafe in paris") == pytest.approx(1)


def test_only_the_first_254_pieces_count() -> None:
    assert similarity("word " * 254, "word " * 254 + "password " * 50) == pytest.approx(1)
    assert similarity("word " * 200, "word " * 200 + "password " * 50) < 0.999


def test_goes_straight_into_an_index() -> None:
    texts = ["reset my password", "weather in Rome", "price of gold"]
    index = VectorIndex(Static().dim)
    index.add(range(3), Static().embed(texts))

    ids, _ = index.search(Static().embed(["gold price"]), 1)

    assert ids[0, 0] == 2


def test_many_texts_are_as_one_by_one() -> None:
    texts = [f"question number {number} about topic {number % 7}" for number in range(100)]

    assert Static().embed(texts).tolist() == [Static().embed([text]).tolist()[0] for text in texts]


def test_one_text_is_no_sequence() -> None:
    with pytest.raises(ValueTypeError, match="put a single one into a list"):
        Static().embed("one text")
    with pytest.raises(ValueTypeError, match="text 1 is a int"):
        Static().embed(["fine", 1])  # type: ignore[list-item]


def test_a_damaged_table_is_refused() -> None:
    sealed = bytearray(_shipped().read_bytes())
    sealed[1_000_000] ^= 1

    with pytest.raises(SnapshotError, match="damaged"):
        _core.StaticTable(vocabulary(), bytes(sealed))


def test_the_table_keeps_to_its_size() -> None:
    assert _shipped().stat().st_size <= 8_000_000


def test_needs_neither_numpy_nor_a_model() -> None:
    code = (
        "import sys; from lecmux.embedders import Static; v = Static().embed(['a', 'b']); "
        "assert v.shape == (2, Static().dim); "
        "print([m for m in ('numpy', 'onnxruntime', 'tokenizers', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | _path()
    )

    assert done.stdout.strip() == "[]"


def _path() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(sys.path)}
