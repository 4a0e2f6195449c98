"""`simulate`: one trace, one policy, one estimator; what it cost."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from lecmux import _core
from lecmux.errors import ConfigError
from lecmux.policies._check import MOST, whole
from lecmux.policies.estimate import Estimator, ValueOfInformation
from lecmux.policies.evict import Eviction, Lec
from lecmux.policies.scored import Scored
from lecmux.sim._buffers import cost_table, flags, held, integers, numbered
from lecmux.sim._feedback import Artifact, Bandit, Feedback
from lecmux.sim._multiplexer import Multiplexer
from lecmux.sim._result import SimResult, result

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["simulate"]


def simulate(
    queries: "Sequence[Hashable] | Buffer",
    costs: "Sequence[float] | Sequence[Sequence[float]] | Buffer",
    *,
    capacity: int,
    evict: Eviction = Lec(),
    estimator: Estimator = ValueOfInformation(),
    arm: int | None = None,
    sizes: "Sequence[int] | Buffer | None" = None,
    cost_floor: float = 0.0,
    cost_ceiling: float | None = None,
    seed: int = 0,
    feedback: Feedback = Bandit(),
    multiplexer: Multiplexer | None = None,
    resident: Iterable[Hashable] | None = None,
) -> SimResult:
    """Serves a trace from an empty cache, learning as it goes.

    A request is counted and looked up. A miss chooses a model, pays its cost, learns that cost and no other
    (`feedback` can let it see more), and offers the answer to the cache. The same inputs give the same result
    on every machine.

    Args:
        queries: what is asked, in order, (T,): a buffer of whole numbers from 0 to below 2**20 or 16 T,
            whichever is more, or a sequence of anything hashable.
        costs: what each request would cost with each model, (T, models), or (T,) for one model; at least 0.
        capacity: total size that may be resident.
        evict: who leaves.
        estimator: how sure to be of a cost before it counts.
        arm: the only model to call; None leaves the choice to the estimator.
        sizes: of the answer to each request, (T,), whole and at least 1; None makes each 1.
        cost_floor: the least an answer can cost.
        cost_ceiling: the most it can cost; for the range bounds, which else take the largest cost seen.
        seed: keys the hash behind the sampling of self-tuned decay.
        feedback: what a miss shows of the costs.
        multiplexer: what is known of a query before it has costs of its own.
        resident: queries held from the start and for good; nothing else is stored then, and all that `evict`
            does is to count.

    Raises:
        ConfigError: for shapes that do not fit together, numbers of queries that are not dense, and settings
            out of range; the first request at fault is named. Also for residents larger than the capacity.
        CostError: for a cost that is NaN, negative or infinite, naming the request and the model.
    """
    if isinstance(evict, Scored):
        raise ConfigError("a simulation asks no function: replay a trace through a Cache(evict=Scored(...))")
    whole("capacity", capacity)
    whole("seed", seed, least=0, most=MOST)
    numbers, names = numbered(queries)
    table, models = cost_table(costs)
    if arm is not None and not (type(arm) is int and 0 <= arm < models):
        raise ConfigError(f"arm must be None or the place of one of the {models} models, not {arm!r}")
    success = feedback.success if isinstance(feedback, Artifact) else None
    advice = {} if multiplexer is None else multiplexer._settings(names is not None, models)
    served = _core.simulate(
        numbers,
        table,
        models=models,
        capacity=min(capacity, MOST),
        evict=evict._spec(),
        estimator=estimator._spec(),
        cost_floor=cost_floor,
        cost_ceiling=cost_ceiling,
        sizes=None if sizes is None else integers("sizes", sizes),
        arm=arm,
        seed=seed,
        artifact=isinstance(feedback, Artifact),
        success=None if success is None else flags("success", success),
        resident=None if resident is None else held(resident, names),
        **advice,
    )
    return result(served, names)
