"""Clean generator of the synthetic law used by the published tables.
Order of draws from one legacy RandomState(seed): N Bernoulli(.5) for model 1, N for model 2 (mean = ratio*b+1),
T power(alpha) variates (query = floor(N*x)), then T pairs of standard normals; cost = max(.1, mean + z)."""
import numpy as np
def gen(seed, alpha, ratio, T=10000, N=20):
    r = np.random.RandomState(seed)
    mu = np.stack([r.binomial(1, .5, N) * ratio + 1. for _ in range(2)], 1)
    q = (r.power(alpha, T) * N).astype(int)
    return q, np.maximum(.1, mu[q] + r.normal(0, 1, (T, 2))), mu
