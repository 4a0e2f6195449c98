"""A rule that an experiment replays: its name, whose it is, and what `simulate` takes."""

from dataclasses import dataclass

from lecmux import Lec, ValueOfInformation
from lecmux.policies import Estimator, Eviction
from lecmux.reproduce.results import Role
from lecmux.sim import HIT, Bandit, Feedback, SimResult, simulate
from lecmux.sim.traces import Trace
from lecmux.sim.traces._numpy import Floats, np

__all__ = ["COUNTED_FOR_EVER", "RESCORED", "Rule", "paid"]

_BANDIT = Bandit()

COUNTED_FOR_EVER = Lec(decay=None)
"""The paper's eviction: least expected cost, no request is ever forgotten."""

RESCORED = Lec(decay=None, rescore=True)
"""The same, with every score made anew at each decision."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides in a replay; the fields beyond `name` and `role` are those of `simulate`."""

    name: str
    role: Role = "other"
    evict: Eviction = Lec()
    estimator: Estimator = ValueOfInformation()
    arm: int | None = None
    cost_floor: float = 0.0
    cost_ceiling: float | None = None
    feedback: Feedback = _BANDIT

    def replay(self, trace: Trace, capacity: int) -> SimResult:
        """Serves `trace` from an empty cache of `capacity`."""
        # numpy's arrays are buffers, which its stubs say from Python 3.12 on only.
        return simulate(
            trace.queries,  # type: ignore[arg-type]
            trace.costs,  # type: ignore[arg-type]
            capacity=capacity,
            evict=self.evict,
            estimator=self.estimator,
            arm=self.arm,
            sizes=trace.sizes,  # type: ignore[arg-type]
            cost_floor=self.cost_floor,
            cost_ceiling=self.cost_ceiling,
            feedback=self.feedback,
        )


def paid(run: SimResult, trace: Trace) -> Floats:
    """What each request cost, float64 (T,); 0 for a hit."""
    choices = np.asarray(run.choices)
    return np.where(choices == HIT, 0.0, trace.costs[np.arange(trace.requests), choices])
