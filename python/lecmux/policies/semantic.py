"""Settings of the semantic stage: which questions may be answered by the answer to one that is alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lecmux.errors import ConfigError
from lecmux.policies._check import fraction, not_negative, positive
from lecmux.query import Query
from lecmux.salient import Salient

if TYPE_CHECKING:
    from lecmux.embedders import Embedder

__all__ = ["Semantic"]

_MOST_ERROR = 0.5


@dataclass(frozen=True, slots=True)
class Semantic:
    """Serves the answer to a question that is alike, where that is safe enough.

    There is no threshold to choose: you say how many wrong hits are tolerable, and the stage learns from the
    answers that are paid for how far it can go. A request takes part by its `Query.salient`; one that is a
    plain str is its own salient text.

    Attributes:
        embedder: makes vectors of texts; None takes `lecmux.embedders.Static()`, which is always at hand.
        max_error: tolerated wrong hits, as a share of a tenant's requests: those that come to the stage, and
            from its first candidate on those that are answered word for word; 0 serves none.
        same_answer: says whether two values, as models return them, say the same; the built-in compares their
            texts: equal but for writing, or alike (`answers_alike`) without a contradiction in numbers,
            names or negation. None of it, where the `same_answer` hook of the cache is set: that decides.
        text: makes the salient text of a query, None for one that takes no part; the built-in is
            `Query.salient`. A `lecmux.salient.Salient` says also what must be equal, in place of
            `Query.context`: a question that was put into words of its own needs no history.
        tools: let questions that are alike share an answer also where tools or a structured output are asked
            for; integrations see to it.
        serve_contradictions: weigh a contradiction between two questions like any other sign, so that the
            answers of a tenant can teach that it changes nothing. False: never serve the answer to a question
            that differs in a number, a unit, a date, a name or a code, in negation, in direction (from, to)
            or in a pole such as on and off, whatever was learnt. It costs hits, and holds as far as words
            show a contradiction.
        near_twins: when room is needed, let an entry count for less whose requests a near twin would answer;
            under policies that go by worth (`Lec`, `Gdsf`). False: each counts for all that it served.
        answers_alike: cosine similarity from which on two answers may say the same.
        usd_per_text: price of an embedding; the stage is skipped where it costs more than it saves.
        slow_seconds: an embedding that takes longer counts as a failure; after three failures in a row the
            stage rests.
        rest_seconds: how long.
    """

    embedder: "Embedder | None" = None
    max_error: float = 0.02
    same_answer: Callable[[Any, Any], bool | None] | None = None
    text: Callable[[Query], str | Salient | None] | None = None
    tools: bool = False
    serve_contradictions: bool = True
    near_twins: bool = True
    answers_alike: float = 0.9
    usd_per_text: float = 0.0
    slow_seconds: float = 5.0
    rest_seconds: float = 60.0

    @property
    def made(self) -> "Embedder":
        """The embedder in use."""
        if self.embedder is None:
            raise ConfigError("an embedder is set when this is made")
        return self.embedder

    def __post_init__(self) -> None:
        if self.embedder is None:
            from lecmux.embedders import Static  # noqa: PLC0415  its table is loaded at first use

            object.__setattr__(self, "embedder", Static())
        name, embed = getattr(self.embedder, "name", None), getattr(self.embedder, "embed", None)
        if isinstance(self.embedder, type) or not isinstance(name, str) or not callable(embed):
            raise ConfigError(
                "embedder must have a name and embed(texts), such as lecmux.embedders.MiniLM(), "
                f"not {self.embedder!r}{_remedy(self.embedder)}"
            )
        not_negative("Semantic.max_error", self.max_error)
        if self.max_error > _MOST_ERROR:
            raise ConfigError(f"Semantic.max_error must be at most {_MOST_ERROR}, not {self.max_error!r}")
        for called, hook in (("same_answer", self.same_answer), ("text", self.text)):
            if hook is not None and not callable(hook):
                raise ConfigError(f"Semantic.{called} must be a callable, not {hook!r}")
        for name in ("serve_contradictions", "near_twins"):
            if not isinstance(given := getattr(self, name), bool):
                raise ConfigError(f"Semantic.{name} must be True or False, not {given!r}")
        fraction("Semantic.answers_alike", self.answers_alike)
        not_negative("Semantic.usd_per_text", self.usd_per_text)
        positive("Semantic.slow_seconds", self.slow_seconds)
        positive("Semantic.rest_seconds", self.rest_seconds)


def _remedy(embedder: object) -> str:
    """What makes an embedder of it, where something does."""
    adapters = {
        "embed_documents": "FromLangChain(it)",
        "get_text_embedding_batch": "FromLlamaIndex(it)",
        "encode": "FromSentenceTransformers(it)",
        "__call__": "FromFunction(it, name=...)",
    }
    if isinstance(embedder, type):
        return f"; an object of it, {embedder.__name__}(), may be"
    if isinstance(embedder, str):
        return f"; by name: lecmux.embedders.embedder({embedder!r})"
    found = next((made for method, made in adapters.items() if hasattr(embedder, method)), None)
    return f"; try lecmux.embedders.{found}" if found else ""
