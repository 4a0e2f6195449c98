"""A rule that an experiment replays: its name, whose it is, and what `simulate` takes."""

from dataclasses import dataclass

from lecmux import Lec, ValueOfInformation
from lecmux.errors import ConfigError
from lecmux.policies import Estimator, Eviction
from lecmux.reproduce.results import Role
from lecmux.sim import HIT, Bandit, Feedback, Prior, SimResult, simulate
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
    """What decides in a replay; the fields are those of `simulate`, beyond these three.

    Attributes:
        name: for tables.
        role: whose it is.
        prior_strength: of the trace's own prior; None goes without it.
    """

    name: str
    role: Role = "other"
    evict: Eviction = Lec()
    estimator: Estimator = ValueOfInformation()
    arm: int | None = None
    cost_floor: float = 0.0
    cost_ceiling: float | None = None
    feedback: Feedback = _BANDIT
    prior_strength: float | None = None

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
            multiplexer=self._multiplexer(trace),
        )

    def _multiplexer(self, trace: Trace) -> Prior | None:
        if self.prior_strength is None:
            return None
        if trace.prior is None:
            raise ConfigError(f"{self.name!r} needs a trace with a prior")
        return Prior(trace.prior, self.prior_strength)  # type: ignore[arg-type]


def paid(run: SimResult, trace: Trace) -> Floats:
    """What each request cost, float64 (T,); 0 for a hit."""
    choices = np.asarray(run.choices)
    return np.where(choices == HIT, 0.0, trace.costs[np.arange(trace.requests), choices])
