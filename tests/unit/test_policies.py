"""Settings check themselves, describe themselves to the core, and come back from a description."""

from collections.abc import Callable
from typing import Any

import pytest

from lecmux import (
    Cache,
    EmpiricalBernstein,
    Gdsf,
    HalfLife,
    Hoeffding,
    Lec,
    Lfu,
    Lru,
    PooledVariance,
    S3Fifo,
    Scored,
    SqrtBonus,
    ValueOfInformation,
)
from lecmux.errors import ConfigError
from lecmux.policies import Estimator, Eviction, PlugIn, ended_normally
from lecmux.policies.estimate import estimator_from_spec
from lecmux.policies.evict import eviction_from_spec

EVICTIONS: list[Eviction] = [
    Lec(),
    Lec(decay=None, rescore=True, bypass=False),
    Lec(decay=HalfLife(500)),
    Gdsf(keep_counts=False, bypass=True),
    Lfu(bypass=False),
    Lru(),
    S3Fifo(small_share=0.2),
    Scored(lambda entry: entry.count),
]
ESTIMATORS: list[Estimator] = [
    ValueOfInformation(),
    ValueOfInformation(z=1.0, s0=0.5, forecast=0.5),
    PooledVariance(),
    Hoeffding(delta=0.1, horizon=10, queries=5),
    EmpiricalBernstein(),
    SqrtBonus(queries=20),
    PlugIn(),
]


@pytest.mark.parametrize("evict", EVICTIONS, ids=repr)
def test_a_cache_works_under_every_eviction_policy(evict: Eviction) -> None:
    cache = Cache(20_000, evict=evict)
    for number in range(500):
        key = f"key {number % 90}"
        if cache.get(key) is None:
            cache.put(key, "v" * 200, cost_usd=1 + number % 3)

    cache.check()
    assert 0 < len(cache) < 90
    kept = Lec(decay=None) if isinstance(evict, Scored) else evict  # a description holds no function
    assert eviction_from_spec(evict._spec()) == kept


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_a_cache_works_under_every_estimator(estimator: Estimator) -> None:
    cache = Cache(20_000, estimator=estimator)
    for number in range(500):
        cache.put(f"key {number % 90}", "v" * 200, cost_usd=1 + number % 3)

    cache.check()
    assert len(cache) > 0
    assert estimator_from_spec(estimator._spec()) == estimator


@pytest.mark.parametrize(
    "make",
    [
        lambda: HalfLife(0),
        lambda: HalfLife(float("nan")),
        lambda: S3Fifo(small_share=0),
        lambda: S3Fifo(small_share=1),
        lambda: ValueOfInformation(z=-1),
        lambda: ValueOfInformation(forecast=0),
        lambda: ValueOfInformation(least_share=1.5),
        lambda: PooledVariance(s0=0),
        lambda: Hoeffding(delta=1),
        lambda: EmpiricalBernstein(horizon=0),
        lambda: SqrtBonus(queries=0),
        lambda: SqrtBonus(queries=True),
    ],
)
def test_settings_that_cannot_work_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize("spec", [{}, {"policy": "fifo"}, {"policy": "lfu", "speed": 9}, {"policy": "lec"}])
def test_a_description_from_another_version_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        eviction_from_spec(spec)
    with pytest.raises(ConfigError):
        estimator_from_spec(spec)


@pytest.mark.parametrize("reason", [None, "stop", "STOP", "end_turn", "tool_calls", "eos"])
def test_normal_ends_are_admitted(reason: str | None) -> None:
    assert ended_normally(reason)


@pytest.mark.parametrize(
    "reason", ["length", "max_tokens", "content_filter", "SAFETY", "error", "refusal", ""]
)
def test_truncated_refused_and_failed_answers_are_not(reason: str) -> None:
    assert not ended_normally(reason)
