"""Replays costs that are mostly noise, with and without `least_share`.

`python examples/noisy_costs.py [SEEDS]`
"""

import random
import sys
from math import sqrt
from statistics import mean, stdev
from typing import Any

from lecmux import Lfu, ValueOfInformation
from lecmux.sim import simulate

REQUESTS, QUERIES, FAILURE = 20_000, 2_000, 20.0
ROOM = (0.05, 0.25, 0.6)
RULES: dict[str, dict[str, Any]] = {
    "default": {},
    "least_share=0": {"estimator": ValueOfInformation(least_share=0.0)},
    "LFU": {"evict": Lfu()},
}


def stream(seed: int, models: int) -> tuple[list[int], list[list[float]]]:
    """Zipf 0.9; a query fails with a probability of its own, with a dearer model less often."""
    draw = random.Random(seed)
    wrong = [draw.random() for _ in range(QUERIES)]
    length = [draw.lognormvariate(0, 0.5) for _ in range(QUERIES)]
    queries = draw.choices(range(QUERIES), [1 / (rank + 1) ** 0.9 for rank in range(QUERIES)], k=REQUESTS)
    costs = [
        [
            length[query] * price + FAILURE * (draw.random() < wrong[query] ** (1 + 2 * model))
            for model, price in enumerate((1, 3, 10, 30)[:models])
        ]
        for query in queries
    ]
    return queries, costs


def cell(values: list[float]) -> str:
    """The mean and its standard error."""
    return f"{mean(values):.3f} ±{stdev(values) / sqrt(len(values)):.3f}"


seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
print(f"cost as a multiple of that of least_share=0, {seeds} streams\n")
print(f"{'models':>6} {'room':>6}  {'default':>14} {'LFU':>14}")
for models in (1, 2, 4):
    paid: dict[tuple[float, str], list[float]] = {(room, rule): [] for room in ROOM for rule in RULES}
    for seed in range(seeds):
        queries, costs = stream(seed, models)
        for (room, rule), totals in paid.items():
            run = simulate(queries, costs, capacity=int(room * QUERIES), **RULES[rule])
            totals.append(run.total_cost)
    for room in ROOM:
        bound_alone = paid[room, "least_share=0"]
        ratios = (
            cell([one / alone for one, alone in zip(paid[room, rule], bound_alone, strict=True)])
            for rule in ("default", "LFU")
        )
        print(f"{models:>6} {room:>6.0%}  " + " ".join(f"{ratio:>14}" for ratio in ratios))
