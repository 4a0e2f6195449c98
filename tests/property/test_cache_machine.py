"""Random operations against a dict that knows what a cache may and may not do.

A cache may drop entries when something is put, and only then. It may never serve what was not stored, or was
replaced, deleted, cleared, or is out of time. It never exceeds its budget, and its own invariants hold after
every step.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lecmux import Cache, Gdsf, HalfLife, Lec, Lfu, Lru, S3Fifo, Scored
from lecmux.testing import FakeClock

KEYS = st.sampled_from([f"key {number}" for number in range(4)] + ["", "ключ", "k" * 900])
SCOPES = st.sampled_from(["", "a"])
PRINTS = st.sampled_from(["", "f"])
NAMES = st.tuples(KEYS, SCOPES, PRINTS)
SMALL = (
    st.text(st.characters(codec=None), max_size=30) | st.binary(max_size=60) | st.integers() | st.booleans()
)
VALUES = SMALL | st.lists(SMALL.filter(lambda value: type(value) is not bytes), max_size=4)
LONG = st.integers(0, 6000).map(lambda size: "x" * size)
COSTS = st.none() | st.floats(0, 1e9)
SHORT_FIRST = Scored(lambda entry: None if len(entry.key.text) == 1 else -entry.size_bytes)
POLICIES = st.sampled_from(
    [
        Lec(),
        Lec(decay=None, rescore=True),
        Lec(decay=HalfLife(20)),
        Gdsf(),
        Lfu(),
        Lru(),
        S3Fifo(),
        SHORT_FIRST,
    ]
)
Name = tuple[str, str, str]
MARGIN_SECONDS = 0.002  # times are kept in whole milliseconds
OPERATIONS = 100_000
EXAMPLES, STEPS = 1100, 100


@dataclass
class Known:
    """What the model dict holds: the value, and until when."""

    value: Any
    until: float


class CacheMachine(RuleBasedStateMachine):
    """One cache, one dict, one clock."""

    operations = 0

    @initialize(
        evict=POLICIES,
        capacity=st.integers(300, 12_000),
        share=st.sampled_from([1.0, 0.4]),
        ttl=st.sampled_from([None, 50.0]),
    )
    def begin(self, evict: Any, capacity: int, share: float, ttl: float | None) -> None:
        self.clock = FakeClock(1000.0)
        self.make = lambda: Cache(
            capacity, evict=evict, clock=self.clock, tenant_share=share, default_ttl_seconds=ttl
        )
        self.cache = self.make()
        self.ttl = ttl
        self.known: dict[Name, Known] = {}
        self.requests = self.hits = 0
        self.resident: set[Name] = set()
        self.may_evict = False

    def _expect(self, name: Name, value: Any) -> None:
        """`value` was served for `name`: it must be the one that was stored last, and in time."""
        if value is None:
            return
        known = self.known[name]
        assert self.clock() < known.until
        assert value == known.value
        assert type(value) is type(known.value)

    @rule(name=NAMES, value=VALUES | LONG, cost=COSTS, ttl=st.none() | st.floats(1, 100))
    def put(self, name: Name, value: Any, cost: float | None, ttl: float | None) -> None:
        key, scope, fingerprint = name
        stored = self.cache.put(
            key, value, cost_usd=cost, ttl_seconds=ttl, scope=scope, fingerprint=fingerprint
        )
        self.may_evict = True
        self.known.pop(name, None)
        if stored:
            lifetime = self.ttl if ttl is None else ttl
            until = float("inf") if lifetime is None else self.clock() + lifetime + MARGIN_SECONDS
            self.known[name] = Known(value, until)
        assert self._there(name) == stored

    @rule(key=KEYS, scope=SCOPES, fingerprint=PRINTS)
    def get(self, key: str, scope: str, fingerprint: str) -> None:
        value = self.cache.get(key, scope=scope, fingerprint=fingerprint)
        self._expect((key, scope, fingerprint), value)
        self.requests += 1
        self.hits += value is not None

    @rule(keys=st.lists(KEYS, max_size=4), scope=SCOPES)
    def get_many(self, keys: list[str], scope: str) -> None:
        values = self.cache.get_many(keys, scope=scope)
        assert len(values) == len(keys)
        for key, value in zip(keys, values, strict=True):
            self._expect((key, scope, ""), value)
            self.requests += 1
            self.hits += value is not None

    @rule(key=KEYS, scope=SCOPES, seconds=st.floats(0, 40))
    def get_later(self, key: str, scope: str, seconds: float) -> None:
        self.clock.advance(seconds)
        self.get(key, scope, "")

    @rule(key=KEYS, scope=SCOPES, worth=st.floats(0, 1e6), hit_cost=st.floats(0, 1e6))
    def revalue(self, key: str, scope: str, worth: float, hit_cost: float) -> None:
        there = self.cache.peek(key, scope=scope) is not None
        revalued = self.cache.revalue(key, worth=worth, hit_cost=hit_cost, scope=scope)
        assert revalued >= there

    @rule(key=KEYS, scope=SCOPES, fingerprint=PRINTS)
    def delete(self, key: str, scope: str, fingerprint: str) -> None:
        self.cache.delete(key, scope=scope, fingerprint=fingerprint)
        self.known.pop((key, scope, fingerprint), None)
        assert self.cache.peek(key, scope=scope, fingerprint=fingerprint) is None

    @rule(key=KEYS, scope=SCOPES)
    def forget(self, key: str, scope: str) -> None:
        if hit := self.cache.peek(key, scope=scope):
            assert self.cache.forget(hit.hit_id)
            self.known.pop((key, scope, ""))
            assert self.cache.peek(key, scope=scope) is None

    @precondition(lambda self: len(self.cache) > 3)
    @rule(scope=st.none() | SCOPES)
    def clear(self, scope: str | None) -> None:
        before = len(self.cache)
        removed = self.cache.clear(scope)
        assert len(self.cache) == before - removed
        self.known = {name: known for name, known in self.known.items() if scope not in {None, name[1]}}

    @precondition(lambda self: len(self.cache) > 3)
    @rule()
    def restart(self) -> None:
        """Through bytes into a fresh cache of the same settings, which may hold less but nothing else."""
        fresh = self.make()
        fresh.restore(self.cache.to_bytes("about"))
        self.cache, self.requests, self.hits = fresh, 0, 0
        self.may_evict = True

    @invariant()
    def holds_what_it_promises(self) -> None:
        if not hasattr(self, "cache"):
            return
        CacheMachine.operations += 1
        self.cache.check()
        stats = self.cache.stats()
        assert stats.bytes_used <= stats.capacity_bytes
        assert stats.entries == len(self.cache)
        assert (stats.hits, stats.requests) == (self.hits, self.requests)
        before, self.resident = self.resident, {name for name in self.known if self._there(name)}
        assert all(self.clock() < self.known[name].until for name in self.resident)
        if self.may_evict:
            self.may_evict = False
            return
        vanished = {name for name in before - self.resident if name in self.known}
        assert all(self.known[name].until - MARGIN_SECONDS <= self.clock() for name in vanished)

    def _there(self, name: Name) -> bool:
        key, scope, fingerprint = name
        return self.cache.peek(key, scope=scope, fingerprint=fingerprint) is not None


def test_the_cache_keeps_its_promises_over_many_operations() -> None:
    CacheMachine.operations = 0

    run_state_machine_as_test(
        CacheMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert CacheMachine.operations >= OPERATIONS
