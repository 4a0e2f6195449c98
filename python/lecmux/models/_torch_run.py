"""Runs one generation of a model that was loaded through transformers."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from lecmux.errors import LecmuxError, ModelError, ModelMemoryError, ModelRequestError
from lecmux.models._pieces import CallText, Decoder, StopWords
from lecmux.models._tool_calls import CALL_MARK, REQUIRED, forced_start, read_calls
from lecmux.models._torch import Loaded, out_of_memory
from lecmux.models.base import Message

_MILLISECONDS = 1000.0

OnChunk = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a model, checked."""

    messages: Sequence[Message]
    max_tokens: int | None
    temperature: float
    stop: tuple[str, ...]
    seed: int
    tools: tuple[Mapping[str, Any], ...]
    tool_choice: str | None = None


def run(name: str, loaded: Loaded, request: Request, on_chunk: OnChunk, stop: threading.Event) -> None:
    """Generates to the end, or until `stop` is set; hands the chunks of a streamed chat completion out.

    Raises:
        ModelRequestError: the messages do not fit, or the model's template does not take them or the tools.
        ModelMemoryError: the device has no memory left; the model stays usable.
        ModelError: torch failed otherwise.
    """
    try:
        _run(name, loaded, request, on_chunk, stop)
    except LecmuxError:
        raise
    except Exception as error:
        if not out_of_memory(loaded.torch, error):
            raise ModelError(f"{name} failed on {loaded.device}: {error}") from error
    else:
        return
    # Outside the handler, whose error held what the generation had computed.
    loaded.torch.cuda.empty_cache()
    raise ModelMemoryError(
        f"{loaded.device} has no memory left for this call of {name}; shorten the messages, lower "
        "max_tokens, close another model, or load it with dtype='bfloat16', with fewer context_tokens or on "
        "another device"
    )


def prompt_tokens(
    name: str, loaded: Loaded, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]
) -> Any:
    """The messages as the model's chat template writes them: an encoding with `input_ids`, shape (1, tokens).

    Raises:
        ModelRequestError: the template does not take the messages, or takes no tools.
    """
    if tools and not loaded.takes_tools:
        raise ModelRequestError(
            f"{name} was not trained to call tools: its chat template takes none; ask it without, or another"
        )
    try:
        return loaded.tokenizer.apply_chat_template(
            [_plain(name, message) for message in messages],
            tools=[dict(tool) for tool in tools] or None,
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
    except LecmuxError:
        raise
    except Exception as error:  # a template is a program: it raises what it likes
        raise ModelRequestError(f"{name}'s chat template refuses these messages: {error}") from error


def _run(name: str, loaded: Loaded, request: Request, on_chunk: OnChunk, stop: threading.Event) -> None:
    started = perf_counter()
    encoded = prompt_tokens(name, loaded, request.messages, request.tools)
    begun = _forced(name, loaded, request)
    inputs = _inputs(loaded, encoded["input_ids"], begun)
    count = inputs["input_ids"].shape[1]
    room = loaded.context_tokens - count
    if room < 1:
        raise ModelRequestError(
            f"{count:,} tokens leave no room for a reply in the context of {loaded.context_tokens:,} that "
            f"{name} was loaded with; shorten the messages, or load it with more context_tokens"
        )
    reader = _Reader(loaded, request, begun, on_chunk, stop)
    with loaded.torch.inference_mode():
        loaded.model.generate(
            **inputs,
            max_new_tokens=min(request.max_tokens or room, room),
            do_sample=False,
            logits_processor=[_Sampler(loaded, request)] if request.temperature else [],
            stopping_criteria=[reader],
            streamer=reader,
        )
    reader.close()
    on_chunk(_usage(count, reader, started))


def _forced(name: str, loaded: Loaded, request: Request) -> str:
    """The beginning of the call that is demanded; "" where the model may choose."""
    if request.tool_choice is None:
        return ""
    names = [_tool_name(tool) for tool in request.tools]
    if request.tool_choice != REQUIRED and request.tool_choice not in names:
        raise ModelRequestError(
            f"tool_choice {request.tool_choice!r} is none of the tools: {', '.join(names)}"
        )
    if not loaded.marks_calls:
        raise ModelRequestError(
            f"{name} cannot be held to a tool: its chat template does not begin calls with {CALL_MARK}; "
            "leave tool_choice out"
        )
    return forced_start(request.tool_choice, names)


def _inputs(loaded: Loaded, prompt: Any, begun: str) -> dict[str, Any]:
    """What is generated from, on the model's device; shape (1, tokens) each."""
    torch = loaded.torch
    if begun:
        begun_ids = loaded.tokenizer(begun, add_special_tokens=False, return_tensors="pt")["input_ids"]
        prompt = torch.cat([prompt, begun_ids], dim=1)
    prompt = prompt.to(loaded.device)
    return {"input_ids": prompt, "attention_mask": torch.ones_like(prompt)}


class _Reader:
    """Takes tokens as they come, and says when to stop: both a streamer and a criterion of transformers."""

    def __init__(
        self, loaded: Loaded, request: Request, begun: str, on_chunk: OnChunk, stop: threading.Event
    ) -> None:
        self._loaded = loaded
        self._on_chunk = on_chunk
        self._stop = stop
        self._decoder = Decoder(lambda tokens: str(loaded.tokenizer.decode(tokens)))
        self._stop_words = StopWords(request.stop)
        self._calls = CallText() if request.tools else None
        if self._calls and begun:
            self._calls.add(begun)
        self._tools = frozenset(_tool_name(tool) for tool in request.tools)
        self._prompt_seen = False
        self._ended = False
        self.tokens = 0
        self.first_token_at: float | None = None

    def put(self, tokens: Any) -> None:
        """Receives the prompt, then one token at a time."""
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        self.first_token_at = self.first_token_at or perf_counter()
        self.tokens += 1
        token = int(tokens.flatten()[0])
        if token in self._loaded.end_ids:
            self._ended = True
        else:
            self._say(self._stop_words.add(self._decoder.add(token)))

    def end(self) -> None:
        """Told by transformers; `close` does the work, so that its errors have one place."""

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Whether to stop now, shape (1,): a stop word, a closed stream, or a program that ends."""
        if not threading.main_thread().is_alive():  # the program ends and waits for this thread
            self._stop.set()
        done = self._stop_words.found or self._stop.is_set()
        torch = self._loaded.torch
        return torch.full((input_ids.shape[0],), done, device=input_ids.device, dtype=torch.bool)

    def close(self) -> None:
        """Hands out what was held back, tool calls, and why it ended."""
        if not self._stop_words.found:
            self._say(self._stop_words.add(self._decoder.end()) + self._stop_words.end())
        reason = "stop" if self._ended or self._stop_words.found else "length"
        delta: dict[str, Any] = {}
        if self._calls is not None:
            text, calls = read_calls(self._calls.end(), self._tools)
            delta = {"content": text}
            if calls:
                delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
                reason = "tool_calls"
        self._on_chunk({"choices": [{"delta": delta, "finish_reason": reason}]})

    def _say(self, text: str) -> None:
        if self._calls is not None:
            text = self._calls.add(text)
        if text:
            self._on_chunk({"choices": [{"delta": {"content": text}}]})


class _Sampler:
    """Chooses a token by its own random numbers and leaves no other to choose from.

    Torch's own generator is shared by every model of the process, so a seed would not fix a reply.
    """

    def __init__(self, loaded: Loaded, request: Request) -> None:
        self._torch = loaded.torch
        self._temperature = request.temperature
        self._random = loaded.torch.Generator(device=loaded.device).manual_seed(request.seed)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores of the next token, shape (1, vocabulary): 0 for the chosen one, else minus infinity."""
        # The best is taken off first: dividing by a tiny temperature then overflows to minus infinity alone.
        better = (scores - scores.max(dim=-1, keepdim=True).values) / self._temperature
        chosen = self._torch.multinomial(better.softmax(dim=-1), 1, generator=self._random)
        return self._torch.full_like(scores, float("-inf")).scatter(1, chosen, 0.0)


def _usage(prompt: int, reader: _Reader, started: float) -> dict[str, Any]:
    """Tokens, and milliseconds for the prompt and for the reply."""
    first, now = reader.first_token_at or perf_counter(), perf_counter()
    return {
        "choices": [],
        "usage": {"prompt_tokens": prompt, "completion_tokens": reader.tokens},
        "timings": {
            "prompt_ms": (first - started) * _MILLISECONDS,
            "predicted_ms": (now - first) * _MILLISECONDS,
        },
    }


def _plain(name: str, message: Message) -> dict[str, Any]:
    """A message as templates read it: content is text, arguments of tool calls are objects."""
    plain = dict(message)
    content = message.get("content")
    plain["content"] = content if isinstance(content, str) else _joined(name, content or ())
    if calls := message.get("tool_calls"):
        plain["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": _arguments(call)}} for call in calls
        ]
    return plain


def _joined(name: str, parts: Sequence[Any]) -> str:
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    joined = [text for text in texts if isinstance(text, str)]
    if len(joined) < len(texts):
        raise ModelRequestError(f"{name} reads text only; leave images, sounds and files out of its messages")
    return "".join(joined)


def _arguments(call: Mapping[str, Any]) -> Any:
    written = call["function"].get("arguments") or "{}"
    if not isinstance(written, str):
        return written
    try:
        return json.loads(written)
    except ValueError:
        return written


def _tool_name(tool: Mapping[str, Any]) -> str:
    return str((tool.get("function") or tool).get("name", ""))
