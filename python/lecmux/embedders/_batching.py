"""Texts that several threads ask about at the same time, embedded in one call."""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from lecmux.embedders._rows import unit_rows
from lecmux.embedders._texts import listed
from lecmux.errors import ConfigError

if TYPE_CHECKING:
    from lecmux.embedders import Embedder

__all__ = ["Batched"]


class Batched:
    """An embedder that joins what several threads ask at the same time into one call.

    Whoever asks first waits `wait_seconds` for others, or not at all where that is 0, and then embeds for all
    who have asked. Those who ask meanwhile are embedded together by the next. It pays where a call has a
    price of its own, as an endpoint's has, and where a batch is faster than its texts one by one; on a CPU
    measure it first. An error reaches everybody whose texts were in the call.

    Args:
        embedder: makes the vectors.
        wait_seconds: how long the first waits for others, at most.
        max_texts: texts of a call, unless one caller alone has more.

    Raises:
        ConfigError: when `wait_seconds` is negative or `max_texts` below 1.
    """

    def __init__(self, embedder: "Embedder", *, wait_seconds: float = 0.0, max_texts: int = 32) -> None:
        if wait_seconds < 0 or max_texts < 1:
            raise ConfigError(
                f"wait_seconds must be at least 0 and max_texts at least 1, got {wait_seconds}, {max_texts}"
            )
        self._inner = embedder
        self._wait = wait_seconds
        self._max = max_texts
        self._changed = threading.Condition()
        self._asked: list[tuple[list[str], Future[Any]]] = []
        self._leads = False
        self._calls = 0

    @property
    def name(self) -> str:
        """As the embedder within: the vectors are its own."""
        return self._inner.name

    @property
    def dim(self) -> int:
        """Coordinates of a vector."""
        return self._inner.dim

    @property
    def calls(self) -> int:
        """Calls of the embedder within."""
        return self._calls

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`: a buffer (n, dim) of float32, each row of length 1.

        Raises:
            ValueTypeError: for one text instead of a sequence, or an item that is no text.
        """
        found = listed(texts)
        if not found:
            return self._inner.embed(found)
        answer: Future[Any] = Future()
        with self._changed:
            self._asked.append((found, answer))
            self._changed.notify_all()
        while self._leading(answer):
            self._lead()  # for others, where they fill the call
        return answer.result()

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, on a worker thread."""
        return await asyncio.to_thread(self.embed, texts)

    def _leading(self, answer: "Future[Any]") -> bool:
        """Waits for the answer, False, or for the lead, True."""
        with self._changed:
            while self._leads and not answer.done():
                self._changed.wait()
            if answer.done():
                return False
            self._leads = True
            return True

    def _lead(self) -> None:
        """Embeds what has been asked, and hands the lead on."""
        try:
            until = time.monotonic() + self._wait
            with self._changed:
                while self._count() < self._max and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
                batch = self._taken()
            self._answer(batch)
        finally:
            with self._changed:
                self._leads = False
                self._changed.notify_all()

    def _count(self) -> int:
        return sum(len(texts) for texts, _ in self._asked)

    def _taken(self) -> list[tuple[list[str], Future[Any]]]:
        """Who has asked first, as many as a call takes, at least one."""
        count, end = 0, 0
        for texts, _ in self._asked:
            if end and count + len(texts) > self._max:
                break
            count, end = count + len(texts), end + 1
        batch, self._asked = self._asked[:end], self._asked[end:]
        return batch

    def _answer(self, batch: list[tuple[list[str], "Future[Any]"]]) -> None:
        joined = [text for texts, _ in batch for text in texts]
        try:
            self._calls += 1
            rows = memoryview(unit_rows(self._inner.embed(joined), len(joined), None, self.name))
        except BaseException as error:
            for _, answer in batch:
                answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        cells, width = rows.cast("B"), rows.nbytes // len(joined)
        at = 0
        for texts, answer in batch:
            part = cells[at * width : (at + len(texts)) * width]
            answer.set_result(part.cast("f", (len(texts), width // rows.itemsize)))
            at += len(texts)
