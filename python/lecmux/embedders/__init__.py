"""Text to vectors of unit norm, for the semantic stage.

An embedder is anything with `embed`; `MiniLM` is one that needs no torch and no download beyond its packages.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from lecmux.embedders.onnx import MiniLM
from lecmux.errors import ConfigError

__all__ = ["Embedder", "MiniLM", "embedder"]


@runtime_checkable
class Embedder(Protocol):
    """What the semantic stage asks of an embedder."""

    @property
    def name(self) -> str:
        """Names the model and its version: vectors of one name are comparable."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`: an array (n, dim) of float32, each row of unit norm."""
        ...

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, for an event loop."""
        ...


def embedder(name: str) -> Embedder:
    """The embedder that a command calls `name`.

    Raises:
        ConfigError: when none is called so.
        MissingExtraError: when its packages are not installed.
    """
    if name == "minilm-int8":
        return MiniLM()
    raise ConfigError(f"no embedder is called {name!r}; there is: minilm-int8")
