"""A slow embedder behind a fast one: it runs only for texts that come near something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lecmux.errors import ConfigError

if TYPE_CHECKING:
    from lecmux.embedders import Embedder

__all__ = ["Gate", "Gated"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What the semantic stage asks before the slow embedder.

    Attributes:
        fast: makes the vectors that the gate goes by; called in the request's own thread or event loop.
        threshold: cosine similarity of these from which on the gate is open.
    """

    fast: "Embedder"
    threshold: float


class Gated:
    """An embedder for the semantic stage that is asked only where a fast one sees anything near.

    A question with nothing near it, in its scope and fingerprint, is a miss after microseconds, and its
    answer is stored with the fast embedder's vector alone. When a later question comes near it, both are
    embedded together. Hits are decided by the slow embedder's vectors, as without a gate, so the gate adds no
    wrong ones; it loses those whose texts the fast one finds less alike than `threshold`.

    `embed` and `aembed` are the slow embedder's own. Entries of a loaded snapshot have no fast vector: in
    their scope and fingerprint the gate stays open until they have left.

    Args:
        fast: such as `Static()`.
        slow: such as `MiniLM()`.
        threshold: cosine similarity of fast vectors from which on the slow embedder runs. The default fits
            `Static`.

    Raises:
        ConfigError: for a threshold outside (-1, 1), or what is no embedder.
    """

    def __init__(self, fast: "Embedder", slow: "Embedder", *, threshold: float = 0.55) -> None:
        for which, embedder in (("fast", fast), ("slow", slow)):
            if not callable(getattr(embedder, "embed", None)) or not getattr(embedder, "name", None):
                raise ConfigError(f"{which} must be an embedder, such as Static(), not {embedder!r}")
        if not -1 < threshold < 1:
            raise ConfigError(f"threshold must lie between -1 and 1, got {threshold!r}")
        self.gate = Gate(fast, threshold)
        self._slow = slow

    @property
    def name(self) -> str:
        """As the slow embedder: the vectors are its own."""
        return self._slow.name

    @property
    def dim(self) -> int:
        """Coordinates of a slow vector."""
        return self._slow.dim

    def embed(self, texts: Sequence[str]) -> Any:
        """The slow embedder's vectors of `texts`."""
        return self._slow.embed(texts)

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, for an event loop."""
        return await self._slow.aembed(texts)

    def __repr__(self) -> str:
        return f"Gated({self.gate.fast!r}, {self._slow!r}, threshold={self.gate.threshold})"
