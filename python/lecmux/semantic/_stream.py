"""The semantic decision over a stream of classed texts."""

from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

from lecmux import _core
from lecmux.embedders import Embedder
from lecmux.errors import ConfigError
from lecmux.semantic._after_drift import AfterDrift, after_drift

__all__ = ["Interval", "Order", "StreamEvaluation", "Told", "evaluate_stream"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A rate of wrong hits among all requests, as audits tell it."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Told:
    """What the audits up to a request told, beside the truth."""

    requests: int
    hits: int
    wrong_hits: int
    rate: Interval
    """Since the start. Of 100 orders, 95 or more never leave it, once audits are many."""
    recent: Interval
    """Of late: a request counts half as much after 500 more. Holds 95 times in 100 at any one time."""
    recent_truth: float
    """What `recent` estimates."""


@dataclass(frozen=True, slots=True)
class Order:
    """What became of the texts in one seeded order."""

    seed: int
    requests: int
    hits: int
    wrong_hits: int
    """Hits whose class was another."""
    audits: int
    """Would-be hits that a model answered, to see whether they were right; not counted as hits."""
    embed_calls: int
    hindsight_hits: int
    """Hits of the best static threshold, chosen in hindsight for this order under the same `max_error`."""
    hindsight_threshold: float
    trace: tuple[tuple[int, int | None], ...]
    """The row of each request, and the row whose answer was served."""
    drifts: int
    """How often predictions were found to hold no more."""
    after_drift: AfterDrift | None
    """Where `redraw` made one."""
    told: tuple[Told, ...]
    """At up to 200 even places."""
    calibration: tuple[tuple[float, float, float], ...]
    """Each bin of the risk that the model predicted: its least risk, the labels since predictions were last
    given up, and the wrong ones among them."""

    @property
    def live_rate(self) -> Interval:
        """What audits told of the rate of wrong hits at the end."""
        return self.told[-1].rate if self.told else Interval(0.0, 0.0, 1.0)

    @property
    def first_hit(self) -> int | None:
        """The number of the first request that was a hit, from 1."""
        return next((asked for asked, (_, served) in enumerate(self.trace, 1) if served is not None), None)

    @property
    def interval_held(self) -> bool:
        """Whether the live interval since the start held the true rate of wrong hits wherever it was told."""
        return all(told.rate.low <= told.wrong_hits / told.requests <= told.rate.high for told in self.told)


@dataclass(frozen=True, slots=True)
class StreamEvaluation:
    """All orders."""

    max_error: float
    answers_hidden: bool
    embedder: str
    orders: tuple[Order, ...]
    contradictions_refused: bool = False

    @property
    def hit_rate(self) -> float:
        """Mean share of requests that were hits."""
        return sum(order.hits / order.requests for order in self.orders) / len(self.orders)

    @property
    def wrong_rate(self) -> float:
        """Mean share of requests that were wrong hits."""
        return sum(order.wrong_hits / order.requests for order in self.orders) / len(self.orders)

    @property
    def within_budget(self) -> int:
        """Orders whose wrong hits were at most `max_error` of the requests."""
        return sum(order.wrong_hits <= self.max_error * order.requests for order in self.orders)


def evaluate_stream(
    texts: Sequence[str],
    classes: Sequence[str | None],
    *,
    embedder: Embedder,
    max_error: float,
    orders: int = 20,
    hide_answers: bool = False,
    requests: int | None = None,
    redraw: int | None = None,
    serve_contradictions: bool = True,
) -> StreamEvaluation:
    """Serves the texts from an empty cache, once for each seed from 0 to `orders` - 1.

    Args:
        texts: The requests, in any order.
        classes: The class of each: an answer may be reused within a class. None: its own class.
        embedder: Embeds the texts.
        max_error: Wrong hits that are tolerable, as a share of all requests.
        orders: How many shuffles.
        hide_answers: Keep the neighbours' stored answers out of the features.
        requests: Serve only so many of each order.
        redraw: After so many requests every class means something else: no answer stored before is right
            any more.
        serve_contradictions: As of `Semantic`.

    Raises:
        ConfigError: for a setting out of range, or texts and classes that are not as many.
    """
    if len(texts) != len(classes) or not texts:
        raise ConfigError(
            f"{len(texts)} texts with {len(classes)} classes: one class a text, and one text at least"
        )
    if orders < 1 or min(requests or 1, redraw or 1) < 1 or 0 in (requests, redraw):
        raise ConfigError(
            f"orders, requests and redraw must be at least 1, got {orders}, {requests} and {redraw}"
        )
    served = min(requests or len(texts), len(texts))
    vectors = embedder.embed(texts)
    numbers = _numbers(classes)
    stream = _core.SemanticStream(list(texts), numbers, vectors, vectors.shape[1])

    def run(seed: int) -> Order:
        (hits, wrong, audits, drifts), trace, curve, calibration = stream.replay(
            seed,
            requests=served,
            max_error=max_error,
            hide_answers=hide_answers,
            redraw=redraw,
            serve_contradictions=serve_contradictions,
        )
        best, threshold = stream.hindsight(seed, requests=served, max_error=max_error, redraw=redraw)
        told = tuple(
            Told(asked, hit, bad, Interval(*rate), Interval(*recent), truth)
            for asked, hit, bad, rate, recent, truth in curve
        )
        return Order(
            seed,
            served,
            hits,
            wrong,
            audits,
            served,
            best,
            threshold,
            tuple(trace),
            drifts,
            after_drift(trace, numbers, redraw) if redraw else None,
            told,
            tuple(calibration),
        )

    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        found = tuple(pool.map(run, range(orders)))
    return StreamEvaluation(max_error, hide_answers, embedder.name, found, not serve_contradictions)


def _numbers(classes: Sequence[str | None]) -> memoryview:
    """Classes as int64: one number a class, and a number of its own where there is none."""
    known: dict[object, int] = {}
    numbers = [
        known.setdefault((place,) if name is None else name, len(known)) for place, name in enumerate(classes)
    ]
    return memoryview(array("q", numbers))
