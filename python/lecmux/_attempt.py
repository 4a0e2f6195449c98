"""One request on its way through the call stage: whom to ask, whom next, and what it has cost so far.

Another model is asked where one fails (fallback), and where the first of a cascade is not good enough.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from lecmux._asked_hook import Word
from lecmux.errors import ConfigError, ModelRequestError
from lecmux.query import Decision, Key, Query, Reply
from lecmux.routers.cascade import Cascade

if TYPE_CHECKING:
    from lecmux._stages import Core


@dataclass(frozen=True, slots=True)
class Before:
    """What one request had come to before the call whose answer it gives.

    Attributes:
        cost: paid for calls that failed or were not good enough; None where it cannot be known.
        seconds: that these calls took.
        lessons: the arms whose failure is to be learnt from, each with what had been paid when it was asked.
        given_back: the answer is one that a check had refused, and all that came after it failed.
    """

    cost: float | None = 0.0
    seconds: float = 0.0
    lessons: tuple[tuple[str, float], ...] = ()
    given_back: bool = False


NOTHING = Before()
_MOST_NOTES = 16


class Outcome(NamedTuple):
    """What the call stage came to."""

    decision: Decision
    reply: Reply
    before: Before


@dataclass(frozen=True, slots=True)
class Check:
    """Effect: ask the check of a cascade; the driver sends back its Word."""

    cascade: Cascade
    query: Query
    reply: Reply

    def wait(self) -> Word:
        """Asks with a call."""
        return Word(self.cascade.passes(self.query, self.reply))

    async def wait_async(self) -> Word:
        """Asks with an await, where the check is async."""
        return Word(await self.cascade.passes_async(self.query, self.reply))


class Attempt:
    """`model` is to be asked until it is None.

    Every ask ends in `take`, `refuse` or `fail`, and all of them in `outcome`.
    """

    def __init__(self, core: "Core", query: Query, key: Key | None, decision: Decision) -> None:
        self._core = core
        self._query = query
        self._key = key
        self._router = core.router
        self._cascade = core.router.cascade(decision.arm) if core.router else None
        self._errors: list[tuple[str, Exception]] = []
        self._refused: Reply | None = None
        self._reply: Reply | None = None
        self._before = NOTHING
        self.decision = decision
        self.model = decision.model
        self._begin()

    @property
    def on_trial(self) -> bool:
        """The answer will be checked, so none of it may be handed on yet."""
        return self._cascade is not None and self.model == self._cascade.first and not self._errors

    def check(self, reply: Reply) -> Check:
        """Asks whether an answer on trial is good enough."""
        if self._cascade is None:
            raise ConfigError("no cascade was chosen: nothing is on trial")
        return Check(self._cascade, self._query, reply)

    def take(self, reply: Reply) -> None:
        """The model answered."""
        self._worked()
        self._reply = reply
        self.model = None

    def refuse(self, reply: Reply, *, cost: float | None) -> None:
        """The model answered, but not well enough; None: nobody knows what that cost."""
        self._worked()
        self._refused = reply
        model = str(self.model)
        self._pay(model, cost, reply.usage.seconds)
        if self._cascade:
            self._turn_to(self._cascade.then, self.decision.reason)

    def _worked(self) -> None:
        if self._router:
            self._router.cooldown.worked(str(self.model))

    def fail(self, error: Exception, *, final: bool) -> None:
        """The model failed; `final` where part of its answer was handed on, so that no other may answer."""
        model = str(self.model)
        self._errors.append((model, error))
        self.model = None
        if self._router is None:
            return
        self._learn_from(model, error)
        following = None if final or not self._router.fallback else self._next(model)
        if following is not None:
            self._core.incident("call", error)
            self._turn_to(following, "fallback")
        elif self._refused is not None and self._router.fallback and not final:
            self._core.incident("call", error)
            self._reply = self._refused
            self._before = replace(self._before, given_back=True)
            first = str(self._cascade.first if self._cascade else model)
            self._decide(first, "fallback")

    def outcome(self) -> Outcome:
        """The decision as it came out, the answer, and what was paid before it.

        Raises:
            Exception: the first failure, untouched but for notes on the others, where nobody answered.
        """
        if self._reply is not None:
            return Outcome(self.decision, self._reply, self._before)
        first = self._errors[0][1]
        for model, error in self._errors[1:]:
            note = f"then {model!r} failed too: {type(error).__name__}: {error}"
            known = getattr(first, "__notes__", ())
            if note not in known and len(known) < _MOST_NOTES:  # a model may raise one object again and again
                first.add_note(note)
        context = first.__context__
        try:
            raise first
        finally:
            first.__context__ = context  # what is being handled meanwhile is a later failure, not its cause

    @property
    def _failed(self) -> tuple[str, ...]:
        return tuple(model for model, _ in self._errors)

    def _begin(self) -> None:
        self._started = 0.0
        if self._router and len(self._router.models) > 1:
            self._started = self._core.now()
            self._router.cooldown.asked(str(self.model), self._started)

    def _turn_to(self, model: str, reason: str) -> None:
        self.model = model
        self._decide(model, reason)
        self._core.tell_route(self._key, self.decision)
        self._begin()

    def _decide(self, model: str, reason: str) -> None:
        failed = self._failed
        degraded = self._router is not None and self._router.baseline in failed
        self.decision = replace(self.decision, model=model, reason=reason, failed=failed, degraded=degraded)

    def _next(self, model: str) -> str | None:
        """Whom to ask after `model`: within a cascade the second, else whoever is expected to cost least."""
        tried = {model, *self._failed} | ({self._cascade.first} if self._cascade and self._refused else set())
        if self._cascade and model == self._cascade.first and self._cascade.then not in tried:
            return self._cascade.then
        return self._core.another(self._key, tried)

    def _learn_from(self, model: str, error: Exception) -> None:
        """Charges the time that was lost, and notes the failure.

        One failure is a lesson on this query. A second in a row is a model that is down, and that says
        nothing of the query: the cooldown keeps requests away from it.
        """
        router, core = self._router, self._core
        if router is None or len(router.models) == 1:
            return
        with core.contained("call"):
            now = core.now()
            seconds = max(0.0, now - self._started)
            arm = self.decision.arm if self._cascade and model in self._cascade.models else model
            failures = 1
            if not isinstance(error, ModelRequestError):  # that would be refused by a healthy model too
                rest = getattr(error, "retry_after_seconds", None)
                failures = router.cooldown.failed(model, now, rest_seconds=rest)
            known = {name for name, _ in self._before.lessons}
            if failures == 1 and arm is not None and arm not in known and self._before.cost is not None:
                earlier = 0.0 if arm == self.decision.arm else self._before.cost
                lessons = (*self._before.lessons, (arm, earlier))
                self._before = replace(self._before, lessons=lessons)
            self._pay(model, router.objective.wasted(model, seconds), seconds)

    def _pay(self, model: str, cost: float | None, seconds: float) -> None:
        """Books at once: it is paid, whatever becomes of the request."""
        before = self._before
        total = None if cost is None or before.cost is None else before.cost + cost
        self._before = replace(before, cost=total, seconds=before.seconds + seconds)
        self._core.book(self._key, model, cost, seconds)
