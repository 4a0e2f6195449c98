"""One generation in flight: a worker thread feeds it, the caller reads it, either may end it."""

import functools
import json
import queue
import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from lecmux.errors import ModelClosedError
from lecmux.models._jobs import OWN_THREAD, Job, Runner
from lecmux.query import Reply, Usage

_MILLISECONDS = 1000.0

Run = Callable[[Callable[[dict[str, Any]], None], threading.Event], None]


class Collected:
    """Puts the chunks of a streamed chat completion together; a whole completion is taken as one chunk.

    `worked`: count the seconds the server says it worked, where it does, instead of those that passed.
    """

    def __init__(self, *, worked: bool = True) -> None:
        self._worked = worked
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._tools: list[dict[str, Any]] = []
        self._open_tools: dict[int, dict[str, Any]] = {}
        self._finish_reason: str | None = None
        self._refused = False
        self.model: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._timings: Mapping[str, float] = {}
        self._started = perf_counter()

    @property
    def begun(self) -> bool:
        """True once there is a token, of whatever kind."""
        return bool(self._text or self._thoughts or self._tools or self._finish_reason)

    @property
    def finished(self) -> bool:
        """True once the model said why it ended."""
        return self._finish_reason is not None

    def add(self, chunk: Mapping[str, Any]) -> str:
        """Takes one chunk in; returns the text it adds, often "".

        Raises:
            AttributeError, KeyError, TypeError, ValueError: it is no chunk.
        """
        self._usage = _mapping(chunk, "usage") or self._usage
        self._timings = _mapping(chunk, "timings") or self._timings
        self.model = _text(chunk.get("model")) or self.model
        added = ""
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or choice.get("message") or {}
            self._finish_reason = _text(choice.get("finish_reason")) or self._finish_reason
            for call in delta.get("tool_calls") or ():
                self._add_tool_call(call)
            if thought := _text(delta.get("reasoning_content") or delta.get("reasoning")):
                self._thoughts.append(thought)
            self._refused = self._refused or bool(delta.get("refusal"))
            added += _text(delta.get("content")) or _text(delta.get("refusal"))
        if added:
            self._text.append(added)
        return added

    def reply(self, model: str) -> Reply:
        """The whole: text, or an assistant message where tools were called."""
        text = "".join(self._text)
        value = {"role": "assistant", "content": text, "tool_calls": self._tools} if self._tools else text
        reason = "refusal" if self._refused else self._finish_reason
        return Reply(value, self._used(), reason, model, "".join(self._thoughts) or None)

    def _add_tool_call(self, call: Mapping[str, Any]) -> None:
        """Continues the call of the same index. A new id begins a new one: some servers count none."""
        index = call.get("index") or 0
        whole = self._open_tools.get(index)
        if whole is None or (call.get("id") and whole["id"] and call["id"] != whole["id"]):
            whole = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            self._open_tools[index] = whole
            self._tools.append(whole)
        whole["id"] = _text(call.get("id")) or whole["id"]
        written = call.get("function") or {}
        arguments = written.get("arguments")
        whole["function"]["name"] += _text(written.get("name"))
        # Some servers send the arguments as an object.
        whole["function"]["arguments"] += (
            json.dumps(arguments) if isinstance(arguments, dict) else _text(arguments)
        )

    def _used(self) -> Usage:
        """Tokens and seconds. Those the model worked leave out the time it waited for its turn."""
        worked = _seconds(self._timings.get("prompt_ms")) + _seconds(self._timings.get("predicted_ms"))
        given = _mapping(self._usage, "prompt_tokens_details")
        made = _mapping(self._usage, "completion_tokens_details")
        return Usage(
            input_tokens=_count(self._usage.get("prompt_tokens")),
            output_tokens=_count(self._usage.get("completion_tokens")),
            seconds=worked if worked and self._worked else perf_counter() - self._started,
            cached_input_tokens=_count(given.get("cached_tokens")),
            cache_write_tokens=_count(given.get("cache_write_tokens")),
            reasoning_tokens=_count(made.get("reasoning_tokens")),
            image_input_tokens=_count(given.get("image_tokens")),
            image_output_tokens=_count(made.get("image_tokens")),
            audio_input_tokens=_count(given.get("audio_tokens")),
            audio_output_tokens=_count(made.get("audio_tokens")),
        )


def _mapping(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part that is an object; an empty one where it is anything else."""
    part = of.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    """A text, also one in parts; "" for None.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value)
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError(f"not a text: {value!r}")


def _count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _seconds(milliseconds: Any) -> float:
    good = isinstance(milliseconds, (int, float)) and 0 < milliseconds < float("inf")
    return milliseconds / _MILLISECONDS if good else 0.0


class Generation:
    """Text as it is generated; `lecmux.models.Stream` says what each method does.

    It belongs to the thread that reads it; `close` may be called from any.

    Args:
        name: of the model.
        run: generates: hands chunks to the first argument until done or the second is set.
        runner: where it runs: on a thread of its own, or in a model's queue, which may refuse it.
    """

    def __init__(self, name: str, run: Run, runner: Runner = OWN_THREAD) -> None:
        self._name = name
        self._chunks: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
        self._collected = Collected()
        self._reply: Reply | None = None
        self._ended = False
        self._stop = threading.Event()
        self._runner = runner
        # The job holds no reference to this object: a stream nobody reads any more can be collected.
        self._worker = Job(
            name,
            functools.partial(_work, run, self._chunks, self._stop),
            self._stop,
            functools.partial(self._chunks.put, None),
        )
        runner.submit(self._worker)

    @property
    def reply(self) -> Reply | None:
        """The whole reply; None until the stream has ended normally."""
        return self._reply

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while not self._ended:
            try:
                chunk = self._chunks.get()
            except BaseException:  # Ctrl-C while waiting: whoever pressed it waits for no token
                self._stop.set()
                self._ended = True
                raise
            if isinstance(chunk, dict):
                if text := self._collected.add(chunk):
                    return text
                continue
            self._ended = True
            if chunk is not None:
                raise chunk
            if self._stop.is_set():
                raise ModelClosedError(f"{self._name} was closed while it answered")
            self._reply = self._collected.reply(self._name)
        raise StopIteration

    def whole(self) -> Reply:
        """Reads to the end."""
        for _ in self:
            pass
        assert self._reply is not None, "a generation that ended without an error has a reply"
        return self._reply

    def close(self) -> None:
        """Stops at the next token and waits for that."""
        self._runner.withdraw(self._worker)
        self._worker.join()
        self._ended = True

    def stop(self) -> None:
        """Asks for the end without waiting; the reader sees it after the next token."""
        self._stop.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self._stop.set()


def _work(
    run: Run, chunks: "queue.SimpleQueue[dict[str, Any] | BaseException | None]", stop: threading.Event
) -> None:
    try:
        run(chunks.put, stop)
    except BaseException as error:  # raised in the reader
        chunks.put(error)
    else:
        chunks.put(None)
