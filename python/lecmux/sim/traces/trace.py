"""A stream of requests, with what each would cost at each model."""

from dataclasses import dataclass

from lecmux.errors import ConfigError
from lecmux.sim.traces._numpy import Bools, Floats, Ints, np

__all__ = ["Trace"]

_MATRIX = 2


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """T requests for Q queries, which K models could answer.

    `simulate(trace.queries, trace.costs, capacity=..., sizes=trace.sizes)` replays it. What is True of a law
    and no policy may know (`means`, `popularity`) serves bounds.

    Attributes:
        queries: int64 (T,): which query each request asks, in 0..Q-1.
        costs: float64 (T, K): what the request would cost at each model, in the law's unit.
        sizes: int64 (T,): of the answer; None where each is 1.
        success: bool (T, K): whether the model's answer would be right; None where the law has no such thing.
        means: float64 (Q, K): expected cost of each query at each model; None where unknown.
        popularity: float64 (Q,): probability of each query; None where unknown or changing.
        prior: float64 (Q, K): the costs that a multiplexer expects from a query's features; None without one.

    Raises:
        ConfigError: the shapes do not fit together.
    """

    queries: Ints
    costs: Floats
    sizes: Ints | None = None
    success: Bools | None = None
    means: Floats | None = None
    popularity: Floats | None = None
    prior: Floats | None = None

    def __post_init__(self) -> None:
        """Holds each array to the shape that the others give it."""
        if self.queries.ndim != 1 or self.costs.ndim != _MATRIX:
            raise ConfigError("a trace needs queries of shape (T,) and costs of shape (T, K)")
        requests, models = len(self.queries), self.costs.shape[1]
        _shape("costs", self.costs, (requests, models))
        _shape("sizes", self.sizes, (requests,))
        _shape("success", self.success, (requests, models))
        known = next((len(law) for law in (self.means, self.popularity, self.prior) if law is not None), 0)
        _shape("means", self.means, (known, models))
        _shape("popularity", self.popularity, (known,))
        _shape("prior", self.prior, (known, models))
        if known and requests and int(self.queries.max()) >= known:
            raise ConfigError(f"queries go up to {self.queries.max()}, but the law knows {known} of them")

    @property
    def requests(self) -> int:
        """T, the length of the stream."""
        return len(self.queries)

    @property
    def models(self) -> int:
        """K, how many models could answer."""
        return int(self.costs.shape[1])

    def counts(self) -> Ints:
        """How often each query is asked, int64 (Q,)."""
        laws = (self.means, self.popularity, self.prior)
        known = next((len(law) for law in laws if law is not None), 0)
        return np.bincount(self.queries, minlength=known).astype(np.int64)

    def mean_costs(self) -> Floats:
        """Means of the costs in this very stream, float64 (Q, K); 0 for a query that is never asked."""
        counts = self.counts()
        sums = [np.bincount(self.queries, column, len(counts)) for column in self.costs.T]
        return np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]


def _shape(name: str, array: Ints | Floats | Bools | None, shape: tuple[int, ...]) -> None:
    if array is not None and array.shape != shape:
        raise ConfigError(f"{name} must have the shape {shape}, not {array.shape}")
