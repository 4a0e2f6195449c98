"""Embedders of others, held to what ours promise: float32, rows of length 1, one dimension, typed errors."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from lecmux.embedders._rows import unit_rows
from lecmux.embedders._texts import listed
from lecmux.errors import ConfigError, MissingExtraError

__all__ = ["FromFunction", "FromLangChain", "FromLlamaIndex", "FromSentenceTransformers"]


class FromFunction:
    """An embedder out of a function from a list of texts to as many vectors.

    Vectors of any length but zero are scaled to length 1. The function must be safe to call from threads.

    Args:
        function: takes a list of texts, gives a vector each: an array of numpy or a sequence of rows.
        name: names the model and its version. Vectors of one name are compared with each other, across
            restarts too, so two models must not share one.
        dim: coordinates of a vector. Without it the first vectors tell; asked for before, a text is embedded.
        afunction: as `function`, awaited; without it `function` is called on a worker thread.

    Raises:
        ConfigError: for an empty `name` or a `dim` below 1.
    """

    def __init__(
        self,
        function: Callable[[list[str]], Any],
        *,
        name: str,
        dim: int | None = None,
        afunction: Callable[[list[str]], Awaitable[Any]] | None = None,
    ) -> None:
        if not name:
            raise ConfigError("name must tell the model and its version: vectors of one name are compared")
        if dim is not None and dim < 1:
            raise ConfigError(f"dim must be at least 1, got {dim}")
        self._function = function
        self._afunction = afunction
        self._dim = dim
        self._lock = threading.Lock()
        self.name = name

    @property
    def dim(self) -> int:
        """Coordinates of a vector; embeds one text where that is not known yet."""
        if self._dim is None:
            self.embed(["dimension"])
        assert self._dim is not None
        return self._dim

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`: a buffer (n, dim) of float32, each row of length 1.

        Raises:
            DimensionError: when the function gives vectors of another dimension than before.
            VectorError: when it gives another number of vectors, zeros, or what is not finite.
            ValueTypeError: for one text instead of a sequence, or an item that is no text.
        """
        found = listed(texts)
        return self._held(self._function(found) if found else [], len(found))

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, for an event loop."""
        if self._afunction is None:
            return await asyncio.to_thread(self.embed, texts)
        found = listed(texts)
        return self._held(await self._afunction(found) if found else [], len(found))

    def _held(self, vectors: Any, count: int) -> Any:
        with self._lock:
            rows = unit_rows(vectors, count, self._dim, self.name)
            if count and self._dim is None:
                self._dim = rows.shape[1]
        return rows

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class FromLangChain(FromFunction):
    """An embedder out of LangChain `Embeddings`, by `embed_documents` and `aembed_documents`.

    Args:
        embeddings: the object of LangChain's.
        name: as of `FromFunction`; without it the object's own `model` or `model_name`.
        dim: as of `FromFunction`.

    Raises:
        ConfigError: without a name, or for what is no `Embeddings`.
    """

    def __init__(self, embeddings: Any, *, name: str | None = None, dim: int | None = None) -> None:
        super().__init__(
            _method(embeddings, "embed_documents", "Embeddings of LangChain"),
            name=_named(embeddings, name),
            dim=dim,
            afunction=getattr(embeddings, "aembed_documents", None),
        )


class FromLlamaIndex(FromFunction):
    """An embedder out of LlamaIndex' `BaseEmbedding`, by its `get_text_embedding_batch` and async twin.

    Args:
        embedding: the object of LlamaIndex'.
        name: as of `FromFunction`; without it the object's `model_name`.
        dim: as of `FromFunction`.

    Raises:
        ConfigError: without a name, or for what is no `BaseEmbedding`.
    """

    def __init__(self, embedding: Any, *, name: str | None = None, dim: int | None = None) -> None:
        super().__init__(
            _method(embedding, "get_text_embedding_batch", "BaseEmbedding of LlamaIndex"),
            name=_named(embedding, name),
            dim=dim,
            afunction=getattr(embedding, "aget_text_embedding_batch", None),
        )


class FromSentenceTransformers(FromFunction):
    """An embedder out of a model of sentence-transformers.

    Calls take turns: a model's tokenizer is not safe for threads.

    Args:
        model: a `SentenceTransformer`, or the name or folder of one, loaded at once (needs
            `lecmux[sentence-transformers]`).
        name: as of `FromFunction`; without it the name or folder given.

    Raises:
        MissingExtraError: for a name while sentence-transformers is not installed.
        ConfigError: without a name, or for what is no `SentenceTransformer`.
    """

    def __init__(self, model: Any, *, name: str | None = None) -> None:
        if isinstance(model, str):
            name, model = name or model, _sentence_transformer(model)
        encode = _method(model, "encode", "SentenceTransformer")
        turn = threading.Lock()

        def in_turn(texts: list[str]) -> Any:
            with turn:
                return encode(texts, convert_to_numpy=True, show_progress_bar=False)

        super().__init__(in_turn, name=_named(model, name))


def _sentence_transformer(name: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  an extra, loaded at first use
    except ImportError as error:
        raise MissingExtraError(
            f"models by name need: pip install 'lecmux[sentence-transformers]' ({error})"
        ) from error
    return SentenceTransformer(name)


def _method(thing: Any, method: str, kind: str) -> Callable[..., Any]:
    found = getattr(thing, method, None)
    if not callable(found):
        raise ConfigError(f"{type(thing).__name__} is no {kind}: it has no {method}")
    return found  # type: ignore[no-any-return]


def _named(thing: Any, name: str | None) -> str:
    for found in (name, getattr(thing, "model_name", None), getattr(thing, "model", None)):
        if isinstance(found, str) and found and found != "unknown":
            return found
    raise ConfigError(f"{type(thing).__name__} does not say which model it is: pass name=")
