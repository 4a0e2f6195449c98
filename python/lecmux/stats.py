"""What a cache has done so far, as one frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass

from lecmux import _tables
from lecmux.costs.ledger import NANO, Account
from lecmux.errors import PriceError
from lecmux.query import Unit

__all__ = ["SemanticStats", "Stats"]


_AS_COUNTED = (
    "hits",
    "misses",
    "entries",
    "capacity_bytes",
    "stored",
    "bypassed",
    "too_large",
    "evicted",
    "expired",
    "saved_nano",
    "history_bytes",
    "structure_bytes",
    "failed_shards",
)


@dataclass(frozen=True, slots=True)
class SemanticStats:
    """What the semantic stage has done.

    Attributes:
        requests: that came to the stage, after the exact one found nothing.
        hits: of them served by the answer to another question.
        audits: hits that a model answered all the same, to see whether they were right.
        wrong_audits: of them wrong.
        labels: answers that taught something, those of audits among them.
        quarantined: hits refused because of `report_wrong`.
        contradictions: hits refused because the two questions contradict each other; 0 unless
            `Semantic(serve_contradictions=False)`.
        entries: that can answer for others now.
        waiting: behind a gate (`lecmux.embedders.Gated`), until something comes near them.
        partitions: parts that share nothing: a scope, a fingerprint and a context each.
        index_bytes: memory of vectors and tables; each entry is charged for its part of `bytes_used`.
        evidence_bytes: memory of what was learnt, taken from `capacity_bytes` ahead.
        embedded: texts that were embedded.
        embed_seconds: that took.
        skipped: requests that were not worth an embedding, or came while the stage rested.
        turned_away: requests that the gate found nothing near to.
        failures: embeddings that failed, were of no use or came too late, and requests that went on without.
    """

    requests: int
    hits: int
    audits: int
    wrong_audits: int
    labels: int
    quarantined: int
    contradictions: int
    entries: int
    waiting: int
    partitions: int
    index_bytes: int
    evidence_bytes: int
    embedded: int
    embed_seconds: float
    skipped: int
    turned_away: int
    failures: int

    @property
    def hit_rate(self) -> float:
        """Hits a request that came to the stage; 0.0 before the first."""
        return self.hits / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters since the cache was made, and what `answer` spent and saved.

    Attributes:
        hits: lookups that found an entry.
        misses: lookups that found none.
        entries: entries held now.
        bytes_used: counted bytes of keys, values, metadata and index; never above `capacity_bytes`.
        capacity_bytes: the budget.
        stored: puts that stored.
        bypassed: puts whose entry was worth less than what it would have replaced.
        too_large: puts of an entry larger than the budget.
        evicted: entries that left to make room.
        expired: entries that outlived their time.
        saved_nano: lower bound of what all hits saved, plain `get`s included, in billionths of `unit`.
        history_bytes: memory of the counts of keys that are not held.
        structure_bytes: memory of index, metadata and order, keys and values aside.
        half_life_requests: how fast counts fade now; infinite where they do not.
        failed_shards: parts of the cache that met a defect and are bypassed.
        incidents: troubles that were contained: hooks that failed, stages that were skipped.
        unit: the unit of costs; None before the first cost is known.
        usd: the account in nano-dollars; read it through the properties.
        seconds: the account in nanoseconds of model time.
        semantic: what the semantic stage has done; None without one.
    """

    hits: int
    misses: int
    entries: int
    bytes_used: int
    capacity_bytes: int
    stored: int
    bypassed: int
    too_large: int
    evicted: int
    expired: int
    saved_nano: int
    history_bytes: int
    structure_bytes: int
    half_life_requests: float
    failed_shards: int
    incidents: int
    unit: Unit | None
    usd: Account
    seconds: Account
    semantic: SemanticStats | None = None

    @classmethod
    def gather(
        cls,
        counters: Mapping[str, float],
        *,
        incidents: int,
        unit: Unit | None,
        usd: Account,
        seconds: Account,
        semantic: SemanticStats | None = None,
    ) -> "Stats":
        """Joins the core's counters with those of the pipeline."""
        whole = {name: int(counters[name]) for name in _AS_COUNTED}
        return cls(
            **whole,
            bytes_used=int(counters["used_bytes"]),
            half_life_requests=counters["half_life_requests"],
            incidents=incidents + int(counters["incidents"]),
            unit=unit,
            usd=usd,
            seconds=seconds,
            semantic=semantic,
        )

    @property
    def requests(self) -> int:
        """Lookups, hit or miss."""
        return self.hits + self.misses

    @property
    def hit_rate(self) -> float:
        """Share of the lookups that found an entry; 0.0 before the first."""
        return self.hits / self.requests if self.requests else 0.0

    @property
    def spent_usd(self) -> float:
        """Dollars paid for model calls. Raises PriceError where costs are seconds."""
        return self._dollars().spent / NANO

    @property
    def saved_by_hits_usd(self) -> float:
        """What the served answers had cost. Raises PriceError where costs are seconds."""
        return self._dollars().saved_by_hits / NANO

    @property
    def saved_by_routing_usd(self) -> float:
        """Against always asking the router's baseline. Raises PriceError where costs are seconds."""
        return self._dollars().saved_by_routing / NANO

    @property
    def would_save_usd(self) -> float:
        """What requests in shadow could have saved. Raises PriceError where costs are seconds."""
        account = self._dollars()
        return (account.would_save_by_hits + account.would_save_by_routing) / NANO

    @property
    def price_of_errors_usd(self) -> float:
        """Price of the answers known to be wrong. Raises PriceError where costs are seconds."""
        return self._dollars().price_of_errors / NANO

    @property
    def spent_seconds(self) -> float:
        """Model time paid for."""
        return self.seconds.spent / NANO

    @property
    def saved_by_hits_seconds(self) -> float:
        """Model time that the served answers had taken."""
        return self.seconds.saved_by_hits / NANO

    @property
    def saved_by_routing_seconds(self) -> float:
        """Against always asking the router's baseline; 0.0 where costs are dollars."""
        return self.seconds.saved_by_routing / NANO

    @property
    def would_save_seconds(self) -> float:
        """What requests in shadow could have saved; 0.0 where costs are dollars."""
        return (self.seconds.would_save_by_hits + self.seconds.would_save_by_routing) / NANO

    @property
    def price_of_errors_seconds(self) -> float:
        """Price of the answers known to be wrong; 0.0 where costs are dollars."""
        return self.seconds.price_of_errors / NANO

    def __str__(self) -> str:
        """As a table; `report()` of the cache says more of the money."""
        rows = [
            ("requests", f"{self.requests:,}: {self.hits:,} hits, {self.misses:,} misses"),
            ("hit rate", _tables.share(self.hits, self.requests)),
            ("entries", f"{self.entries:,}"),
            ("bytes", f"{self.bytes_used:,} of {self.capacity_bytes:,}"),
            ("stored", f"{self.stored:,}"),
            ("not stored", f"{self.bypassed:,} worth too little, {self.too_large:,} too large"),
            ("left", f"{self.evicted:,} evicted, {self.expired:,} expired"),
            ("incidents", f"{self.incidents:,}"),
        ]
        if self.semantic:
            rows.insert(2, ("hits by meaning", f"{self.semantic.hits:,} of {self.semantic.requests:,} asked"))
            rows.insert(3, ("audited", f"{self.semantic.audits:,}, {self.semantic.wrong_audits:,} wrong"))
        accounts: dict[Unit, Account] = {"usd": self.usd, "seconds": self.seconds}
        for unit, account in accounts.items():
            rows += [(name, _tables.amount(nano, unit)) for name, nano in account.amounts().items() if nano]
        return _tables.table(rows)

    def _dollars(self) -> Account:
        if self.unit == "seconds":
            raise PriceError("costs are counted in seconds here: give every model a Price to have dollars")
        return self.usd
