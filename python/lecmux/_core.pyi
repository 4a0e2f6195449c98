"""Types of the compiled module."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, final

@final
class Encoded:
    """Bytes that stand for an object; `Store._decode` turns them into it."""

    def __new__(cls, data: bytes) -> Self: ...
    @property
    def data(self) -> bytes: ...

@final
class Hit:
    """An entry found. Costs are in the cache's unit; `count` is the decayed count of requests."""

    @property
    def value(self) -> Any: ...
    @property
    def hit_id(self) -> str: ...
    @property
    def count(self) -> float: ...
    @property
    def miss_cost(self) -> float: ...
    @property
    def hit_cost(self) -> float: ...
    @property
    def size_bytes(self) -> int: ...

class Store:
    """The exact store. `lecmux.Cache` adds Python's part, such as `_score` for the policy "given"."""

    def __new__(
        cls,
        capacity_bytes: int,
        *,
        evict: dict[str, Any],
        estimator: dict[str, Any],
        default_ttl_seconds: float | None = None,
        clock: Callable[[], float] | None = None,
        seed: int = 0,
        tenant_share: float = 1.0,
        shards: int | None = None,
        cost_floor: float = 0.0,
        cost_ceiling: float | None = None,
        semantic: dict[str, Any] | None = None,
    ) -> Self: ...
    def get(self, key: str, *, scope: str = "", fingerprint: str = "") -> Any:
        """The value, or None; counts the request."""
    def get_many(self, keys: Sequence[str], *, scope: str = "", fingerprint: str = "") -> list[Any]:
        """As `get` for each key, with the interpreter released."""
    def lookup(self, key: str, *, scope: str = "", fingerprint: str = "") -> Hit | None:
        """The entry with what is known of it, or None; counts the request."""
    def peek(self, key: str, *, scope: str = "", fingerprint: str = "") -> Hit | None:
        """As `lookup`, uncounted."""
    def put(
        self,
        key: str,
        value: object,
        *,
        cost_usd: float | None = None,
        ttl_seconds: float | None = None,
        scope: str = "",
        fingerprint: str = "",
    ) -> bool:
        """Stores `value` where that pays.

        Args:
            key: the exact text it is found under.
            value: str, bytes, or a JSON-able object.
            cost_usd: what making it anew would cost; None takes the running mean.
            ttl_seconds: time to live; None takes `default_ttl_seconds`.
            scope: the tenant.
            fingerprint: what else changes the value.

        Returns:
            False when it was not stored: what is there is worth more, or it is larger than the budget.

        Raises:
            ValueTypeError: for a key or value that cannot be stored, such as None.
            CostError: for a cost that is NaN, negative or infinite.
            ConfigError: for a time to live that is not above 0.
            PriceError: for dollars, where this cache counts seconds.
        """
    def _put_plainly(self) -> None:
        """Lets `put` store str in ASCII and bytes by itself; for the rest it calls `_put`."""
    def put_value(
        self,
        key: str,
        value: str | bytes | Encoded,
        *,
        cost: float | None = None,
        ttl_seconds: float | None = None,
        scope: str = "",
        fingerprint: str = "",
        hit_cost: float = 0.0,
        worth: float | None = None,
        proposal: tuple[Proposal, int] | None = None,
    ) -> bool:
        """Stores where that pays; `worth` bounds the cost of a miss from outside, in place of `cost`.

        `proposal`, with a number that names the value, lets the entry answer for others.
        """
    def revalue(
        self, key: str, *, worth: float, hit_cost: float, scope: str = "", fingerprint: str = ""
    ) -> bool:
        """Gives an entry a new worth; False when it is not there."""
    def count(self, key: str, *, scope: str = "", fingerprint: str = "") -> float:
        """Decayed count of requests for a key, resident or not."""
    def would_evict(
        self,
        key: str,
        *,
        value_bytes: int,
        worth: float | None = None,
        given: float | None = None,
        scope: str = "",
        fingerprint: str = "",
    ) -> list[tuple[str, str, str]] | None:
        """What would leave for a new entry, as (text, scope, fingerprint); None: it would be declined."""
    def keys(self, *, scope: str = "", fingerprint: str = "") -> list[str]:
        """The keys of one scope and fingerprint, in no order; a look at every entry there is."""
    def delete(self, key: str, *, scope: str = "", fingerprint: str = "") -> bool:
        """Removes an entry; False when it is not there."""
    def forget(self, hit_id: str) -> bool:
        """Removes the entry that a hit named; False when it is gone."""
    def clear(self, scope: str | None = None) -> int:
        """Removes all entries, or those of one scope; returns how many."""
    def statistics(self) -> dict[str, int | float]:
        """Counters by name."""
    def check(self) -> None:
        """Raises InternalError unless every invariant holds."""
    def to_bytes(self, about: str, embedder: str = "") -> bytes:
        """The whole state in a checksummed envelope, with the text `about`."""
    def restore(self, sealed: bytes, embedder: str = "") -> tuple[int, bool]:
        """Takes over the entries of such an envelope.

        Returns:
            How many fitted, and whether the semantic part did: not where another embedder made it.
        """
    def __len__(self) -> int: ...

@final
class Proposal:
    """A request at the semantic stage: the entry that may answer it, and how it was judged."""

    @property
    def hit(self) -> Hit | None:
        """The candidate as it is stored."""
    @property
    def verdict(self) -> Literal["serve", "audit", "decline"]: ...
    @property
    def key(self) -> tuple[str, str, str] | None:
        """Text, scope and fingerprint of the candidate's key."""
    @property
    def text(self) -> str | None:
        """What likeness to the candidate went by."""
    @property
    def similarity(self) -> float | None: ...
    @property
    def risk(self) -> tuple[float, float] | None:
        """Probability of a wrong answer: cautious, and before calibration."""
    @property
    def threshold(self) -> float | None:
        """The risk up to which hits are served now."""
    @property
    def facet(self) -> str | None:
        """In which the two texts contradict each other."""
    @property
    def refused(self) -> str | None:
        """The facet of a contradiction because of which the candidate is declined, whatever its risk."""
    @property
    def quarantined(self) -> bool: ...
    @property
    def parts(self) -> list[tuple[str, float]]:
        """What each feature adds to the log-odds of a right answer, in a preview."""
    @property
    def neighbours(self) -> list[tuple[str, float]]:
        """The nearest entries, best first, in a preview: text and similarity."""
    def again(self, store: Store, key: str, *, scope: str = "", fingerprint: str = "") -> Proposal:
        """Looks once more, after waiting for another request."""
    def depart(self, store: Store, key: str, *, scope: str = "", fingerprint: str = "") -> int:
        """Notes that the answer is on its way under `key`; the number is for `arrive`."""
    @staticmethod
    def arrive(store: Store, number: int) -> None:
        """The answer that was on its way is there, or will not come."""
    def awaited(self, store: Store) -> tuple[str, str, str] | None:
        """The key of a request under way whose answer would be served here."""
    def learn(self, store: Store, right: bool) -> None:
        """Teaches whether the candidate's answer says what the model's does."""
    def report(self, store: Store) -> None:
        """Records that the candidate's answer was wrong for the request."""

def propose(
    store: Store,
    key: str,
    salient: str,
    vector: object,
    *,
    scope: str = "",
    fingerprint: str = "",
    context: str = "",
    how: Literal["use", "preview", "store"] = "use",
    quick: object = None,
) -> Proposal:
    """Looks for an entry that may answer `salient`, and judges it. `vector`: a buffer of float32.

    `how`: "use" looks and counts, "preview" looks without consequences, "store" prepares the answer's place.
    `quick`: the fast embedder's vector, by which the gate will know the entry.
    """

def knock(
    store: Store,
    quick: object,
    *,
    threshold: float,
    scope: str = "",
    fingerprint: str = "",
    context: str = "",
) -> list[tuple[int, str]] | None:
    """The entries near `quick` that have no slow vector yet, as (number, text); None: nothing is near."""

def turned_away(
    store: Store,
    salient: str,
    quick: object,
    *,
    asks: bool,
    scope: str = "",
    fingerprint: str = "",
    context: str = "",
) -> Proposal:
    """A request that nothing is near to; `asks` counts it."""

def answered(store: Store, scope: str) -> None:
    """Counts a request that was answered from the exact store: `max_error` is a share of all of them."""

def admit(store: Store, number: int, vector: object) -> None:
    """Gives the entry `number` of `knock` its slow vector, where it still waits and is still stored."""

def same_texts(first: str, second: str, one: object, other: object, *, bound: float) -> bool:
    """Whether two answers say the same, by their embeddings and facets."""

def semantic_statistics(store: Store) -> dict[str, int]:
    """Counters of the semantic stage by name."""

def semantic_ids(store: Store) -> list[str]:
    """Ids of the entries that the semantic stage holds, in no order."""

def held_entries(store: Store) -> list[tuple[tuple[str, str, str], str, object, float, int]]:
    """Every entry, expired ones too: (text, scope, fingerprint), hit id, value, cost of a miss, bytes."""

def erase_entry(store: Store, key: str, scope: str, fingerprint: str, value: object) -> bool:
    """Removes an entry where it still has this very `value`."""

@final
class Choice:
    """A model chosen, with the estimates behind it; lists go by the models' places."""

    @property
    def model(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def lower(self) -> list[float]: ...
    @property
    def mean(self) -> list[float | None]: ...
    @property
    def tries(self) -> list[int]: ...
    @property
    def prior(self) -> list[float] | None: ...
    @property
    def propensity(self) -> float: ...

@final
class Features:
    """One query as numbers."""

    def __new__(cls, values: Sequence[float]) -> Self: ...
    @staticmethod
    def of_text(text: str, buckets: int) -> Features:
        """Of a text, its words and runs of characters hashed into so many buckets."""
    def items(self) -> list[tuple[int, float]]:
        """`(place, value)` of all that is not 0."""
    def __len__(self) -> int: ...

@final
class Expected:
    """What each model is expected to cost, at a strength or with the mean squares of its errors."""

    def __new__(cls, means: Sequence[float], strength: float) -> Self: ...
    @property
    def means(self) -> list[float]: ...
    @property
    def look(self) -> int | None: ...
    @property
    def strength(self) -> float | None: ...
    @property
    def spread(self) -> list[float] | None: ...

@final
class Multiplexer:
    """Expected costs by features."""

    def __new__(
        cls, models: int, dims: int, *, penalty: float = 1.0, strength: float | None = None
    ) -> Self: ...
    def expect(self, x: Features, *, looking: bool = False) -> Expected | None:
        """What each model is expected to cost; None before there are labels enough.

        `looking` lets it name a model to try for what that teaches.
        """
    def learn(self, x: Features, model: int, cost: float) -> int:
        """Takes in what one model cost on a query it had not answered before; returns the label's number."""
    def amend(self, x: Features, model: int, number: int, delta: float) -> None:
        """The cost of a label turns out to be `delta` more."""
    def fit(self, rows: Sequence[Features], costs: Sequence[float]) -> None:
        """Takes in labels: costs row-major, a row a query, a place a model, NaN where unknown."""
    @property
    def labels(self) -> list[int]: ...
    @property
    def skills(self) -> list[float]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def to_bytes(self) -> bytes:
        """The whole state in a checksummed envelope."""
    @staticmethod
    def from_bytes(data: bytes) -> Multiplexer:
        """The multiplexer that `to_bytes` wrote."""
    def check(self) -> None:
        """Raises InternalError unless every invariant holds."""

@final
class Tally:
    """Sums that wait to be taken over by a ledger: of each unit, day, scope and model, in billionths."""

    def __new__(cls) -> Self: ...
    def add(
        self,
        unit: Literal["usd", "seconds"],
        scope: str,
        model: str,
        kind: Literal["call", "hit"] | None,
        amounts: tuple[float, float, float, float, float, float],
        unpriced: bool,
        seconds: float | None,
        now: float | None,
    ) -> bool:
        """Adds amounts and counts; True: it should be drained.

        Raises:
            ValueError: for NaN.
            OverflowError: for an infinite amount.
        """

    def add_hit(
        self,
        unit: Literal["usd", "seconds"],
        scope: str,
        model: str,
        saved: float,
        seconds: float,
        now: float | None,
    ) -> bool:
        """Adds a hit and what it saved."""

    def drain(self) -> list[tuple[Literal["usd", "seconds"], int, str, str, list[int]]]:
        """Takes everything out: unit, day since 1970, scope, model, and the sums."""

@final
class Router:
    """Estimates of cost by key and model."""

    def __new__(
        cls,
        models: int,
        *,
        estimator: dict[str, Any],
        cost_floor: float = 0.0,
        cost_ceiling: float | None = None,
        max_keys: int = 65536,
        seed: int = 0,
    ) -> Self: ...
    def decide(
        self,
        key: str,
        *,
        scope: str = "",
        fingerprint: str = "",
        count: float = 1.0,
        allowed: Sequence[int] | None = None,
        expected: Expected | None = None,
    ) -> Choice:
        """The model for a query asked `count` times, this one included."""
    def observe(self, key: str, model: int, cost: float, *, scope: str = "", fingerprint: str = "") -> bool:
        """Takes in what a call cost; True when it is the first cost of this model on this query."""
    def amend(self, key: str, model: int, delta: float, *, scope: str = "", fingerprint: str = "") -> bool:
        """Adds a cost learnt later to the last call observed."""
    def value(
        self,
        key: str,
        *,
        scope: str = "",
        fingerprint: str = "",
        count: float = 1.0,
        expected: Expected | None = None,
    ) -> float:
        """Lower bound of the cost of the model that would be called."""
    def to_bytes(self) -> bytes:
        """The whole state in a checksummed envelope."""
    @staticmethod
    def from_bytes(data: bytes) -> Router:
        """The router that `to_bytes` wrote."""
    def check(self) -> None:
        """Raises InternalError unless every invariant holds."""
    def __len__(self) -> int: ...

@final
class Inflight:
    """One leader a key; callables of followers are called with no lock held, once each."""

    def __new__(cls, seed: int = 0) -> Self: ...
    def claim(self, key: str, wake: Callable[[str], None], *, scope: str = "", fingerprint: str = "") -> bool:
        """True: the caller leads. Else `wake` is called once, with "done" or "lead"."""
    def release(self, key: str, *, scope: str = "", fingerprint: str = "") -> None:
        """The leader has answered: all who wait are woken with "done"."""
    def fail(self, key: str, *, scope: str = "", fingerprint: str = "") -> None:
        """The leader has failed: one who waits is woken with "lead"."""
    def abandon(
        self, key: str, wake: Callable[[str], None], *, scope: str = "", fingerprint: str = ""
    ) -> bool:
        """A follower stopped waiting. False: its `wake` was called, or is about to be."""
    def __len__(self) -> int: ...

def simulate(
    ids: Any,
    costs: Any,
    *,
    models: int,
    capacity: int,
    evict: dict[str, Any],
    estimator: dict[str, Any],
    cost_floor: float = 0.0,
    cost_ceiling: float | None = None,
    sizes: Any = None,
    arm: int | None = None,
    seed: int = 0,
    artifact: bool = False,
    success: bytes | None = None,
    guess: Any = None,
    guess_each: bool = False,
    prior: Any = None,
    strength: float = 1.0,
    resident: Any = None,
) -> tuple[float, int, bytes, tuple[list[int], list[float]], list[int]]:
    """Total cost, hits, choices as int8, the curve and the residents; over buffers of int64 and float64."""

def optimum(
    ids: Any,
    costs: Any,
    *,
    models: int,
    capacity: int,
    kind: str,
    mean: bool = False,
    means: Any = None,
    sizes: Any = None,
) -> float:
    """Cost at the optimum "static", "static_cold", "dynamic" or "dynamic_warm"."""

def lower_bound(ids: Any, costs: Any, *, models: int, capacity: int, sizes: Any = None) -> float:
    """A cost that no schedule goes below."""

def exploration_floor(
    ids: Any,
    costs: Any,
    *,
    models: int,
    capacity: int,
    popularity: Any,
    means: Any,
    arm_means: Any,
    sizes: Any = None,
) -> float:
    """What a policy pays that knows the law and explores."""

def offline(
    ids: Any,
    costs: Any,
    *,
    models: int,
    capacity: int,
    believed: float | None,
    accuracy: float,
    arm: int | None = None,
    sizes: Any = None,
    seed: int = 0,
) -> tuple[float, int, bytes, tuple[list[int], list[float]], list[int]]:
    """As `simulate`, from the static set that ranks highest by counts, or by costs as `believed`."""

@final
class VectorIndex:
    """Vectors by id, found by direction; buffers in and out."""

    def __new__(cls, dim: int, *, store: str, engine: str, kernels: str | None = None) -> Self: ...
    def add(self, ids: Any, vectors: Any) -> None:
        """Takes in float32 vectors, one an id of int64, row after row."""
    def remove(self, ids: Any) -> int:
        """Takes vectors out; returns how many there were."""
    def search(self, queries: Any, k: int, effort: int | None) -> tuple[bytes, bytes, int]:
        """Ids as int64 and similarities as float32, row by row, and how many a query."""
    def to_bytes(self) -> bytes:
        """The whole state in a checksummed envelope."""
    @staticmethod
    def from_bytes(data: bytes) -> VectorIndex:
        """The index that `to_bytes` wrote."""
    def check(self) -> None:
        """Raises InternalError unless every invariant holds."""
    @property
    def dim(self) -> int: ...
    @property
    def store(self) -> str: ...
    @property
    def engine(self) -> str: ...
    @property
    def walks(self) -> bool: ...
    @property
    def memory_bytes(self) -> int: ...
    def __len__(self) -> int: ...
    def __contains__(self, item: int) -> bool: ...

def vector_kernels() -> list[str]:
    """The instruction sets that searches can run on here; the last is taken unless another is asked for."""

@final
class StaticTable:
    """Text to vectors from a table, over the word pieces of a vocabulary."""

    def __new__(cls, vocabulary: str, sealed: bytes) -> Self: ...
    def embed(self, texts: list[str]) -> bytes:
        """The vectors of `texts`, row after row, as float32 of length 1."""
    def pieces(self, text: str, most: int) -> list[int]:
        """The numbers of the pieces of `text`, the first `most`."""
    @staticmethod
    def pack(rows: Any, dim: int) -> bytes:
        """Rows of float32, `dim` each, as bytes that the constructor takes."""
    @property
    def dim(self) -> int: ...

class SemanticStream:
    """Texts with vectors (n, dim) float32 and classes int64, to be replayed through the semantic decision."""

    def __new__(cls, texts: list[str], classes: Any, vectors: Any, dim: int) -> SemanticStream: ...
    def replay(
        self,
        seed: int,
        *,
        requests: int,
        max_error: float,
        hide_answers: bool,
        redraw: int | None = None,
        serve_contradictions: bool = True,
    ) -> tuple[
        tuple[int, int, int, int],
        list[tuple[int, int | None]],
        list[tuple[int, int, int, tuple[float, float, float], tuple[float, float, float], float]],
        list[tuple[float, float, float]],
    ]:
        """Hits, wrong hits, audits, drifts; rows asked and served; what audits told; predicted and seen."""
    def hindsight(
        self, seed: int, *, requests: int, max_error: float, redraw: int | None = None
    ) -> tuple[int, float]:
        """Hits of the best static threshold, and the threshold."""
    def lessons(self, seed: int, *, requests: int, hide_answers: bool) -> list[tuple[list[float], bool]]:
        """Features of each candidate and whether its answer was right, where nothing is served."""

def judge_pair(cached: str, query: str, similarity: float, *, max_error: float) -> tuple[bool, float, str]:
    """Whether a candidate judged alone is served, its risk, and the facet that forbids it."""

def shipped_prior() -> tuple[list[str], list[float], list[float], list[tuple[float, float]]]:
    """Names of the features, means and deviations of their weights, and the bounds of pairs judged alone."""

def snapshot_about(sealed: bytes) -> str:
    """The text kept with a snapshot."""

def before_fork() -> None:
    """Waits for detached work; for `os.register_at_fork`."""

def after_fork() -> None:
    """Lets detached work go on; for both sides of a fork."""
