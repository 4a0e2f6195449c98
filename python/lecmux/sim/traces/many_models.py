"""A long tail of queries and a ladder of models, each dearer and better than the one before.

Not in the paper, whose algorithm is stated for any number of models and tried with two (arXiv 2306.02003).
A model's price is 1, 3, 10 or 30 times the query's length. A query has a difficulty and a model a skill; the
difference decides by a logistic law how often it fails, and a failure costs twice the dearest call.
"""

from lecmux.sim.traces._numpy import Bools, Floats, Ints, np
from lecmux.sim.traces.trace import Trace
from lecmux.sim.traces.zipf import zipf_law

__all__ = ["many_models"]

_PRICES = (1.0, 3.0, 10.0, 30.0)
_SKILLS = (0.0, 1.0, 2.2, 4.0)
_PENALTY = 2 * _PRICES[-1]
_STEEPNESS = 2.0
_DIFFICULTY = (1.0, 1.5)
_LABELLED = 2000
_BINS = 12


def many_models(seed: int, *, queries: int, requests: int, zipf: float, noise: float = 1.0) -> Trace:
    """Four models, Bernoulli failures, and a multiplexer that was calibrated on 2,000 labelled questions.

    The trace's `prior` is what the multiplexer expects: it sees a noisy score of a query's difficulty and has
    learnt how often each model failed in each of 12 quantiles of that score. Its questions are drawn
    independently of the stream's.

    Args:
        seed: of the stream.
        queries: Q; 2,000 and 20,000 in the experiments.
        requests: T; 20,000 and 40,000.
        zipf: exponent; 1.0 and 0.8.
        noise: tau, deviation of the multiplexer's score around the difficulty; 0.5 and 1.5.
    """
    draws = np.random.default_rng(seed)
    # The order of draws is part of the law: a seed is a stream.
    popularity = zipf_law(queries, zipf)[draws.permutation(queries)]
    prices = np.array(_PRICES)
    difficulty, length = draws.normal(*_DIFFICULTY, queries), draws.lognormal(0, 0.4, queries)
    failing = _failing(difficulty)
    ids, luck = draws.choice(queries, requests, p=popularity), draws.random(requests)
    costs = prices * length[ids][:, None] * draws.lognormal(-0.02, 0.2, requests)[:, None]
    failed: Bools = luck[:, None] < failing[ids]
    costs = costs + failed * _PENALTY * length[ids][:, None]
    means = prices * length[:, None] + failing * _PENALTY * length[:, None]
    edges, rate = _calibrate(draws, noise)
    mine = np.digitize(difficulty + draws.normal(0, noise, queries), edges)
    prior = prices * length[:, None] + rate[mine] * _PENALTY * length[:, None]
    return Trace(
        ids.astype(np.int64), costs, success=~failed, means=means, popularity=popularity, prior=prior
    )


def _failing(difficulty: Floats) -> Floats:
    """How often each model fails, (queries, 4)."""
    failing: Floats = 1 / (1 + np.exp(-(difficulty[:, None] - np.array(_SKILLS)) * _STEEPNESS))
    return failing


def _calibrate(draws: np.random.Generator, noise: float) -> tuple[Floats, Floats]:
    """Edges of the score's quantiles, (bins - 1,), and how often each model failed in each, (bins, 4)."""
    seen = draws.normal(*_DIFFICULTY, _LABELLED)
    score = seen + draws.normal(0, noise, _LABELLED)
    failed: Bools = draws.random(_LABELLED)[:, None] < _failing(seen)
    edges: Floats = np.quantile(score, np.linspace(0, 1, _BINS + 1)[1:-1])
    bins: Ints = np.digitize(score, edges).astype(np.int64)
    return edges, np.array([failed[bins == place].mean(0) for place in range(_BINS)])
