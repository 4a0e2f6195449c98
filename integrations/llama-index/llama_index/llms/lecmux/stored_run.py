"""A stored answer as handlers see a model's: the same events as for a call, once each.

The older callback handlers are told neither messages nor prompt, for they count tokens from them, and a hit
spends none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionInProgressEvent,
    LLMCompletionStartEvent,
)
from llama_index_instrumentation.base import BaseEvent

from lecmux import Decision
from llama_index.llms.lecmux.asking import Asking
from llama_index.llms.lecmux.events import dispatcher, heard, tell_hit
from llama_index.llms.lecmux.responses import Response


class StoredRun:
    """Tells of one hit: `start`, then `chunk` for each piece of a stream, then `end` or `fail`.

    A handler that raises, such as one with a budget of tokens, fails no hit: it is counted as an incident.
    """

    def __init__(
        self,
        asking: Asking,
        decision: Decision,
        manager: CallbackManager,
        trouble: Callable[[str, Exception], None],
    ) -> None:
        self._asking = asking
        self._decision = decision
        self._manager = manager if manager.handlers else None
        self._trouble = trouble
        self._about = {"class_name": "lecmux-stored-answer", "model_name": decision.model or "stored"}
        self._event_id = ""
        self._last: Any = None

    def whole(self, response: Response) -> None:
        """Tells of an answer in one piece."""
        self.start()
        self.end(response)

    def start(self) -> None:
        """It is about to be handed out."""
        tell_hit(self._decision)
        asking = self._asking
        options = dict(asking.options)
        if asking.form == "chat":
            self._tell(
                lambda: LLMChatStartEvent(
                    messages=asking.messages, additional_kwargs=options, model_dict=self._about
                )
            )
        else:
            self._tell(
                lambda: LLMCompletionStartEvent(
                    prompt=asking.prompt, additional_kwargs=options, model_dict=self._about
                )
            )
        self._begin()

    def chunk(self, response: Response) -> None:
        """One piece of a stream."""
        self._last = response
        kind: Any = LLMChatInProgressEvent if self._asking.form == "chat" else LLMCompletionInProgressEvent
        self._tell(lambda: kind(**self._asked(), response=response))

    def end(self, response: Response | None = None) -> None:
        """All of it was handed out."""
        last = response or self._last
        kind: Any = LLMChatEndEvent if self._asking.form == "chat" else LLMCompletionEndEvent
        self._finish({EventPayload.RESPONSE: last})
        self._tell(lambda: kind(**self._asked(), response=last))

    def fail(self, error: BaseException) -> None:
        """Its reader left early, or something failed."""
        self._finish({EventPayload.EXCEPTION: error})

    def _asked(self) -> dict[str, Any]:
        asking = self._asking
        return {"messages": asking.messages} if asking.form == "chat" else {"prompt": asking.prompt}

    def _tell(self, event: Callable[[], BaseEvent]) -> None:
        """Making an event takes longer than serving a hit, so it is made where somebody listens."""
        if heard():
            with self._contained():
                dispatcher.event(event())

    def _begin(self) -> None:
        if self._manager is None:
            return
        with self._contained(), self._manager.as_trace(self._asking.form):
            payload: dict[str, Any] = {EventPayload.SERIALIZED: self._about}
            self._event_id = self._manager.on_event_start(CBEventType.LLM, payload=payload)

    def _finish(self, payload: dict[str, Any]) -> None:
        if self._manager is None:
            return
        with self._contained():
            self._manager.on_event_end(CBEventType.LLM, payload=payload, event_id=self._event_id)

    @contextmanager
    def _contained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._trouble("callbacks", error)
