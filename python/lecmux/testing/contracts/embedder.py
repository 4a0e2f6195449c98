"""What every embedder promises: `lecmux.embedders.Embedder`, in tests."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lecmux.embedders import Embedder
from lecmux.errors import LecmuxError

__all__ = ["EmbedderContract"]

_TEXTS = [
    "How do I reset my password?",
    "I forgot my password",
    "Who painted the ceiling?",
    "2 + 2",
    "été 中文",
]
_ODD = ["", " ", "\n\t", "\x00", "a\ud800b", "🙂" * 10, "[SEP] [MASK]", "x" * 500]


def _rows(vectors: Any) -> list[list[float]]:
    """The vectors as lists, whatever buffer they came in."""
    view = memoryview(vectors)
    assert view.format == "f", "vectors must be a buffer of float32"
    return view.tolist()  # type: ignore[return-value]


class EmbedderContract:
    """Subclass, and supply `embedder`. One that is slow to load comes from a fixture of module scope.

    `tolerance` is how far a coordinate may move when the same text is embedded in another call.
    """

    tolerance = 1e-4

    @pytest.fixture
    def embedder(self) -> Embedder:
        """The embedder under test."""
        raise NotImplementedError

    def test_says_what_it_is(self, embedder: Embedder) -> None:
        """It has a name and a dimension."""
        assert isinstance(embedder, Embedder)
        assert isinstance(embedder.name, str) and embedder.name
        assert isinstance(embedder.dim, int) and embedder.dim >= 1

    def test_gives_a_row_of_length_one_for_each_text(self, embedder: Embedder) -> None:
        """The buffer has shape (n, dim), type float32 and rows of length 1."""
        vectors = embedder.embed(_TEXTS)

        assert memoryview(vectors).shape == (len(_TEXTS), embedder.dim)
        for row in _rows(vectors):
            assert sum(cell * cell for cell in row) == pytest.approx(1, abs=1e-3)

    def test_the_same_text_has_the_same_vector(self, embedder: Embedder) -> None:
        """Neither its place nor what else is in the call matters."""
        together = _rows(embedder.embed([*_TEXTS, _TEXTS[0]]))

        assert together[0] == pytest.approx(together[-1], abs=self.tolerance)
        assert _rows(embedder.embed(_TEXTS[2:3]))[0] == pytest.approx(together[2], abs=self.tolerance)

    def test_other_texts_have_other_vectors(self, embedder: Embedder) -> None:
        """Texts that have nothing in common are told apart."""
        first, second = _rows(embedder.embed([_TEXTS[0], _TEXTS[2]]))

        assert sum(a * b for a, b in zip(first, second, strict=True)) < 1 - 1e-3

    def test_no_texts_have_no_vectors(self, embedder: Embedder) -> None:
        """An empty sequence is no error."""
        assert len(embedder.embed([])) == 0

    @pytest.mark.parametrize("text", _ODD, ids=repr)
    def test_any_text_has_a_vector(self, embedder: Embedder, text: str) -> None:
        """Empty, blank, unpaired, foreign and unbroken texts too."""
        (row,) = _rows(embedder.embed([text]))

        assert sum(cell * cell for cell in row) == pytest.approx(1, abs=1e-3)

    def test_a_long_text_is_cut(self, embedder: Embedder) -> None:
        """What comes late in a text too long is not read; nothing fails."""
        long = "word and number 7, " * 20_000

        (row,) = _rows(embedder.embed([long]))

        assert sum(cell * cell for cell in row) == pytest.approx(1, abs=1e-3)

    @pytest.mark.parametrize("texts", ["one text", [None], [b"bytes"], ["fine", 1]], ids=repr)
    def test_what_is_no_sequence_of_texts_is_refused(self, embedder: Embedder, texts: Any) -> None:
        """The error is typed, and says so."""
        with pytest.raises((LecmuxError, TypeError)):
            embedder.embed(texts)

    def test_threads_do_not_disturb_each_other(self, embedder: Embedder) -> None:
        """Eight threads get what one gets."""
        alone = {text: _rows(embedder.embed([text]))[0] for text in _TEXTS}
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda text: (text, _rows(embedder.embed([text]))[0]), _TEXTS * 8)
            for text, row in found:
                assert row == pytest.approx(alone[text], abs=self.tolerance)

    async def test_the_async_twin_says_the_same(self, embedder: Embedder) -> None:
        """`aembed` is awaited and gives what `embed` gives."""
        waiting = embedder.aembed(_TEXTS)
        assert inspect.isawaitable(waiting)

        for row, twin in zip(_rows(await waiting), _rows(embedder.embed(_TEXTS)), strict=True):
            assert row == pytest.approx(twin, abs=self.tolerance)
