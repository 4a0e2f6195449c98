"""Multiplexers: what a query is expected to cost with each model, before it has costs of its own."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from lecmux import _core
from lecmux.errors import ConfigError
from lecmux.policies._check import positive, whole
from lecmux.query import Query

__all__ = ["ExpectedCosts", "Multiplexer", "Prior", "TextFeatures"]

_BUCKETS = 128
_PENALTY = 3.0

Costs = Sequence[float | None]
"""One place an arm; None or NaN where it is not known."""


@runtime_checkable
class Prior(Protocol):
    """What a router asks for the expected costs of a query that it meets.

    `arms` are its models, then its cascades; costs go by their places, in the router's unit. What fails is
    counted as an incident, and the request proceeds without.
    """

    def bind(self, arms: Sequence[str]) -> None:
        """Learns whom it is to tell apart. Raises `ConfigError` where it cannot."""
        ...

    def read(self, query: Query) -> Any:
        """What it needs to know of a query; the router keeps it while the query is asked."""
        ...

    def expect(self, read: Any) -> _core.Expected | None:
        """The expected costs; None while it has no idea."""
        ...

    def learn(self, read: Any, place: int, cost: float) -> int | None:
        """An arm answered this query for the first time, at that cost. Returns a number for `amend`."""
        ...

    def amend(self, read: Any, place: int, number: int, delta: float) -> None:
        """The cost told under that number turns out to be `delta` more."""
        ...


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Features of a text: length, numbers, operators, code, script, question words; hashed words and runs.

    They are computed in microseconds, and a file can say which they were.

    Args:
        buckets: for the hashed ones (words, pairs of words, runs of four characters); 0 leaves them out.
        text: what of a query to read; None: its last message, or else its text.

    Raises:
        ConfigError: for fewer than 0 buckets, or more than 4,000.
    """

    buckets: int = _BUCKETS
    text: Callable[[Query], str] | None = None

    def __post_init__(self) -> None:
        whole("buckets", self.buckets, least=0, most=4_000)

    def __call__(self, query: Query) -> _core.Features:
        """The features of one query."""
        return _core.Features.of_text((self.text or asked_text)(query), self.buckets)


class Multiplexer:
    """Learns what each model will cost on a query from features of the query.

    A query that was never asked is then routed by what was learnt of others: `Router(models,
    multiplexer=Multiplexer())`. For each arm a ridge regression is kept, recursively, and calibrated on costs
    it had not seen: where the features say nothing, it expects the mean. Its word is a prior that counts like
    `strength` costs; what the query itself costs counts on top, and overrules it. It learns online from the
    models that were called, and from labels that are there already (`fit`). A decision takes microseconds,
    and memory is bounded: 8 x (features + 1)^2 bytes an arm.

    Args:
        features: of a query, of order 1 each: `TextFeatures()`, or a callable that gives numbers, as many
            each time, such as an embedder's.
        strength: how many costs a prior counts for; None measures it by arm: the squared noise of costs
            over the multiplexer's own squared error. Features that were not shown to tell anything then
            count for nothing.
        penalty: of the ridge, in observations; larger believes the features less.
        learn: False: it learns from `fit` alone.

    Raises:
        ConfigError: for settings that cannot work.
    """

    def __init__(
        self,
        features: Callable[[Query], "_core.Features | Iterable[float]"] = TextFeatures(),
        *,
        strength: float | None = None,
        penalty: float = _PENALTY,
        learn: bool = True,
    ) -> None:
        if not callable(features):
            raise ConfigError(
                f"features must be callable with a query, such as TextFeatures(), not {features!r}"
            )
        if strength is not None:
            positive("strength", strength)
        positive("penalty", penalty)
        self.features = features
        self.strength = strength
        self.penalty = penalty
        self.learns = bool(learn)
        self._core: _core.Multiplexer | None = None
        self._arms: tuple[str, ...] | None = None

    @property
    def labels(self) -> tuple[int, ...]:
        """How many costs it has learnt from, by arm."""
        return tuple(self._core.labels) if self._core else ()

    @property
    def skills(self) -> tuple[float, ...]:
        """Share of the variance of each arm's costs that it explains, measured on costs it had not seen."""
        return tuple(self._core.skills) if self._core else ()

    def fit(self, queries: Sequence[Query | str], costs: "Iterable[Costs]") -> "Multiplexer":
        """Learns from labels: what each arm cost on each query, errors at their price.

        Args:
            queries: texts, or queries as the router will meet them; n of them.
            costs: (n, arms) in the router's unit and in the order of `router.arms`, such as an array; None
                or NaN where it is not known.

        Returns:
            Itself.

        Raises:
            ConfigError: for shapes that do not fit.
            CostError: for a cost that is negative or infinite; it names the row.
        """
        rows = [[math.nan if cost is None else float(cost) for cost in row] for row in costs]
        if len(rows) != len(queries) or not rows or any(len(row) != len(rows[0]) for row in rows):
            raise ConfigError(f"{len(queries)} queries need as many rows of costs, one place an arm in each")
        read = [self.read(Query(query) if isinstance(query, str) else query) for query in queries]
        self._made(len(rows[0]), len(read[0])).fit(read, [cost for row in rows for cost in row])
        return self

    def expected(self, query: Query | str) -> tuple[float, ...] | None:
        """What each arm is expected to cost; None before there are labels enough (32)."""
        known = self.expect(self.read(Query(query) if isinstance(query, str) else query))
        return None if known is None else tuple(known.means)

    def bind(self, arms: Sequence[str]) -> None:
        """As `Prior.bind`."""
        if self._arms is not None and self._arms != tuple(arms):
            raise ConfigError(
                f"this multiplexer learns for {list(self._arms)}, not for {list(arms)}: make another"
            )
        if self._core is not None and self._core.shape[0] != len(arms):
            raise ConfigError(
                f"the multiplexer was fitted to {self._core.shape[0]} costs a query; "
                f"the router has {len(arms)} arms: {', '.join(arms)}"
            )
        self._arms = tuple(arms)

    def read(self, query: Query) -> _core.Features:
        """The features of a query."""
        found = self.features(query)
        return found if isinstance(found, _core.Features) else _core.Features([float(x) for x in found])

    def expect(self, read: _core.Features) -> _core.Expected | None:
        """As `Prior.expect`."""
        return self._core.expect(read, looking=self.learns) if self._core else None

    def learn(self, read: _core.Features, place: int, cost: float) -> int | None:
        """As `Prior.learn`."""
        if not self.learns or self._arms is None:
            return None
        return self._made(len(self._arms), len(read)).learn(read, place, cost)

    def amend(self, read: _core.Features, place: int, number: int, delta: float) -> None:
        """As `Prior.amend`."""
        if self._core:
            self._core.amend(read, place, number, delta)

    def _made(self, arms: int, features: int) -> _core.Multiplexer:
        """The state, made when the number of features is known."""
        if self._core is None:
            self._core = _core.Multiplexer(arms, features, penalty=self.penalty, strength=self.strength)
        if self._core.shape != (arms, features):
            raise ConfigError(
                f"the multiplexer holds {self._core.shape[0]} arms and {self._core.shape[1]} features, "
                f"not {arms} and {features}"
            )
        return self._core

    def _spec(self) -> dict[str, Any]:
        """For a file; a callable of the user's is code, and stays out."""
        text = isinstance(self.features, TextFeatures) and self.features.text is None
        return {
            "buckets": self.features.buckets if text and isinstance(self.features, TextFeatures) else None,
            "strength": self.strength,
            "penalty": self.penalty,
            "learn": self.learns,
        }

    def _adopt(self, data: bytes) -> None:
        """Goes on with what was learnt by the one in `data`."""
        if data:
            core = _core.Multiplexer.from_bytes(data)
            if self._core is not None and self._core.shape != core.shape:
                raise ConfigError(f"its multiplexer has shape {core.shape}, this one {self._core.shape}")
            self._core = core

    def _state(self) -> bytes:
        return self._core.to_bytes() if self._core else b""


class ExpectedCosts:
    """A prior of your own: a function that says what a query is expected to cost with each model.

    Args:
        expect: from a query to expected costs by arm, in the router's unit, errors at their price; None where
            it cannot tell. It must name every arm.
        strength: how many costs its word counts for.

    Raises:
        ConfigError: for a strength that is not above 0.
    """

    def __init__(
        self, expect: Callable[[Query], Mapping[str, float] | None], *, strength: float = 4.0
    ) -> None:
        positive("strength", strength)
        self._expect = expect
        self.strength = strength
        self._arms: tuple[str, ...] = ()

    def bind(self, arms: Sequence[str]) -> None:
        """As `Prior.bind`."""
        self._arms = tuple(arms)

    def read(self, query: Query) -> _core.Expected | None:
        """Asks the function."""
        told = self._expect(query)
        if told is None:
            return None
        missing = [arm for arm in self._arms if arm not in told]
        if missing:
            raise ConfigError(f"expected costs are missing for {', '.join(missing)}")
        return _core.Expected([told[arm] for arm in self._arms], self.strength)

    def expect(self, read: _core.Expected | None) -> _core.Expected | None:
        """As `Prior.expect`."""
        return read

    def learn(self, read: Any, place: int, cost: float) -> None:
        """It learns nothing."""

    def amend(self, read: Any, place: int, number: int, delta: float) -> None:
        """It learns nothing."""


def asked_text(query: Query) -> str:
    """What a query asks: the text of its last message, where it has messages, else all of its text."""
    messages = query.attributes.get("messages")
    if messages:
        content = getattr(messages[-1], "content", None)
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            parts = (part.get("text") if isinstance(part, dict) else part for part in content)
            return "\n".join(part for part in parts if isinstance(part, str))
    return query.text


def multiplexer_from_spec(spec: Mapping[str, Any]) -> Multiplexer:
    """The one that `_spec` described.

    Raises:
        ConfigError: where its features were a callable, which no file keeps.
    """
    if spec["buckets"] is None:
        raise ConfigError("its features are a callable: pass multiplexer=Multiplexer(features)")
    features = TextFeatures(spec["buckets"])
    return Multiplexer(features, strength=spec["strength"], penalty=spec["penalty"], learn=spec["learn"])
