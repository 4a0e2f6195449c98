"""`offline`: the paper's offline protocol, a static cache chosen with the trace in hand."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lecmux import _core
from lecmux.errors import ConfigError
from lecmux.policies._check import MOST, share, whole
from lecmux.sim._buffers import cost_table, integers, numbered
from lecmux.sim._result import SimResult, result

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["ByCost", "ByCount", "Rank", "offline"]


@dataclass(frozen=True, slots=True)
class ByCount:
    """By how often a query is asked: LFU in hindsight."""


@dataclass(frozen=True, slots=True)
class ByCost:
    """By what all requests for a query cost: LEC in hindsight.

    Attributes:
        accuracy: of the selector behind that cost, in [0, 1]: a request costs accuracy x least +
            (1 - accuracy) x most. 1 is the paper's rule, the selector's own accuracy what is really paid.
    """

    accuracy: float = 1.0

    def __post_init__(self) -> None:
        share("ByCost.accuracy", self.accuracy)


Rank = ByCount | ByCost
"""What `offline(rank=)` takes."""


def offline(
    queries: "Sequence[Hashable] | Buffer",
    costs: "Sequence[float] | Sequence[Sequence[float]] | Buffer",
    *,
    capacity: int,
    rank: Rank = ByCost(),
    accuracy: float = 1.0,
    arm: int | None = None,
    sizes: "Sequence[int] | Buffer | None" = None,
    seed: int = 0,
) -> SimResult:
    """Serves a trace from a static cache chosen in hindsight: the offline protocol of arXiv 2306.02003.

    The queries of highest rank are held from the start, free of charge. On a miss a coin decides whether the
    selector takes the model that costs least on this very request, or the one that costs most; one that knows
    the noise of a request does not exist, so this is a bound rather than a policy.

    Args:
        queries: as `simulate` takes them.
        costs: as `simulate` takes them.
        capacity: total size that may be held.
        rank: by what the queries are chosen; with sizes, per unit of size.
        accuracy: how often the selector is right, in [0, 1].
        arm: the only model to call, in place of the selector; its costs rank, too.
        sizes: of the answer to each request, (T,); a query has that of its first request. None makes each 1.
        seed: of the selector's coins.

    Raises:
        ConfigError: as `simulate`, and for an accuracy outside [0, 1].
        CostError: as `simulate`.
    """
    whole("capacity", capacity)
    whole("seed", seed, least=0, most=MOST)
    share("accuracy", accuracy)
    numbers, names = numbered(queries)
    table, models = cost_table(costs)
    if arm is not None and not (type(arm) is int and 0 <= arm < models):
        raise ConfigError(f"arm must be None or the place of one of the {models} models, not {arm!r}")
    served = _core.offline(
        numbers,
        table,
        models=models,
        capacity=min(capacity, MOST),
        believed=rank.accuracy if isinstance(rank, ByCost) else None,
        accuracy=accuracy,
        arm=arm,
        sizes=None if sizes is None else integers("sizes", sizes),
        seed=seed,
    )
    return result(served, names)
