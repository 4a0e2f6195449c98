"""What goes into the pipeline and what comes out: frozen records."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal, NamedTuple, get_args

from lecmux.errors import ConfigError

__all__ = ["Answer", "CacheMode", "Decision", "Key", "Query", "Reply", "Unit", "Usage", "check_cache_mode"]

Unit = Literal["usd", "seconds"]
"""What costs are counted in."""

CacheMode = Literal["use", "refresh", "skip"]
"""What one request does with the cache. use: look up and store. refresh: call and store. skip: neither."""
_CACHE_MODES: tuple[CacheMode, ...] = get_args(CacheMode)


def check_cache_mode(mode: object) -> CacheMode:
    """`mode`, if it is one.

    Raises:
        ConfigError: naming the choices.
    """
    for known in _CACHE_MODES:
        if mode == known:
            return known
    raise ConfigError(f"cache must be one of {', '.join(map(repr, _CACHE_MODES))}, not {mode!r}")


def new_id() -> str:
    """Sixteen hex digits that no other decision has, in this process or a forked one."""
    return os.urandom(8).hex()


class Key(NamedTuple):
    """What an entry is stored under. Scope and fingerprint are hard partitions."""

    text: str
    scope: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one model call consumed.

    Of the tokens, those with a price of their own are named again; they are parts of the two totals, and a
    token belongs to one part at most.

    Attributes:
        input_tokens: all of the input, its cached, written, image and audio tokens included.
        output_tokens: all of the output, its reasoning, image and audio tokens included.
        seconds: wall time; 0.0 lets the driver measure it.
        cached_input_tokens: of the input, read from the provider's own prompt cache.
        cache_write_tokens: of the input, written to that cache.
        reasoning_tokens: of the output, thought and not shown.
        image_input_tokens: of the input, images.
        image_output_tokens: of the output, images.
        audio_input_tokens: of the input, sound.
        audio_output_tokens: of the output, sound.
        flops: floating-point operations of a local model.
        joules: energy of a local model.
        cache_write_1h_tokens: of the input, written to the provider's prompt cache for an hour; not counted
            in `cache_write_tokens`.
        web_searches: that the provider made for the answer, with its own tool.
        storage_searches: the same in files that are stored with it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    image_input_tokens: int = 0
    image_output_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    flops: float = 0.0
    joules: float = 0.0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0
    storage_searches: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """One request.

    Attributes:
        text: the exact text that is looked up.
        scope: the tenant; entries of one scope are never served in another.
        fingerprint: everything else that changes the answer (tools, temperature, system text).
        attributes: carried along for hooks and models; no part of the key.
        salient: what an answer to a question that is only alike may go by, such as the last human turn; None:
            only the exact text is looked up.
        context: the rest of `text`, such as earlier turns: it must be equal, as scope and fingerprint must,
            where a question is only alike.
    """

    text: str
    scope: str = ""
    fingerprint: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)
    salient: str | None = None
    context: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model returned.

    Attributes:
        value: str, bytes or a JSON-able object; None is handed on but never stored.
        usage: tokens and seconds.
        finish_reason: as the provider names it; None counts as a normal end.
        model: the model that answered; None stands for the one that was asked, and hooks see its name.
        reasoning: what the model showed of its thoughts; no part of the answer, and not stored.
    """

    value: Any
    usage: Usage = Usage()
    finish_reason: str | None = None
    model: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """How a request was answered, and why. Amounts are in `unit`.

    Attributes:
        id: names this decision in `observe`.
        kind: "hit" when a stored answer was served, "call" when a model ran.
        model: the model that answered; None for an entry that was stored by hand.
        reason: one or two words, such as "exact", "semantic", "exploring" or "fallback".
        unit: "usd", or "seconds" where not every model has a price.
        cost: paid now for the answer, wrong or right; 0.0 for a hit, None where it could not be known.
        saved: for a hit what the stored answer had cost; for a call the expected cost of the router's
            baseline less the cost paid, which is negative for an unusually dear call.
        lower: lower confidence bound of each model's cost, errors included.
        mean: mean cost of each model tried on this query.
        tries: how often each model was tried on this query.
        propensity: probability with which this choice was made.
        hit_id: names the entry that was served, for `forget`.
        age_seconds: age of that entry.
        arm: what the router chose: a model, or a cascade of models. None for a hit.
        failed: the models that failed on the way to this answer, in order.
        degraded: one of them is the router's baseline, "the best model": what answers is the second best.
        prior: what the router's multiplexer expects each model to cost on this query; empty without one.
        similarity: for a hit by meaning the cosine similarity of the two texts; None otherwise.
        risk: for a hit by meaning the probability that its answer is wrong, on the safe side; None otherwise.
    """

    id: str
    kind: Literal["hit", "call"]
    model: str | None
    reason: str
    unit: Unit
    cost: float | None = 0.0
    saved: float = 0.0
    lower: Mapping[str, float] = field(default_factory=dict)
    mean: Mapping[str, float] = field(default_factory=dict)
    tries: Mapping[str, float] = field(default_factory=dict)
    propensity: float = 1.0
    hit_id: str | None = None
    age_seconds: float | None = None
    arm: str | None = None
    failed: tuple[str, ...] = ()
    degraded: bool = False
    prior: Mapping[str, float] = field(default_factory=dict)
    similarity: float | None = None
    risk: float | None = None

    def _priced(self, cost: float | None, saved: float) -> "Decision":
        """The same at another cost; `dataclasses.replace` takes three times as long."""
        values: list[Any] = [*_BEFORE_COST(self), cost, saved, *_AFTER_SAVED(self)]
        return Decision(*values)


_BEFORE_COST = attrgetter("id", "kind", "model", "reason", "unit")
_AFTER_SAVED = attrgetter(
    "lower",
    "mean",
    "tries",
    "propensity",
    "hit_id",
    "age_seconds",
    "arm",
    "failed",
    "degraded",
    "prior",
    "similarity",
    "risk",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The value, the decision behind it, and the model's reply where one was called."""

    value: Any
    decision: Decision
    reply: Reply | None = None
