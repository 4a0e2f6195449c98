"""The semantic stage: embeds what a request is about, asks the core for an answer that will do, teaches it.

Whatever goes wrong here is counted, said once, and the exact stage serves on.
"""

import hashlib
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lecmux import _core, _fork
from lecmux._consulting import consulted
from lecmux._envelope import entry_in
from lecmux._hook_runner import Consult, HookRunner
from lecmux._single_flight import Claim
from lecmux.errors import VectorError
from lecmux.policies.admit import ended_normally
from lecmux.policies.semantic import Semantic
from lecmux.query import Answer, Key, Query, Reply
from lecmux.salient import Salient
from lecmux.stats import SemanticStats

if TYPE_CHECKING:
    from lecmux._stages import Core
    from lecmux.embedders import Embedder

__all__ = [
    "Embed",
    "Flying",
    "SemanticStage",
    "answer_name",
    "compared",
    "follow",
    "learn",
    "proposed",
    "semantic",
    "teach",
]

_FAILURES_ALLOWED = 3
_MOST_SERVED = 256
_SERVED_BYTES = 4096  # what a hit that can be reported takes
_SERVED_SHARE = 64
_MEMORY = 200.0  # requests after which half of what the stage was worth is forgotten
_LOOK_ANYWAY = 20
_MATRIX = 2
_FAR = 0.5  # questions less alike than this are not answered alike, unless word for word


@dataclass(slots=True)
class Embed:
    """Effect: embed `texts`; the driver sends back their vectors, one a row."""

    texts: tuple[str, ...]
    embedder: "Embedder"

    def wait(self) -> Any:
        """Embeds with a call."""
        return self.embedder.embed(self.texts)

    async def wait_async(self) -> Any:
        """Embeds with an await: by `aembed`, or on a worker thread."""
        aembed = getattr(self.embedder, "aembed", None)
        if aembed is not None:
            return await aembed(self.texts)
        import asyncio  # noqa: PLC0415  costs 50 ms, and threads do without

        return await asyncio.to_thread(self.embedder.embed, self.texts)


class SemanticStage:
    """What a cache keeps for its semantic stage beside the core's part.

    Attributes:
        settings: as given.
        failures: embeddings that failed, were of no use or came too late.
        skipped: requests that were not worth an embedding, or came while the stage rested.
        turned_away: requests that the gate found nothing near to.
        texts: that were embedded.
        seconds: that took.
    """

    def __init__(self, settings: Semantic, capacity_bytes: int, clock: Callable[[], float]) -> None:
        self.settings = settings
        self.failures = 0
        self.skipped = 0
        self.turned_away = 0
        self.texts = 0
        self.seconds = 0.0
        self._clock = clock
        self._in_a_row = 0
        self._rests_until: float | None = None
        self._worth = _Worth()
        self._most = max(1, min(_MOST_SERVED, capacity_bytes // _SERVED_SHARE // _SERVED_BYTES))
        self._served: OrderedDict[str, tuple[str, _core.Proposal]] = OrderedDict()
        self._renew()
        _fork.renew(self)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    _after_fork = _renew

    def salient(self, query: Query) -> Salient | None:
        """What likeness goes by, and what must be equal; None: the request takes no part."""
        found = query.salient if self.settings.text is None else self.settings.text(query)
        about = Salient(found, query.context) if isinstance(found, str) else found
        return about if about and about.text and not about.text.isspace() else None

    def pays(self, unit: str) -> bool:
        """Whether to embed for a request: not while it rests, nor where that costs more than it saves."""
        if self._rests_until is not None and self._clock() < self._rests_until:
            self.skipped += 1
            return False
        price = self.settings.usd_per_text if unit == "usd" else None
        pays = self._worth.pays(price)
        self.skipped += not pays
        return pays

    def embedded(self, core: "Core", key: Key, texts: int, seconds: float) -> None:
        """Charges an embedding."""
        self.texts += texts
        self.seconds += seconds
        usd = self.settings.usd_per_text * texts
        core.ledger.add(
            core.unit,
            scope=key.scope,
            model=self.settings.made.name,
            spent=seconds if core.unit == "seconds" else usd,
            seconds=seconds,
        )
        if seconds > self.settings.slow_seconds:
            raise TimeoutError(f"an embedding took {seconds:.3g} s")
        self._in_a_row = 0

    def failed(self, core: "Core", error: Exception) -> None:
        """Counts a failure; the third in a row lets the stage rest."""
        self.failures += 1
        self._in_a_row += 1
        core.trouble("semantic", error)
        if self._in_a_row >= _FAILURES_ALLOWED:
            self._in_a_row = 0
            self._rests_until = self._clock() + self.settings.rest_seconds

    def looked(self, seconds: float) -> None:
        """Notes a look, and how long it took."""
        self._worth.looked(seconds)

    def hit(self) -> None:
        """Notes that the last look was a hit."""
        self._worth.hit()

    def paid(self, cost: float | None) -> None:
        """Notes what an answer costs where the stage has none."""
        if cost is not None:
            self._worth.paid(cost)

    def remember(self, decision_id: str, hit_id: str, proposal: _core.Proposal) -> None:
        """Keeps a hit in mind, so that it can be reported."""
        with self._lock:
            self._served[decision_id] = (hit_id, proposal)
            while len(self._served) > self._most:
                self._served.popitem(last=False)

    @property
    def embedder(self) -> str:
        """Names the embedder and, where it says so, its dimension."""
        made = self.settings.made
        return f"{made.name} {getattr(made, 'dim', '')}".strip()

    def unfit(self, hooks: HookRunner) -> None:
        """Says that the vectors of a snapshot are of another embedder, and are dropped."""
        self.failures += 1
        text = f"the vectors of the snapshot were not made by {self.embedder}, and are dropped"
        hooks.incident("semantic", text)

    def stats(self, store: _core.Store) -> SemanticStats:
        """Counters so far."""
        return SemanticStats(
            **_core.semantic_statistics(store),
            embedded=self.texts,
            embed_seconds=self.seconds,
            skipped=self.skipped,
            turned_away=self.turned_away,
            failures=self.failures,
        )

    def recall(self, name: str) -> list[tuple[str, _core.Proposal]]:
        """The hits that a decision's `id`, or the `hit_id` of an entry, names; they are forgotten."""
        with self._lock:
            found = [known for known, (hit_id, _) in self._served.items() if name in {known, hit_id}]
            return [self._served.pop(known) for known in found]


class _Worth:
    """Whether an embedding is worth its price: share of hits times what a hit saves, both fading means."""

    def __init__(self) -> None:
        self._hits, self._looks = 10.0, 20.0  # hits take some hundred requests to begin with
        self._seconds, self._cost = 0.0, 0.0
        self._asked = 0

    def pays(self, price: float | None) -> bool:
        self._asked += 1
        price = self._seconds if price is None else price
        if self._cost == 0.0 or self._asked % _LOOK_ANYWAY == 0:
            return True
        return self._hits / self._looks * self._cost >= price

    def hit(self) -> None:
        self._hits += 1.0

    def looked(self, seconds: float) -> None:
        keep = 0.5 ** (1.0 / _MEMORY)
        self._hits *= keep
        self._looks = keep * self._looks + 1.0
        self._seconds = seconds if self._seconds == 0.0 else 0.9 * self._seconds + 0.1 * seconds

    def paid(self, cost: float) -> None:
        self._cost = cost if self._cost == 0.0 else 0.9 * self._cost + 0.1 * cost


def semantic(query: Query, key: Key, core: "Core") -> Generator[Embed, Any, tuple["Core", Answer | None]]:
    """The answer of an entry that is alike, or None and the core that will store and learn what is paid."""
    core = yield from proposed(query, key, core)
    stage, found = core.semantic, core.proposal
    if stage is None or found is None or core.mode != "use" or found.verdict != "serve":
        return core, None
    try:
        served = core.alike(key, found)
    except Exception as error:
        stage.failed(core, error)
        return core, None
    if served is not None:
        stage.hit()
    return core, served


def proposed(query: Query, key: Key, core: "Core") -> Generator[Embed, Any, "Core"]:
    """The core with what is found that is alike, and whether it may answer, in its `proposal`.

    None there: the request takes no part, or there was trouble. For drivers that look up and store in two
    steps.
    """
    stage, store = core.semantic, core.store
    if stage is None or store is None or not core.means(query, key):
        return core
    try:
        about = stage.salient(query)
        if about is None or not stage.pays(core.unit):
            return core
        text, context = about
        started = core.now()
        place = {"scope": key.scope, "fingerprint": key.fingerprint, "context": context}
        quick, near = _knocked(stage, store, text, place, asks=core.mode == "use")
        if quick is not None and near is None:
            stage.turned_away += 1
            proposal = _core.turned_away(store, text, quick, asks=core.mode == "use", **place)
            stage.looked(core.now() - started)
            return core.with_proposal(proposal)
        texts = (text, *(waiting for _, waiting in near or ()))
        vectors = rows((yield Embed(texts, stage.settings.made)), len(texts))
        stage.embedded(core, key, len(texts), core.now() - started)
        for (number, _), vector in zip(near or (), vectors[1:], strict=True):
            _core.admit(store, number, vector)
        how: Literal["use", "store"] = "use" if core.mode == "use" else "store"
        proposal = _core.propose(store, key.text, text, vectors[0], how=how, quick=quick, **place)
        if core.mode == "use":
            stage.looked(core.now() - started)
    except Exception as error:
        stage.failed(core, error)
        return core
    return core.with_proposal(proposal)


def follow(key: Key, core: "Core") -> Generator[Claim, Any, tuple["Core", Answer | None]]:
    """Waits for a request under way whose answer would be served here, and looks once more."""
    proposal, store = core.proposal, core.store
    if proposal is None or store is None:
        return core, None
    try:
        named = proposal.awaited(store)
        if named is None or named == key or core.flight.leads(Key(*named)):
            return core, None
        leader = Key(*named)
        role = yield Claim(leader, core.flight)
        with core.leading(leader, role):  # it ended meanwhile: whoever waits behind us may go on
            pass
        proposal = proposal.again(store, key.text, scope=key.scope, fingerprint=key.fingerprint)
        served = core.alike(key, proposal) if proposal.verdict == "serve" else None
    except Exception as error:
        core.trouble("semantic", error)
        return core, None
    return core.with_proposal(proposal), served


class Flying:
    """A block in which the answer to a request is on its way, so that others like it may wait."""

    __slots__ = ("_core", "_key", "_number")

    def __init__(self, core: "Core", key: Key) -> None:
        self._core = core
        self._key = key
        self._number: int | None = None

    def __enter__(self) -> None:
        core, key = self._core, self._key
        if core.proposal is not None and core.store is not None:
            with core.contained("semantic"):
                place = {"scope": key.scope, "fingerprint": key.fingerprint}
                self._number = core.proposal.depart(core.store, key.text, **place)

    def __exit__(self, *_: object) -> None:
        if self._number is not None and self._core.store is not None:
            with self._core.contained("semantic"):
                _core.Proposal.arrive(self._core.store, self._number)


def _knocked(
    stage: SemanticStage, store: _core.Store, text: str, place: dict[str, str], *, asks: bool
) -> tuple[Any, list[tuple[int, str]] | None]:
    """The fast vector, and the entries near it that have no other; (None, None) where there is no gate.

    A request that only stores, and asks nothing, finds nothing near.
    """
    gate = getattr(stage.settings.made, "gate", None)
    if gate is None:
        return None, None
    (quick,) = rows(gate.fast.embed((text,)), 1)
    return quick, _core.knock(store, quick, threshold=gate.threshold, **place) if asks else None


def learn(core: "Core", key: Key, reply: Reply) -> Generator[Embed | Consult, Any, bool | None]:
    """Compares the two answers and teaches what came of it, for drivers that know no quality."""
    same = yield from compared(core, key, reply)
    teach(core, same)
    return same


def compared(core: "Core", key: Key, reply: Reply) -> Generator[Embed | Consult, Any, bool | None]:
    """Whether the candidate's answer says what the model's does; None: that cannot be told."""
    stage, store, proposal = core.semantic, core.store, core.proposal
    if stage is None or store is None or proposal is None or proposal.hit is None or core.mode != "use":
        return None
    if reply.value is None or not ended_normally(reply.finish_reason):
        return None
    try:
        stored = entry_in(proposal.hit.value).value
        stored = core.codec.load(stored) if core.codec else stored
        if core.awaits:
            core = yield from consulted(core, ("same_answer",), stored, reply.value)
        same = _word(core, stage, stored, reply.value)
        if same is None:
            texts = answer_text(core, stored), answer_text(core, reply.value)
            same = normal(texts[0]) == normal(texts[1])
            if not same and (proposal.similarity or 0.0) >= _FAR and all(texts):
                started = core.now()
                vectors = yield Embed(texts, stage.settings.made)
                stage.embedded(core, key, 2, core.now() - started)
                one, other = rows(vectors, 2)
                same = _core.same_texts(*texts, one, other, bound=stage.settings.answers_alike)
    except Exception as error:
        stage.failed(core, error)
        return None
    return same


def teach(core: "Core", same: bool | None, error: float = 0.0) -> None:
    """Takes in whether the two answers say the same; None teaches nothing.

    Nor does a label where one of the two is known to be more wrong than right: it tells models of different
    skill apart, not questions.

    Args:
        core: with the candidate.
        same: as `compared` found.
        error: price of the error in the model's answer, in the unit of costs.
    """
    stage, store, proposal = core.semantic, core.store, core.proposal
    if same is None or stage is None or store is None or proposal is None or proposal.hit is None:
        return
    half_wrong = core.objective.error(0.5)
    if half_wrong and max(error, proposal.hit.hit_cost) > half_wrong:
        return
    try:
        proposal.learn(store, same)
    except Exception as trouble:
        stage.failed(core, trouble)


def _word(core: "Core", stage: SemanticStage, stored: Any, paid: Any) -> bool | None:
    """What the user's own comparison says, if there is one and it says anything."""
    own = stage.settings.same_answer
    word = own(stored, paid) if own else None
    return core.hooks.compared(stored, paid) if word is None else word


def answer_text(core: "Core", value: Any) -> str:
    """A value as a text: itself, or what the codec says of it, or all of it."""
    say = getattr(core.codec, "text", None)
    if say is not None:
        return str(say(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else repr(value)


def normal(text: str) -> str:
    """A text without differences of writing: case, spaces, marks at the ends of words."""
    return " ".join(word.strip(".,;:!?\"'`*()[]") for word in text.casefold().split())


def answer_name(core: "Core", value: Any) -> int:
    """A number that texts which differ in writing alone have in common."""
    digest = hashlib.blake2b(normal(answer_text(core, value)).encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


def rows(vectors: Any, count: int) -> Sequence[Any]:
    """The vectors as `count` buffers of float32.

    Raises:
        VectorError: when they are not as many.
    """
    if isinstance(vectors, memoryview) and vectors.shape is not None and len(vectors.shape) > 1:
        flat, dim = vectors.cast("B").cast("f"), vectors.shape[1]
        given: list[Any] = [flat[start : start + dim] for start in range(0, len(flat), dim)]
    elif hasattr(vectors, "astype"):
        vectors = vectors.astype("float32", copy=False)
        given = [vectors[row] for row in range(len(vectors))]
    else:
        given = _views(vectors) if isinstance(vectors, memoryview) else [array("f", row) for row in vectors]
    if len(given) != count:
        raise VectorError(f"the embedder gave {len(given)} vectors for {count} texts")
    return given


def _views(vectors: Any) -> list[Any]:
    """The rows of a view of memory, which is not iterated row by row."""
    if vectors.ndim != _MATRIX or vectors.format != "f" or not vectors.c_contiguous:
        raise VectorError(f"the embedder gave a view of {vectors.ndim} dimensions, type {vectors.format!r}")
    cells, width = vectors.cast("B"), vectors.nbytes // len(vectors)
    return [cells[start : start + width].cast("f") for start in range(0, len(cells), width)]
