"""What is given instead of an embedder is told what makes one of it."""

from typing import Any

import pytest

from lecmux import Semantic
from lecmux.embedders import Static
from lecmux.errors import ConfigError


class OfLangChain:
    def embed_documents(self, texts: list[str]) -> list[list[float]]: ...


class OfLlamaIndex:
    def get_text_embedding_batch(self, texts: list[str]) -> list[list[float]]: ...


class SentenceTransformer:
    def encode(self, texts: list[str]) -> Any: ...

    def __call__(self, texts: list[str]) -> Any: ...


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ("static", r"embedder\('static'\)"),
        (Static, r"an object of it, Static\(\)"),
        (OfLangChain(), r"FromLangChain\(it\)"),
        (OfLlamaIndex(), r"FromLlamaIndex\(it\)"),
        (SentenceTransformer(), r"FromSentenceTransformers\(it\)"),
        (lambda texts: texts, r"FromFunction\(it, name=\.\.\.\)"),
        (7, "not 7$"),
    ],
)
def test_the_error_names_the_adapter(given: Any, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        Semantic(given)
