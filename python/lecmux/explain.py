"""What would become of a request now, and why. Asking counts nothing and changes nothing."""

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from lecmux import _core
from lecmux._consulting import KEY_HOOKS, consulted
from lecmux._envelope import Entry, entry_in
from lecmux._hook_runner import Consult, one_of
from lecmux._semantic import Embed, rows
from lecmux._stages import Core
from lecmux.policies.scored import EntryView
from lecmux.query import Decision, Key, Query, Unit

__all__ = ["Alike", "Estimate", "Explanation", "StoredAnswer", "aexplain", "explain"]

_ENTRY_BYTES = 184  # what the core charges an entry beyond its text and value
_NAMED = 5  # evicted keys that a text names
_TEXT = 60  # characters of a key that a text quotes
_PARTS = 6  # grounds of an estimate that a text names
_NEIGHBOURS = 3  # that a text quotes

_SENTENCES = {
    "exact": "a stored answer is served",
    "semantic": "the stored answer to a question that is alike is served",
    "audit": "a call is made to see whether the answer to a question that is alike would be right",
    "absent": "no answer is stored under this key",
    "not_allowed": "the stored answer is of a model that this request may not have",
    "declined": "the stored answer is known to be wrong, and costs more than a call is expected to",
    "refresh": "the request asks for a new answer",
    "skip": "the request leaves the cache aside",
    "no_store": "there is no cache",
    "no_key": "its key cannot be known, so the cache is left aside",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of one model's cost on this query, in the unit of the explanation.

    Attributes:
        lower: lower confidence bound, errors included.
        mean: of the calls made for this query; None before the first.
        tries: calls made for it.
        prior: what the multiplexer expects; None without one.
    """

    lower: float
    mean: float | None
    tries: float
    prior: float | None = None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The entry under the key.

    Attributes:
        model: that gave it; None where it was stored by hand.
        age_seconds: None where it was stored by hand.
        cost: paid for it.
        hit_cost: price of serving it: of the error it is known to hold.
        miss_cost: lower bound of what it saves to have it.
        size_bytes: it is charged for.
        hit_id: names it in `forget`.
    """

    model: str | None
    age_seconds: float | None
    cost: float
    hit_cost: float
    miss_cost: float
    size_bytes: int
    hit_id: str


@dataclass(frozen=True, slots=True)
class Alike:
    """What the semantic stage makes of a request: the best of the nearest entries, and how it is judged.

    Attributes:
        verdict: "serve"; "audit": it would be served, and is checked by a call; or "decline".
        reason: of a "decline": too_risky, quarantined after a report, or contradicts, which
            `Semantic(serve_contradictions=False)` never serves; for the others the verdict.
        text: the salient text of the entry.
        similarity: cosine of the two embeddings.
        risk: probability that its answer is wrong, corrected by what predictions were worth and cautious.
        predicted: the same as the model said it.
        threshold: risk up to which hits are served now.
        facet: in which the two texts contradict each other, such as "numbers"; None where in none.
        grounds: what the features add to the log-odds of a right answer, the largest first.
        neighbours: texts of the nearest entries with their similarities, the nearest first.
        hit_id: names the entry in `forget` and `report_wrong`.
    """

    verdict: Literal["serve", "audit", "decline"]
    reason: str
    text: str
    similarity: float
    risk: float
    predicted: float
    threshold: float
    facet: str | None
    grounds: tuple[tuple[str, float], ...]
    neighbours: tuple[tuple[str, float], ...]
    hit_id: str | None

    @classmethod
    def of(cls, proposal: _core.Proposal) -> "Alike | None":
        """What a preview says; None where there is no entry."""
        if proposal.text is None or proposal.risk is None:
            return None
        refused = "contradicts" if proposal.refused else "too_risky"
        declined = "quarantined" if proposal.quarantined else refused
        parts = sorted((part for part in proposal.parts if part[1]), key=lambda part: -abs(part[1]))
        return cls(
            proposal.verdict,
            declined if proposal.verdict == "decline" else proposal.verdict,
            proposal.text,
            proposal.similarity or 0.0,
            *proposal.risk,
            proposal.threshold or 0.0,
            proposal.facet,
            tuple(parts),
            tuple(proposal.neighbours),
            proposal.hit.hit_id if proposal.hit else None,
        )

    def __str__(self) -> str:
        bound = f"risk {self.risk:.2%}, served up to {self.threshold:.2%}"
        lines = [f"alike: {_short(self.text)!r}, similarity {self.similarity:.3f}: {self.reason} ({bound})"]
        if self.facet:
            lines.append(f"the two contradict each other: {self.facet}")
        lines.append(
            "grounds: " + ", ".join(f"{name} {amount:+.2f}" for name, amount in self.grounds[:_PARTS])
        )
        lines += [f"near: {_short(text)!r} {near:.3f}" for text, near in self.neighbours[1:_NEIGHBOURS]]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of a request now. `str()` of it is a text for people; it quotes the key.

    Attributes:
        key: of the request; None where it cannot be known, for a scope hook that fails, say.
        outcome: "hit" for a stored answer, "call" for a model.
        why: in one word: exact, semantic, audit, absent, not_allowed, declined, refresh, skip, no_store or
            no_key.
        model: that gave the stored answer, or would be called; None where nobody knows.
        reason: the router's, such as "exploring"; "hook" for the route hook's word; for a hit "exact".
        unit: of all amounts.
        models: estimates by model, where a router keeps them.
        count: requests counted for the key so far, faded with time.
        stored: the entry under the key, served or not.
        would_evict: keys that would leave for an answer of `answer_bytes`; None: it would not be stored.
        answer_bytes: size assumed for the answer.
        arm: what the router would choose: `model` itself, or a cascade that begins with it.
        resting: models that are left alone for now, since they failed.
        troubles: what failed while asking, such as a hook.
        alike: what the semantic stage makes of it; None where it is not asked, or holds nothing.
    """

    key: Key | None
    outcome: Literal["hit", "call"]
    why: str
    model: str | None
    reason: str
    unit: Unit
    models: Mapping[str, Estimate] = field(default_factory=dict)
    count: float = 0.0
    stored: StoredAnswer | None = None
    would_evict: tuple[Key, ...] | None = ()
    answer_bytes: int = 0
    arm: str | None = None
    resting: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    alike: Alike | None = None

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON; keys are objects of text, scope and fingerprint."""
        told = asdict(self)
        told["key"] = self.key and self.key._asdict()
        told["would_evict"] = (
            None if self.would_evict is None else [key._asdict() for key in self.would_evict]
        )
        return told | {"resting": list(self.resting), "troubles": list(self.troubles)}

    def __str__(self) -> str:
        lines = [f"{self.outcome}: {_SENTENCES[self.why]}"]
        lines += [f"trouble: {trouble}" for trouble in self.troubles]
        if self.key:
            lines.append(f"key: {_quoted(self.key)}, asked {self.count:.4g} times")
        if self.stored:
            lines.append(_stored_line(self.stored, self.unit))
        if self.alike:
            lines.append(str(self.alike))
        if self.model is not None and self.outcome == "call":
            arm = f", by the cascade {self.arm}" if self.arm not in {None, self.model} else ""
            lines.append(f"would call: {self.model} ({self.reason}){arm}")
        if self.resting:
            lines.append(f"resting after failures: {', '.join(self.resting)}")
        lines += [_model_line(name, known, self.unit) for name, known in self.models.items()]
        if self.outcome == "call" and self.key:
            lines.append(_evicted_line(self.would_evict, self.answer_bytes))
        return "\n".join(lines)


def explain(query: Query, core: Core, *, answer_bytes: int | None = None) -> Explanation:
    """What `flow.answer` would do with `query` on `core`.

    Args:
        query: the request.
        core: the parts it would run on.
        answer_bytes: size of the answer, to tell what would leave for it; None takes the mean of the
            entries that are there.
    """
    asking = _explaining(query, core, answer_bytes)
    try:
        effect = next(asking)
        while True:
            effect = asking.send(effect.wait())
    except StopIteration as done:
        explanation: Explanation = done.value
        return explanation


async def aexplain(query: Query, core: Core, *, answer_bytes: int | None = None) -> Explanation:
    """As `explain`; hooks that can be awaited are."""
    asking = _explaining(query, core, answer_bytes)
    try:
        effect = next(asking)
        while True:
            effect = asking.send(await effect.wait_async())
    except StopIteration as done:
        explanation: Explanation = done.value
        return explanation


def _explaining(
    query: Query, core: Core, answer_bytes: int | None
) -> Generator[Consult | Embed, Any, Explanation]:
    troubles: list[str] = []
    hooks = core.hooks.apart(lambda stage, text: troubles.append(f"{stage}: {text}"))
    core = replace(core, hooks=hooks, judge=None)
    if core.awaits:
        core = yield from consulted(core, KEY_HOOKS, query)
    key = core.key(query)
    hit = entry = None
    if key is not None and core.store is not None:
        with core.contained("exact"):
            hit = core.store.peek(key.text, scope=key.scope, fingerprint=key.fingerprint)
            entry = None if hit is None else entry_in(hit.value)
    why = _why(core, key, hit, entry)
    stored = None if hit is None or entry is None else _stored(core, hit, entry)
    known = Explanation(key, "call", why, None, "", core.unit, count=_count(core, key), stored=stored)
    if why == "exact" and stored:
        known = replace(known, outcome="hit", model=stored.model, reason="exact")
    elif key is not None and core.mode == "use" and core.means(query, key):
        alike = yield from _alike(query, key, core)
        known = replace(known, alike=alike)
        if alike and alike.verdict != "decline":
            outcome: Literal["hit", "call"] = "hit" if alike.verdict == "serve" else "call"
            known = replace(known, outcome=outcome, why="semantic" if outcome == "hit" else "audit")
    decision = core.choose(key, query)
    if core.awaits and len(core.among) > 1 and known.outcome == "call":
        core = yield from consulted(core, ("route",), query, decision, check=one_of(core.among))
    if known.outcome == "call":
        decision = core.steer(query, decision)
        known = replace(known, model=decision.model or None, reason=decision.reason, arm=decision.arm)
        known = _with_room(known, core, answer_bytes)
    return replace(known, models=_estimates(decision), resting=_resting(core), troubles=tuple(troubles))


def _alike(query: Query, key: Key, core: Core) -> Generator[Embed, Any, Alike | None]:
    stage, store = core.semantic, core.store
    if stage is None or store is None:
        return None
    try:
        about = stage.salient(query)
        if about is None:
            return None
        text = about.text
        vectors = yield Embed((text,), stage.settings.made)
        place = {"scope": key.scope, "fingerprint": key.fingerprint, "context": about.context}
        return Alike.of(_core.propose(store, key.text, text, rows(vectors, 1)[0], how="preview", **place))
    except Exception as error:
        core.trouble("semantic", error)
        return None


def _why(core: Core, key: Key | None, hit: Any, entry: Entry | None) -> str:
    if key is None:
        return "no_key"
    if core.store is None:
        return "no_store"
    if core.mode != "use":
        return core.mode
    if hit is None or entry is None:
        return "absent"
    return core.refusal(key, entry, hit.hit_cost, hit.count) or "exact"


def _stored(core: Core, hit: Any, entry: Entry) -> StoredAnswer:
    age = None if entry.stored_at is None else max(0.0, core.clock() - entry.stored_at)
    return StoredAnswer(entry.model, age, entry.cost, hit.hit_cost, hit.miss_cost, hit.size_bytes, hit.hit_id)


def _count(core: Core, key: Key | None) -> float:
    if key is None or core.store is None:
        return 0.0
    return core.store.count(key.text, scope=key.scope, fingerprint=key.fingerprint)


def _estimates(decision: Decision) -> dict[str, Estimate]:
    return {
        name: Estimate(
            lower, decision.mean.get(name), decision.tries.get(name, 0.0), decision.prior.get(name)
        )
        for name, lower in decision.lower.items()
    }


def _resting(core: Core) -> tuple[str, ...]:
    if core.router is None:
        return ()
    awake = core.router.awake(core.models, core.now)
    return tuple(name for name in core.models if awake is not None and name not in awake)


def _with_room(known: Explanation, core: Core, answer_bytes: int | None) -> Explanation:
    """Adds what would leave for the answer."""
    key, store = known.key, core.store
    if key is None or store is None or not core.stores(key):
        return replace(known, would_evict=None)
    if answer_bytes is None:
        counted = store.statistics()
        mean = counted["used_bytes"] / counted["entries"] if counted["entries"] else 0.0
        answer_bytes = max(0, int(mean) - len(key.text.encode()) - _ENTRY_BYTES)
    worth = core.router.value(key, count=max(1.0, known.count)) if core.router else None
    given = None
    if core.hooks.scores:
        size = answer_bytes + sum(len(part.encode()) for part in key) + _ENTRY_BYTES
        given = core.hooks.score(EntryView(key, max(1.0, known.count), worth, size, 0.0, model=known.model))
    leaving = store.would_evict(
        key.text,
        value_bytes=answer_bytes,
        worth=worth,
        given=given,
        scope=key.scope,
        fingerprint=key.fingerprint,
    )
    named = None if leaving is None else tuple(Key(*parts) for parts in leaving)
    return replace(known, would_evict=named, answer_bytes=answer_bytes)


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else text[: _TEXT - 3] + "..."


def _quoted(key: Key) -> str:
    parts = [repr(_short(key.text))]
    if key.scope:
        parts.append(f"scope {key.scope!r}")
    if key.fingerprint:
        parts.append(f"fingerprint {key.fingerprint[:_TEXT]!r}")
    return ", ".join(parts)


def _stored_line(stored: StoredAnswer, unit: Unit) -> str:
    age = "put by hand" if stored.age_seconds is None else f"{stored.age_seconds:.4g} s old"
    of = f" of {stored.model}" if stored.model else ""
    told = f"stored: an answer{of}, {age}, {stored.size_bytes:,} bytes, cost {_amount(stored.cost, unit)}"
    return told + (f", known to be wrong by {_amount(stored.hit_cost, unit)}" if stored.hit_cost else "")


def _model_line(name: str, known: Estimate, unit: Unit) -> str:
    mean = "never tried here" if known.mean is None else f"mean {_amount(known.mean, unit)}"
    told = f"{name}: {mean}, at least {_amount(known.lower, unit)}, {known.tries:.4g} tries"
    return told if known.prior is None else f"{told}, expected {_amount(known.prior, unit)} by its features"


def _evicted_line(keys: tuple[Key, ...] | None, answer_bytes: int) -> str:
    if keys is None:
        return "the answer would not be stored"
    if not keys:
        return f"an answer of {answer_bytes:,} bytes would push nothing out"
    more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
    return (
        f"an answer of {answer_bytes:,} bytes would push out {'; '.join(map(_quoted, keys[:_NAMED]))}{more}"
    )


def _amount(amount: float, unit: Unit) -> str:
    return f"${amount:.6g}" if unit == "usd" else f"{amount:.4g} s"
