"""One learned decision per request: serve a stored answer, ask the small model, or ask the large one.

The path of a request is `lecmux.flow`. Importing this package loads no framework and no model.
"""

from lecmux.cache import AsyncCache, Cache
from lecmux.costs.prices import Price
from lecmux.errors import LecmuxError
from lecmux.hooks import Hooks, Threaded
from lecmux.policies.estimate import (
    EmpiricalBernstein,
    Hoeffding,
    PooledVariance,
    SqrtBonus,
    ValueOfInformation,
)
from lecmux.policies.evict import Gdsf, HalfLife, Lec, Lfu, Lru, S3Fifo, SelfTuned
from lecmux.policies.scored import Scored
from lecmux.policies.semantic import Semantic
from lecmux.query import Answer, Decision, Query, Reply, Usage
from lecmux.routers.cascade import Cascade
from lecmux.routers.router import Router
from lecmux.stats import Stats
from lecmux.vector_index import VectorIndex

__all__ = [
    "Answer",
    "AsyncCache",
    "Cache",
    "Cascade",
    "Decision",
    "EmpiricalBernstein",
    "Gdsf",
    "HalfLife",
    "Hoeffding",
    "Hooks",
    "Lec",
    "LecmuxError",
    "Lfu",
    "Lru",
    "PooledVariance",
    "Price",
    "Query",
    "Reply",
    "Router",
    "S3Fifo",
    "Scored",
    "SelfTuned",
    "Semantic",
    "SqrtBonus",
    "Stats",
    "Threaded",
    "Usage",
    "ValueOfInformation",
    "VectorIndex",
]
