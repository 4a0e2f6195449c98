"""The synthetic law of the published tables, bit for bit.

Draws of one legacy RandomState(seed), in this order: for each query a fair coin for model 1, then one for
model 2 (mean cost = ratio x coin + 1); for each request power(alpha), query = floor(queries x); for each
request a pair of standard normals, cost = max(0.1, mean + normal).
"""

import numpy as np
import numpy.typing as npt


def gen(
    seed: int, alpha: float, ratio: float, requests: int = 10_000, queries: int = 20
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Queries (requests,), costs (requests, 2) and mean costs (queries, 2)."""
    draw = np.random.RandomState(seed)
    means = np.stack([draw.binomial(1, 0.5, queries) * ratio + 1.0 for _ in range(2)], 1)
    asked = (draw.power(alpha, requests) * queries).astype(int)
    return asked, np.maximum(0.1, means[asked] + draw.normal(0, 1, (requests, 2))), means
