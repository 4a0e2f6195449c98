"""Estimators: how sure to be of a cost before it counts.

Every entry is ranked by a lower confidence bound of its cost, and every model is judged by one. The
formulas and their sources stand in the core, one file each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lecmux.errors import ConfigError
from lecmux.policies._check import fraction, not_negative, positive, share, whole

__all__ = [
    "EmpiricalBernstein",
    "Estimator",
    "Hoeffding",
    "PlugIn",
    "PooledVariance",
    "SqrtBonus",
    "ValueOfInformation",
    "estimator_from_spec",
]


@dataclass(frozen=True, slots=True)
class ValueOfInformation:
    """Pooled-variance bounds; an untried model is tried only where it may repay the trial.

    Attributes:
        z: width of the bound in standard deviations.
        s0: prior standard deviation in cost units; None takes a quarter of the running mean cost.
        forecast: requests that a trial may still repay, for each that came; 0.5 tries less.
        least_share: share of its mean that an entry is worth at least, from 0 to 1, where costs have no
            `cost_floor`; 0 takes the bound alone, which is 0 for most entries where costs are mostly noise.
    """

    z: float = 2.0
    s0: float | None = None
    forecast: float = 1.0
    least_share: float = 0.3

    def __post_init__(self) -> None:
        _check_pooled("ValueOfInformation", self.z, self.s0)
        positive("ValueOfInformation.forecast", self.forecast)
        share("ValueOfInformation.least_share", self.least_share)

    def _spec(self) -> dict[str, Any]:
        return {
            "estimator": "value_of_information",
            "z": self.z,
            "s0": self.s0,
            "forecast": self.forecast,
            "least_share": self.least_share,
        }


@dataclass(frozen=True, slots=True)
class PooledVariance:
    """mean - z sd / sqrt(n), with one standard deviation pooled over all queries and models.

    Attributes:
        z: width of the bound in standard deviations.
        s0: prior standard deviation in cost units; None takes a quarter of the running mean cost.
    """

    z: float = 2.0
    s0: float | None = None

    def __post_init__(self) -> None:
        _check_pooled("PooledVariance", self.z, self.s0)

    def _spec(self) -> dict[str, Any]:
        return {"estimator": "pooled_variance", "z": self.z, "s0": self.s0}


@dataclass(frozen=True, slots=True)
class Hoeffding:
    """mean - range sqrt(log(6 horizon queries / delta) / 2n): holds for every law in the range; wide.

    Attributes:
        delta: chance that some bound fails.
        horizon: number of requests the bound must hold for.
        queries: number of distinct queries it must hold for.
    """

    delta: float = 0.01
    horizon: int = 10_000
    queries: int = 1_000

    def __post_init__(self) -> None:
        _check_range("Hoeffding", self.delta, self.horizon, self.queries)

    def _spec(self) -> dict[str, Any]:
        return {
            "estimator": "hoeffding",
            "delta": self.delta,
            "horizon": self.horizon,
            "queries": self.queries,
        }


@dataclass(frozen=True, slots=True)
class EmpiricalBernstein:
    """As Hoeffding, with the observed variance in the leading term (Maurer and Pontil).

    Attributes:
        delta: chance that some bound fails.
        horizon: number of requests the bound must hold for.
        queries: number of distinct queries it must hold for.
    """

    delta: float = 0.01
    horizon: int = 10_000
    queries: int = 20

    def __post_init__(self) -> None:
        _check_range("EmpiricalBernstein", self.delta, self.horizon, self.queries)

    def _spec(self) -> dict[str, Any]:
        return {
            "estimator": "empirical_bernstein",
            "delta": self.delta,
            "horizon": self.horizon,
            "queries": self.queries,
        }


@dataclass(frozen=True, slots=True)
class SqrtBonus:
    """mean - sqrt(queries / n): simple, and in cost units, so it fits costs of about that size only."""

    queries: int

    def __post_init__(self) -> None:
        whole("SqrtBonus.queries", self.queries)

    def _spec(self) -> dict[str, Any]:
        return {"estimator": "sqrt_bonus", "queries": self.queries}


@dataclass(frozen=True, slots=True)
class PlugIn:
    """The plain mean, no bound: for comparison. A model with unlucky first samples is never revisited."""

    def _spec(self) -> dict[str, Any]:
        return {"estimator": "plug_in"}


Estimator = ValueOfInformation | PooledVariance | Hoeffding | EmpiricalBernstein | SqrtBonus | PlugIn
"""What `Router(estimator=)` takes."""


def estimator_from_spec(spec: Mapping[str, Any]) -> Estimator:
    """The estimator that `_spec` described; a snapshot keeps its settings so.

    Raises:
        ConfigError: when `spec` describes no estimator of this version.
    """
    settings = dict(spec)
    kind = settings.pop("estimator", None)
    known: dict[Any, type[Estimator]] = {
        "value_of_information": ValueOfInformation,
        "pooled_variance": PooledVariance,
        "hoeffding": Hoeffding,
        "empirical_bernstein": EmpiricalBernstein,
        "sqrt_bonus": SqrtBonus,
        "plug_in": PlugIn,
    }
    try:
        return known[kind](**settings)
    except (KeyError, TypeError) as error:
        raise ConfigError(f"no estimator of this version: {dict(spec)!r}") from error


def _check_pooled(name: str, z: float, s0: float | None) -> None:
    not_negative(f"{name}.z", z)
    if s0 is not None:
        positive(f"{name}.s0", s0)


def _check_range(name: str, delta: float, horizon: int, queries: int) -> None:
    fraction(f"{name}.delta", delta)
    whole(f"{name}.horizon", horizon)
    whole(f"{name}.queries", queries)
