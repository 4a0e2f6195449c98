"""Text to vectors of length 1, for the semantic stage.

An embedder is anything with `name`, `dim`, `embed` and `aembed`. `Static` needs nothing and takes
microseconds, `MiniLM` judges better and takes milliseconds; models of others come in through `FromFunction`
and its kin. `Gated` puts one before the other.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from lecmux.embedders._batching import Batched
from lecmux.embedders._memo import Remembered
from lecmux.embedders.adapters import FromFunction, FromLangChain, FromLlamaIndex, FromSentenceTransformers
from lecmux.embedders.gated import Gate, Gated
from lecmux.embedders.onnx import MiniLM
from lecmux.embedders.static import Static
from lecmux.errors import ConfigError

__all__ = [
    "Batched",
    "Embedder",
    "FromFunction",
    "FromLangChain",
    "FromLlamaIndex",
    "FromSentenceTransformers",
    "Gate",
    "Gated",
    "MiniLM",
    "Remembered",
    "Static",
    "embedder",
]


@runtime_checkable
class Embedder(Protocol):
    """What the semantic stage asks of an embedder. `lecmux.testing.contracts.EmbedderContract` checks one."""

    @property
    def name(self) -> str:
        """Names the model and its version: vectors of one name are comparable."""
        ...

    @property
    def dim(self) -> int:
        """Coordinates of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`: a buffer (n, dim) of float32, each row of length 1.

        An array of numpy is such a buffer, a view of memory too. Called from several threads at once.
        """
        ...

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, for an event loop."""
        ...


_NAMED: dict[str, Callable[[], Embedder]] = {"minilm-int8": MiniLM, "static": Static}


def embedder(name: str) -> Embedder:
    """The embedder that a command calls `name`: `static` or `minilm-int8`.

    Raises:
        ConfigError: when none is called so.
        MissingExtraError: when its packages are not installed.
    """
    if name not in _NAMED:
        raise ConfigError(f"no embedder is called {name!r}; there are: {', '.join(sorted(_NAMED))}")
    return _NAMED[name]()
