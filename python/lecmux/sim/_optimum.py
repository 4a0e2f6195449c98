"""What a trace costs at best, with all of it known beforehand."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from lecmux import _core
from lecmux.errors import ConfigError
from lecmux.policies._check import whole
from lecmux.sim._buffers import cost_table, integers, numbered

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["exploration_floor", "lower_bound", "optimum"]

_Kind = Literal["static", "static_cold", "dynamic"]

_MOST = 2**63 - 1


def optimum(
    queries: "Sequence[Hashable] | Buffer",
    costs: "Sequence[float] | Sequence[Sequence[float]] | Buffer",
    capacity: int,
    *,
    kind: _Kind = "static",
    warm: bool = False,
    mean: bool = False,
    means: "Sequence[Sequence[float]] | Buffer | None" = None,
    sizes: "Sequence[int] | Buffer | None" = None,
) -> float:
    """The least that serving a trace can cost, in hindsight; exact up to the rounding of sums.

    "static" holds the best fixed set from the start, for nothing. While popularity stands still that is what
    a good policy comes close to. "static_cold" is the best fixed set when each member pays its first request.
    "dynamic" is the clairvoyant optimum: before each request it knows all that follow, stores an answer only
    where that pays, and drops others for it. No policy that starts empty costs less on that trace, and none
    without foresight comes near. It is a flow of least cost (Arkin and Silverberg 1987), found in
    O(min(capacity, queries) T log T).

    A request that is not served from the cache pays the cheapest model for this very request, which is more
    than any router can know; `mean` and `means` take that foresight of the noise away.

    Args:
        queries: what is asked, in order, (T,), as `simulate` takes them.
        costs: what each request would cost with each model, (T, models), or (T,) for one model; at least 0.
        capacity: total size that may be held.
        kind: which optimum.
        warm: "dynamic" may hold any answers from the start, for nothing.
        mean: a request pays the model that is cheapest for its query on the mean over the trace.
        means: a request pays the model that is cheapest for its query by these, (queries, models), where a
            query is the number of its row; the first of equals.
        sizes: of the answer to each request, (T,), whole and at least 1; None makes each 1. Where the answers
            to a query differ in size, a static set holds the smallest, with "static_cold" the first.

    Raises:
        ConfigError: for shapes that do not fit together and settings out of range; for "dynamic" with sizes
            that differ, which is NP-hard (`lower_bound` is below it); for a static set whose exact knapsack
            would need too much memory.
        CostError: for a cost that is NaN, negative or infinite.
    """
    if kind not in get_args(_Kind):
        raise ConfigError(f"kind must be one of {', '.join(map(repr, get_args(_Kind)))}, not {kind!r}")
    if warm and kind != "dynamic":
        raise ConfigError(f"warm goes with kind='dynamic'; {kind!r} says itself what is held at the start")
    if mean and means is not None:
        raise ConfigError("mean takes the means of the trace, means takes yours: give one of them")
    trace = _Trace(queries, costs, capacity, sizes)
    return _core.optimum(
        **trace.buffers,
        kind="dynamic_warm" if warm else kind,
        mean=mean,
        means=None if means is None else trace.means(means),
    )


def lower_bound(
    queries: "Sequence[Hashable] | Buffer",
    costs: "Sequence[float] | Sequence[Sequence[float]] | Buffer",
    capacity: int,
    *,
    sizes: "Sequence[int] | Buffer | None" = None,
) -> float:
    """A cost that no policy goes below which starts empty, in O(T log T), whatever the sizes.

    PFOO-L of Berger, Beckmann and Harchol-Balter 2018, weighted by cost: an answer that serves a request has
    been held since the request before, and what is held takes no more than the capacity on average over the
    trace. At most `optimum(kind="dynamic")`; for sizes that differ, where that is out of reach, and for long
    traces.

    Args:
        queries: as `optimum` takes them.
        costs: as `optimum` takes them; a request that is not served from the cache pays the cheapest model.
        capacity: total size that may be held.
        sizes: of the answer to each request, (T,), whole and at least 1; None makes each 1.

    Raises:
        ConfigError: for shapes that do not fit together and settings out of range.
        CostError: for a cost that is NaN, negative or infinite.
    """
    return _core.lower_bound(**_Trace(queries, costs, capacity, sizes).buffers)


def exploration_floor(
    queries: "Sequence[int] | Buffer",
    costs: "Sequence[float] | Sequence[Sequence[float]] | Buffer",
    capacity: int,
    *,
    popularity: "Sequence[float] | Buffer",
    means: "Sequence[Sequence[float]] | Buffer",
    arm_means: Sequence[float],
) -> float:
    """What a policy pays that knows the law but must look at a model to learn its cost on a query.

    A target for rules that see only what they pay for, fairer than an optimum in hindsight. It knows how
    popular each query is and which mean costs a model can have on a query, all equally likely. One look, at
    the price of that request, tells it the mean. It looks at a further model where that gains more over the
    requests still expected than it costs now, and holds the answers of the largest popularity x mean cost. It
    starts empty. It is no proven bound: a rule may be lucky on one trace.

    Args:
        queries: the rows of `popularity` and `means`, in the order asked, (T,).
        costs: what each request would cost with each model, (T, models); at least 0.
        capacity: answers that may be held.
        popularity: probability of each query, (queries,).
        means: mean cost of each query at each model, (queries, models).
        arm_means: the means that a model can have on a query; for `traces.synthetic`, 1 and 1 + ratio.

    Raises:
        ConfigError: for shapes that do not fit together and settings out of range.
        CostError: for a cost that is NaN, negative or infinite.
    """
    trace = _Trace(queries, costs, capacity, None)
    return _core.exploration_floor(
        **trace.buffers,
        popularity=cost_table(popularity)[0],
        means=trace.means(means),
        arm_means=cost_table(arm_means)[0],
    )


class _Trace:
    """A trace and a capacity as the compiled module takes them."""

    def __init__(self, queries: Any, costs: Any, capacity: int, sizes: Any) -> None:
        whole("capacity", capacity)
        numbers, self._names = numbered(queries)
        table, self._models = cost_table(costs)
        self.buffers: dict[str, Any] = {
            "ids": numbers,
            "costs": table,
            "models": self._models,
            "capacity": min(capacity, _MOST),
            "sizes": None if sizes is None else integers("sizes", sizes),
        }

    def means(self, means: Any) -> "Buffer":
        """`means` as a buffer of float64, a row a query."""
        if self._names is not None:
            raise ConfigError("means go by the numbers of queries: number the queries by the rows of means")
        table, models = cost_table(means)
        if models != self._models:
            raise ConfigError(f"means must have a column for each of the {self._models} models, not {models}")
        return table
