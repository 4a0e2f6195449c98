"""Equal prompts at once: one model call, and exactly one more where the first one fails or is cancelled."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from offline_model import OfflineToolChat
from pydantic import PrivateAttr

from langchain_lecmux import ChatRouter, LECCache

MANY = 64


class Held(OfflineToolChat):
    """Counts the calls that began, and holds each until it is let go; the first may fail."""

    fail_first: bool = False
    _begun: list[int] = PrivateAttr(default_factory=list)
    _entered: threading.Event = PrivateAttr(default_factory=threading.Event)
    _let_go: threading.Event = PrivateAttr(default_factory=threading.Event)
    _aentered: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _alet_go: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    def _began(self) -> None:
        self._begun.append(1)
        self._entered.set()
        self._aentered.set()

    def _ended(self) -> None:
        if self.fail_first:
            self.fail_first = False
            raise RuntimeError("overloaded")

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._began()
        assert self._let_go.wait(30)
        self._ended()
        return super()._generate(messages, *args, **kwargs)

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._began()
        await asyncio.wait_for(self._alet_go.wait(), 30)
        self._ended()
        return await super()._agenerate(messages, *args, **kwargs)


def router(held: Held) -> ChatRouter:
    return ChatRouter(models={"only": held}, cache=LECCache())


def texts(answers: list[Any]) -> set[str]:
    return {answer.text for answer in answers if not isinstance(answer, BaseException)}


def failures(answers: list[Any]) -> int:
    return sum(isinstance(answer, BaseException) for answer in answers)


@pytest.mark.parametrize("fails", [False, True])
def test_64_equal_prompts_of_threads(fails: bool) -> None:
    held = Held(fail_first=fails)
    model = router(held)
    with ThreadPoolExecutor(MANY) as pool:
        asked = [pool.submit(model.invoke, "hi") for _ in range(MANY)]
        assert held._entered.wait(30)
        held._let_go.set()
        answers = [each.exception() or each.result() for each in asked]
    assert len(held._begun) == 1 + fails
    assert failures(answers) == fails
    assert texts(answers) == {"offline-tools heard: hi"}


@pytest.mark.parametrize("fails", [False, True])
def test_64_equal_prompts_of_a_batch(fails: bool) -> None:
    held = Held(fail_first=fails)
    held._let_go.set()
    answers = router(held).batch(["hi"] * MANY, {"max_concurrency": MANY}, return_exceptions=True)
    assert len(held._begun) == 1 + fails
    assert failures(answers) == fails
    assert len({answer.id for answer in answers if not isinstance(answer, BaseException)}) == MANY - fails


@pytest.mark.parametrize("fails", [False, True])
async def test_64_equal_prompts_of_an_async_batch(fails: bool) -> None:
    held = Held(fail_first=fails)
    running = asyncio.create_task(router(held).abatch(["hi"] * MANY, return_exceptions=True))
    await asyncio.wait_for(held._aentered.wait(), 30)
    held._alet_go.set()
    answers = await running
    assert len(held._begun) == 1 + fails
    assert failures(answers) == fails
    assert texts(answers) == {"offline-tools heard: hi"}


def test_equal_prompts_at_once_are_counted_as_one_call() -> None:
    """Those who waited paid nothing: their usage is zero and callbacks count the tokens once."""
    held = Held()
    held._let_go.set()
    with get_usage_metadata_callback() as counted:
        answers = router(held).batch(["hi there"] * MANY, {"max_concurrency": MANY})
    spent = [answer.usage_metadata["total_tokens"] for answer in answers]
    assert sum(tokens > 0 for tokens in spent) == 1
    assert counted.usage_metadata["offline-tools"]["total_tokens"] == max(spent)
    assert {answer.response_metadata["lecmux"]["kind"] for answer in answers} == {"call", "hit"}


async def test_when_the_first_of_64_is_cancelled_one_takes_over() -> None:
    held = Held()
    model = router(held)
    first = asyncio.create_task(model.ainvoke("hi"))
    await asyncio.wait_for(held._aentered.wait(), 30)
    others = [asyncio.create_task(model.ainvoke("hi")) for _ in range(MANY - 1)]
    await asyncio.sleep(0)
    first.cancel()
    held._alet_go.set()
    answers = await asyncio.gather(first, *others, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert failures(answers) == 1
    assert len(held._begun) == 2
    assert texts(answers) == {"offline-tools heard: hi"}


async def test_cancelling_those_who_wait_disturbs_nobody() -> None:
    held = Held()
    model = router(held)
    first = asyncio.create_task(model.ainvoke("hi"))
    await asyncio.wait_for(held._aentered.wait(), 30)
    others = [asyncio.create_task(model.ainvoke("hi")) for _ in range(MANY - 1)]
    await asyncio.sleep(0)
    for each in others[::2]:
        each.cancel()
    held._alet_go.set()
    answers = await asyncio.gather(first, *others, return_exceptions=True)
    assert failures(answers) == MANY // 2
    assert len(held._begun) == 1


async def test_different_prompts_do_not_wait_for_each_other() -> None:
    held = Held()
    held._alet_go.set()
    answers = await router(held).abatch([f"prompt {place % 4}" for place in range(MANY)])
    assert len(held._begun) == 4
    assert len(texts(answers)) == 4
