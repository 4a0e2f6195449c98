"""The pipeline: key, exact, semantic, claim, route, call, observe. Written once, and the only one.

`answer` is a generator. It performs nothing: it yields the effects it needs and is sent their results; a
failure is thrown in, so that clean-up is written once as well. Drivers perform the effects, with calls or
with awaits; `run`, `arun`, `stream` and `astream` are the four ways to drive it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self, TypeVar

from lecmux._asked_hook import Word
from lecmux._attempt import Attempt, Check, Outcome
from lecmux._consulting import COST_HOOKS, KEY_HOOKS, REPLY_HOOKS, consulted
from lecmux._deadline import Deadline, within
from lecmux._hook_runner import Consult, HookRunner, one_of
from lecmux._semantic import Embed, Flying, compared, follow, learn, proposed, semantic
from lecmux._settle import settle
from lecmux._shadow import note
from lecmux._single_flight import Claim, Role, SingleFlight
from lecmux._stages import Codec, Core
from lecmux._time_limit import TimeLimit
from lecmux.errors import ValueTypeError
from lecmux.query import Answer, Decision, Key, Query, Reply, Usage

__all__ = [
    "Call",
    "Check",
    "Claim",
    "Codec",
    "Consult",
    "Core",
    "Deadline",
    "Drive",
    "Effect",
    "Embed",
    "HookRunner",
    "Pipeline",
    "SingleFlight",
    "TimeLimit",
    "Word",
    "answer",
    "arun",
    "astream",
    "learn",
    "proposed",
    "reply_from",
    "run",
    "stream",
    "within",
]

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


@dataclass(slots=True)
class Call:
    """Effect: call the model named `model` with `query`; the driver sends back a Reply.

    Attributes:
        model: its name.
        query: the request.
        decision: as far as it goes by now.
        on_trial: the answer will be checked. A driver that hands pieces on keeps these until the pipeline
            has ended, or until a later call has brought the answer.
        final: set by a driver that has handed a piece on: where the model fails then, no other is asked.
    """

    model: str
    query: Query
    decision: Decision
    on_trial: bool = False
    final: bool = False


Effect = Claim | Call | Consult | Check | Embed
"""What `answer` yields, and a driver performs."""
Pipeline = Generator[Effect, Any, Answer]
"""One request on its way: yields effects, is sent their results, returns the answer."""


def answer(query: Query, core: Core, *, single_flight: bool = True) -> Pipeline:
    """Answers one request: from the store, or by one call that other requests for the same key wait for.

    A request that waited for another one's answer is served it, stored or not; where it was refused by
    admission, each calls for itself.

    Args:
        query: the request.
        core: the parts of the cache it runs on.
        single_flight: False for a consumer that may stop pulling, such as a stream: nobody should wait
            for it.
    """
    if core.awaits:
        core = yield from consulted(core, KEY_HOOKS, query)
    key = core.key(query)
    found = core.exact(key)
    if core.shadow:
        return (yield from _compare(query, key, core, found))
    if found:
        return found
    if key is not None and core.means(query, key):
        core, found = yield from semantic(query, key, core)
    return found or (yield from _claimed(query, key, core, single_flight=single_flight))


def _claimed(query: Query, key: Key | None, core: Core, *, single_flight: bool) -> Pipeline:
    """Asks a model, unless another request for the same key does so: then its answer is waited for."""
    if key is None or not single_flight or not core.shares(key):
        return (yield from _ask(query, key, core))
    if core.proposal is not None:
        core, found = yield from follow(key, core)
        if found:
            return found
    try:
        claim = Claim(key, core.flight)
        role = yield claim
    except Exception as error:  # the claim is ours: its failure must not fail the request
        core.incident("claim", error)
        return (yield from _ask(query, key, core))
    with core.leading(key, role), Flying(core, key):
        found = core.exact(key, again=True)
        if found is None and role == "done":  # who leads asks: nobody has just answered
            found = core.handed(key, claim.handoff)
        if found:
            return found
        return (yield from _ask(query, key, core))


def _ask(query: Query, key: Key | None, core: Core) -> Pipeline:
    decision = yield from _routed(query, key, core)
    return (yield from _called(query, key, core, decision))


def _routed(query: Query, key: Key | None, core: Core) -> Generator[Effect, Any, Decision]:
    decision = core.choose(key, query)
    if core.awaits and len(core.among) > 1:
        core = yield from consulted(core, ("route",), query, decision, check=one_of(core.among))
    return core.route(query, key, decision)


def _called(query: Query, key: Key | None, core: Core, decision: Decision) -> Pipeline:
    """Asks the model chosen, and another where it fails or its answer is not good enough."""
    attempt = Attempt(core, query, key, decision)
    while attempt.model is not None:
        call = Call(attempt.model, query, attempt.decision, attempt.on_trial)
        try:
            reply = yield call
        except Exception as error:  # an interrupt or a cancelled task is no failure of the model
            attempt.fail(error, final=call.final)
            continue
        if attempt.on_trial and not (yield from _passes(attempt, reply, core)):
            priced = (yield from consulted(core, ("cost",), query, reply)) if core.awaits else core
            attempt.refuse(reply, cost=priced.spend(query, call.model, reply))
        else:
            attempt.take(reply)
    return (yield from _observed(query, key, core, attempt.outcome()))


def _passes(attempt: Attempt, reply: Reply, core: Core) -> Generator[Effect, Any, bool]:
    """Whether the first answer of a cascade is good enough. A check that fails cannot say so."""
    try:
        word: Word = yield attempt.check(reply)
    except Exception as error:
        core.incident("check", error)
        return False
    return bool(word.value)


def _observed(query: Query, key: Key | None, core: Core, outcome: Outcome) -> Pipeline:
    same = None
    if key is not None and core.proposal is not None:
        same = yield from compared(core, key, outcome.reply)
    if core.awaits:
        names = REPLY_HOOKS if core.stores(key) else COST_HOOKS
        core = yield from consulted(core, names, query, outcome.reply)
    return settle(core, query, key, outcome, same=same)


def _compare(query: Query, key: Key | None, core: Core, stored: Answer | None) -> Pipeline:
    """In shadow: asks the baseline, and notes what the stored answer or the route would have saved."""
    if stored is None and key is not None and core.means(query, key):
        core, stored = yield from semantic(query, key, core)
    alike = core if stored and core.proposal is not None else None
    instead = stored.decision if stored else core.steer(query, core.choose(key, query))
    if stored:  # it would have been served, and stayed as it is
        core = replace(core, mode="skip")
    answer = yield from _called(query, key, core, core.compare(key, instead))
    if stored and core.awaits:
        core = yield from consulted(core, ("same_answer",), stored.value, answer.value)
    same = None
    if alike is not None and key is not None and answer.reply is not None:  # here a hit has a label as well
        same = yield from learn(replace(alike, hooks=core.hooks), key, answer.reply)
    note(core, key, instead, stored, answer, same=same)
    return answer


class Drive:
    """A pipeline under way: perform `effect` inside `with`, and leave what it gave in `result`.

    What the block raises is thrown into the pipeline, which cleans up and lets it pass. When `effect` is
    None, `answer` is there.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.result: Role | Reply | Word | None = None
        self.effect: Effect | None = None
        self._step(pipeline.__next__)

    @property
    def answer(self) -> Answer:
        """What the pipeline returned."""
        return self._answer

    def __enter__(self) -> Self:
        self.result = None
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is not None:
            self._step(partial(self._pipeline.throw, error))
        elif self.result is None:
            self._step(partial(self._pipeline.throw, _no_reply()))
        else:
            self._step(partial(self._pipeline.send, self.result))
        return True

    def _step(self, advance: Callable[[], Effect]) -> None:
        self.effect = None
        try:
            self.effect = advance()
        except StopIteration as stop:
            self._answer: Answer = stop.value


def _no_reply() -> ValueTypeError:
    return ValueTypeError("a call must end with a Reply")


def run(pipeline: Generator[Effect, Any, Result], call: Callable[[Call], Reply]) -> Result:
    """Drives with plain calls; `call` performs a Call."""
    try:
        effect = pipeline.send(None)
        while True:  # as a Drive does it, without the calls in between
            try:
                result = call(effect) if isinstance(effect, Call) else effect.wait()
            except BaseException as error:
                effect = pipeline.throw(error)
            else:
                effect = pipeline.throw(_no_reply()) if result is None else pipeline.send(result)
    except StopIteration as stop:
        returned: Result = stop.value
        return returned


async def arun(pipeline: Generator[Effect, Any, Result], call: Callable[[Call], Awaitable[Reply]]) -> Result:
    """Drives with awaits; a cancelled task gives its claim back."""
    try:
        effect = pipeline.send(None)
        while True:
            try:
                result = await (call(effect) if isinstance(effect, Call) else effect.wait_async())
            except BaseException as error:
                effect = pipeline.throw(error)
            else:
                effect = pipeline.throw(_no_reply()) if result is None else pipeline.send(result)
    except StopIteration as stop:
        returned: Result = stop.value
        return returned


def stream(
    pipeline: Pipeline, call: Callable[[Call], Generator[Chunk | Reply, None, None]]
) -> Generator[Chunk | Answer, None, None]:
    """Drives while handing chunks on: yields the model's chunks and, last, the Answer.

    `call` yields chunks and, last, the merged Reply. An answer from the store yields no chunk. Closing the
    generator early stores nothing. Chunks of an answer on trial are kept until it has passed.
    """
    drive = Drive(pipeline)
    kept: list[Chunk] = []
    while effect := drive.effect:
        with drive:
            if not isinstance(effect, Call):
                drive.result = effect.wait()
                continue
            with closing(call(effect)) as items:
                for item in items:
                    if effect.on_trial and not isinstance(item, Reply):
                        kept.append(item)
                        continue
                    effect.final = not effect.on_trial
                    if effect.final:
                        kept.clear()
                    if isinstance(item, Reply):
                        drive.result = item
                    else:
                        yield item
    yield from kept
    yield drive.answer


async def astream(
    pipeline: Pipeline, call: Callable[[Call], AsyncGenerator[Chunk | Reply, None]]
) -> AsyncGenerator[Chunk | Answer, None]:
    """As `stream`, with awaits."""
    drive = Drive(pipeline)
    kept: list[Chunk] = []
    while effect := drive.effect:
        with drive:
            if not isinstance(effect, Call):
                drive.result = await effect.wait_async()
                continue
            async with aclosing(call(effect)) as items:
                async for item in items:
                    if effect.on_trial and not isinstance(item, Reply):
                        kept.append(item)
                        continue
                    effect.final = not effect.on_trial
                    if effect.final:
                        kept.clear()
                    if isinstance(item, Reply):
                        drive.result = item
                    else:
                        yield item
    for chunk in kept:
        yield chunk
    yield drive.answer


def reply_from(result: Any, seconds: float, model: str | None = None) -> Reply:
    """What a model returned as a Reply.

    A usage without seconds gets the measured ones, and a reply that names no model the one that was asked.
    """
    reply = result if isinstance(result, Reply) else Reply(result)
    usage = reply.usage
    if not isinstance(usage, Usage):
        raise ValueTypeError(f"the usage of a Reply must be a Usage(...), not {usage!r}")
    if usage.seconds and (reply.model is not None or model is None):
        return reply
    if not usage.seconds:
        usage = replace(usage, seconds=max(0.0, seconds))
    return Reply(reply.value, usage, reply.finish_reason, reply.model or model, reply.reasoning)
