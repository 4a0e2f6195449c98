"""Typed settings of the policies: what is stored, what leaves, how costs are estimated."""

from lecmux.policies.admit import ended_normally
from lecmux.policies.estimate import (
    EmpiricalBernstein,
    Estimator,
    Hoeffding,
    PlugIn,
    PooledVariance,
    SqrtBonus,
    ValueOfInformation,
)
from lecmux.policies.evict import Eviction, Gdsf, HalfLife, Lec, Lfu, Lru, S3Fifo, SelfTuned

__all__ = [
    "EmpiricalBernstein",
    "Estimator",
    "Eviction",
    "Gdsf",
    "HalfLife",
    "Hoeffding",
    "Lec",
    "Lfu",
    "Lru",
    "PlugIn",
    "PooledVariance",
    "S3Fifo",
    "SelfTuned",
    "SqrtBonus",
    "ValueOfInformation",
    "ended_normally",
]
