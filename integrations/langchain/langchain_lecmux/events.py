"""Typed event streams (`stream_events(version="v3")`): the pipeline ends when the model's own run does.

Such a stream is pulled by its reader, long after the router has returned it, so the router listens to the
run of the model it chose. There is no run of the router's own: a stream that nobody reads would never end
it.

Where another model may answer, the first event is pulled before the stream is returned, and all of them where
an answer is on trial. A stream keeps its events, so its reader gets them all the same.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs

from langchain_lecmux.facts import decision_metadata
from langchain_lecmux.generated import Generated, reply
from langchain_lecmux.recording import Recorder
from langchain_lecmux.replay import StoredAnswer
from langchain_lecmux.wiring import Turn
from lecmux import Reply
from lecmux.facts import facts
from lecmux.flow import Call, Drive


def advance(drive: Drive) -> None:
    """Performs what the pipeline needs beside calls."""
    while (effect := drive.effect) and not isinstance(effect, Call):
        with drive:
            drive.result = effect.wait()


async def aadvance(drive: Drive) -> None:
    """As `advance`, awaited."""
    while (effect := drive.effect) and not isinstance(effect, Call):
        with drive:
            drive.result = await effect.wait_async()


class Settling(Recorder):
    """Feeds the end of one model run to the pipeline that asked for it.

    `stream`: of that run.
    """

    def __init__(self, drive: Drive, effect: Call) -> None:
        super().__init__()
        self._drive = drive
        self._effect = effect
        self._started = time.perf_counter()
        self._open = True
        self._generation: Any = None
        self.stream: Any = None
        self.raised: BaseException | None = None

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """The reader began to pull."""
        self._started = time.perf_counter()

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """The model ended normally: its answer is learnt from and stored."""
        if not self._open:
            return
        self._open = False
        self._generation = response.generations[0][0]
        with self._drive:
            self._drive.result = self._reply(self._generation)
        advance(self._drive)
        self.tell()

    def on_llm_error(self, error: BaseException, **_: Any) -> None:
        """The model failed, or its reader stopped: `raised`, or the drive, tells what came of it."""
        if not self._open:
            return
        self._open = False
        try:
            with self._drive:
                raise error
        except BaseException as passed:
            self.raised = passed

    def tell(self) -> None:
        """Tells of the decision on the message, once it is made."""
        if self._generation is None or self._drive.effect is not None:
            return
        message = self._generation.message
        told = facts(self._drive.answer.decision)
        message.response_metadata = {**message.response_metadata, "lecmux": told}

    def _reply(self, generation: ChatGeneration) -> Reply:
        generated = Generated((ChatGeneration(message=generation.message),), plan=self.plan)
        return replace(
            reply(generated, seconds=time.perf_counter() - self._started), model=self._effect.model
        )


class AsyncSettling(Settling):
    """As `Settling`, for a stream that is awaited."""

    async def on_llm_end(self, response: LLMResult, **_: Any) -> None:  # type: ignore[override]
        """The model ended normally: its answer is learnt from and stored."""
        if not self._open:
            return
        self._open = False
        self._generation = response.generations[0][0]
        with self._drive:
            self._drive.result = self._reply(self._generation)
        await aadvance(self._drive)
        self.tell()


@dataclass(frozen=True, slots=True)
class _Asking:
    """One request for typed events, on its way through the pipeline."""

    turn: Turn
    models: Mapping[str, BaseChatModel]
    config: RunnableConfig
    method: str
    drive: Drive

    @property
    def alone(self) -> bool:
        """Whether no other model may answer, so that the stream is left to its reader from the start."""
        return len(self.turn.core.among) == 1

    def begin(self, effect: Call, settling: Settling) -> Any:
        """The events of the model that is asked."""
        caller = self.turn.caller
        told = decision_metadata(effect.decision)
        heard = merge_configs(self.config, {"callbacks": [settling], "metadata": told})
        ask = getattr(self.models[effect.model], self.method)
        return ask(caller.asking.messages, heard, version="v3", **caller.options(effect))

    def replay(self) -> Any:
        """The events of a stored answer."""
        asking = self.turn.caller.asking
        stored = StoredAnswer.of(self.turn.finished(self.drive.answer))
        return getattr(stored, self.method)(asking.messages, self.config, version="v3", **asking.replayed)


def typed_events(turn: Turn, models: Mapping[str, BaseChatModel], config: RunnableConfig) -> Any:
    """The stream whose events answer.

    It is that of the model chosen, of another where that fails or does not do, or of a stored answer.
    """
    drive = Drive(turn.pipeline(single_flight=False))
    asking = _Asking(turn, models, config, "stream_events", drive)
    advance(drive)
    if drive.effect is None:
        return asking.replay()
    turn.looked_up(hit=False)
    refused: Settling | None = None
    while isinstance(effect := drive.effect, Call):
        settling = Settling(drive, effect)
        settling.stream = asking.begin(effect, settling)
        if asking.alone and not effect.on_trial and refused is None:
            return settling.stream
        try:
            if effect.on_trial:
                _ = settling.stream.output
            else:
                next(iter(settling.stream), None)
        except Exception as error:
            settling.on_llm_error(error)
            if settling.raised is None:
                advance(drive)
            _require_more(drive, settling, error)
            continue
        if _answers(drive, effect):
            return settling.stream
        refused = settling
    return _given_back(refused)


async def atyped_events(turn: Turn, models: Mapping[str, BaseChatModel], config: RunnableConfig) -> Any:
    """As `typed_events`, awaited."""
    drive = Drive(turn.pipeline(single_flight=False))
    asking = _Asking(turn, models, config, "astream_events", drive)
    await aadvance(drive)
    if drive.effect is None:
        return await asking.replay()
    turn.looked_up(hit=False)
    refused: Settling | None = None
    while isinstance(effect := drive.effect, Call):
        settling = AsyncSettling(drive, effect)
        settling.stream = await asking.begin(effect, settling)
        if asking.alone and not effect.on_trial and refused is None:
            return settling.stream
        try:
            if effect.on_trial:
                await settling.stream
            else:
                await anext(aiter(settling.stream), None)
        except Exception as error:
            settling.on_llm_error(error)
            if settling.raised is None:
                await aadvance(drive)
            _require_more(drive, settling, error)
            continue
        if _answers(drive, effect):
            return settling.stream
        refused = settling
    return _given_back(refused)


def _answers(drive: Drive, effect: Call) -> bool:
    """Whether the model of `effect` has begun to answer, or has passed its trial: no other will."""
    effect.final = not effect.on_trial or drive.effect is None
    return effect.final


def _require_more(drive: Drive, settling: Settling, error: Exception) -> None:
    """Raises where nobody else is to be asked, and nothing is to be given back."""
    if settling.raised is not None:
        raise settling.raised from None
    if drive.effect is None and drive.answer.reply is None:
        raise error


def _given_back(refused: Settling | None) -> Any:
    """An answer that a check had refused, where all that came after it failed."""
    assert refused is not None, "a pipeline that has ended without a stream gives one back"
    refused.tell()
    return refused.stream
