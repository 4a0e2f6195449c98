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
from lecmux.policies.scored import EntryView, Scored
from lecmux.policies.semantic import Semantic

__all__ = [
    "EmpiricalBernstein",
    "EntryView",
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
    "Scored",
    "SelfTuned",
    "Semantic",
    "SqrtBonus",
    "ValueOfInformation",
    "ended_normally",
]
