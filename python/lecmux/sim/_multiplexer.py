"""What a multiplexer says of a query before it has costs of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lecmux.errors import ConfigError
from lecmux.policies._check import positive
from lecmux.sim._buffers import cost_table, places

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Guess", "Multiplexer", "Prior"]


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """A selector's word: the model to try first on a query that has no costs yet. Memory overrules it.

    Attributes:
        models: the place of the model for each query, (Q,), by the query's number; -1 for none.
        per_request: `models` is by request instead, (T,), so that the word on a query may change.
    """

    models: "Sequence[int] | Buffer"
    per_request: bool = False

    def _settings(self, named: bool, models: int) -> dict[str, Any]:
        if named and not self.per_request:
            raise ConfigError("a guess by query goes with queries that are numbers from 0 on")
        return {"guess": places("guess", self.models), "guess_each": self.per_request}


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Expected costs from a query's features. They count like `strength` costs seen; seen costs count on top.

    Attributes:
        means: of each query with each model, (Q, models), by the query's number, in the unit of the costs.
        strength: how many seen costs a mean is worth.
    """

    means: "Sequence[Sequence[float]] | Buffer"
    strength: float = 4.0

    def __post_init__(self) -> None:
        positive("Prior.strength", self.strength)

    def _settings(self, named: bool, models: int) -> dict[str, Any]:
        if named:
            raise ConfigError("a prior goes with queries that are numbers from 0 on")
        table, columns = cost_table(self.means, "prior")
        if columns != models:
            raise ConfigError(f"a prior for {columns} models does not fit costs of {models}")
        return {"prior": table, "strength": self.strength}


Multiplexer = Guess | Prior
"""What `simulate(multiplexer=)` takes."""
