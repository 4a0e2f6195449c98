"""What a replay sees of the costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Artifact", "Bandit", "Feedback"]


@dataclass(frozen=True, slots=True)
class Bandit:
    """Only the cost of the model that was called, once: all that a live system sees."""


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """What the public code of arXiv 2306.02003 sees (Ying1123/llm-caching-multiplexing): more than it pays.

    It knows one or two models, the small one first, and ranks by plain means: `Lec(decay=None)`, `PlugIn()`.
    Without success flags, as on its synthetic traces, a miss shows the cost of the model called, twice, and
    after the small model also the cost that the large one would have had. With them, as on its data sets, the
    large model's cost shows after a failure of the small one only, no model is tried before it has shown one,
    and an entry is worth the mean of the lesser of both costs over the calls of the small model.

    Attributes:
        success: whether each model would have answered each request well, (T, models); None: not known.
    """

    success: "Sequence[Sequence[bool]] | Buffer | None" = None


Feedback = Bandit | Artifact
"""What `simulate(feedback=)` takes."""
