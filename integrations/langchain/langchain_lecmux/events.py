"""Typed event streams (`stream_events(version="v3")`): the pipeline ends when the model's own run does.

Such a stream is pulled by its reader, long after the router has returned it, so the router listens to the
run of the model it chose. There is no run of the router's own: a stream that nobody reads would never end
it.
"""

import time
from dataclasses import replace
from typing import Any

from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_lecmux.generated import Generated, reply
from langchain_lecmux.recording import Recorder
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
    """Feeds the end of one model run to the pipeline that asked for it."""

    def __init__(self, drive: Drive, effect: Call) -> None:
        super().__init__()
        self._drive = drive
        self._effect = effect
        self._started = time.perf_counter()
        self._open = True

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """The reader began to pull."""
        self._started = time.perf_counter()

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """The model ended normally: its answer is learnt from and stored."""
        if not self._open:
            return
        self._open = False
        generation: Any = response.generations[0][0]
        with self._drive:
            self._drive.result = self._reply(generation)
        advance(self._drive)
        self._tell(generation)

    def on_llm_error(self, error: BaseException, **_: Any) -> None:
        """The model failed, or its reader stopped: nothing is stored; the reader has the error already."""
        if not self._open:
            return
        self._open = False
        try:
            with self._drive:
                raise error
        except BaseException as passed:
            if passed is not error:
                raise

    def _tell(self, generation: ChatGeneration) -> None:
        message = generation.message
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
        generation: Any = response.generations[0][0]
        with self._drive:
            self._drive.result = self._reply(generation)
        await aadvance(self._drive)
        self._tell(generation)
