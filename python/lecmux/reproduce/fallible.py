"""What a selector's mistakes cost, and what memory saves of it.

The paper's selector throws a coin at each miss and knows that request's own noise where it is right. A real
one looks at the query: it makes the same mistake at each request. Either way the paper's rule never learns
that it was wrong, and ranks the cache as if it were right.
"""

from typing import Any

from lecmux.reproduce.offline import coined, missed, serve
from lecmux.reproduce.paper_setting import Setting, Totals, guesses
from lecmux.reproduce.published import Published
from lecmux.reproduce.rule import COUNTED_FOR_EVER
from lecmux.sim import ByCost, Guess, SimResult, optimum, simulate
from lecmux.sim.traces import Trace
from lecmux.sim.traces._numpy import Models, np

__all__ = ["TREATMENTS", "fallible_totals"]

TREATMENTS = {
    "coin": "a coin a miss: the paper's rule",
    "coin, ranked by what is paid": "the same, ranked by accuracy x least + (1 - accuracy) x greatest",
    "coin, memory": "the same coins as a first guess, which memory overrules",
    "word": "one word a query: the paper's rule",
    "word, ranked by what is paid": "the same, ranked by what the word costs",
    "word, memory": "one word a query as a first guess, which memory overrules (ours)",
}
"""How a fallible selector is dealt with, all with a set held from the start."""


def fallible_totals(setting: Setting, row: Published, seed: int) -> Totals:
    """Total costs of the stream of `seed` under each treatment."""
    trace, capacity = setting.law(seed, row), setting.capacity
    paper, aware = (serve(trace, capacity, ByCost(accuracy)) for accuracy in (1.0, row.accuracy))
    word = guesses(trace, row.accuracy, seed)
    worded: Any = trace.costs[np.arange(trace.requests), word[trace.queries]]
    queries: Any = trace.queries
    return {
        "coin": coined(trace, missed(paper), row.accuracy, seed),
        "coin, ranked by what is paid": coined(trace, missed(aware), row.accuracy, seed),
        "coin, memory": _remembered(setting, trace, paper, _tossed(trace, row, seed), per_request=True),
        "word": float(worded[missed(paper)].sum()),
        "word, ranked by what is paid": optimum(queries, worded, capacity),
        "word, memory": _remembered(setting, trace, paper, word),
    }


def _tossed(trace: Trace, row: Published, seed: int) -> Models:
    """The query's cheaper model where the request's coin is right, int8 (T,)."""
    assert trace.means is not None
    coins = np.random.RandomState(seed).uniform(0, 1, trace.requests) < row.accuracy
    best, worst = trace.means.argmin(axis=1), trace.means.argmax(axis=1)
    word: Models = np.where(coins, best[trace.queries], worst[trace.queries]).astype(np.int8)
    return word


def _remembered(
    setting: Setting, trace: Trace, paper: SimResult, first: Models, *, per_request: bool = False
) -> float:
    """Ours, from the paper's set and the selector's first guesses."""
    arrays: dict[str, Any] = {"queries": trace.queries, "costs": trace.costs, "resident": paper.resident}
    models: Any = first
    run = simulate(
        **arrays,
        capacity=setting.capacity,
        evict=COUNTED_FOR_EVER,
        estimator=setting.estimator,
        cost_floor=setting.cost_floor,
        multiplexer=Guess(models, per_request=per_request),
    )
    return run.total_cost
