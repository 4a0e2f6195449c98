"""Models in this process through transformers and torch: CUDA devices or the CPU, any open chat model."""

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lecmux._fork import renew
from lecmux.errors import ConfigError, ModelClosedError, ModelError
from lecmux.models import _torch, _torch_run
from lecmux.models._generation import Generation
from lecmux.models._jobs import Jobs
from lecmux.models._request import check_request, require_positive, require_room
from lecmux.models.base import Message
from lecmux.query import Query, Reply

__all__ = ["Transformers"]

_FREE = (None, "auto", "none")


class Transformers:
    """A chat model loaded into this process by transformers; any number of threads may call it.

    A call is `chat`, `stream`, or the model itself with a `Query`, whose text becomes one user message. One
    thread computes one call after the other; `queue_size` more may wait. Ctrl-C and closing the stream or the
    model end a generation at its next token.

    Weights and settings are read, code in a repository is not run. Equal greedy calls give equal replies.

    Args:
        path_or_name: a folder, a repository of the Hugging Face hub such as "Qwen/Qwen3-0.6B", or a GGUF
            file: "small", "large", the name of a registered one, or a path. A GGUF file is unpacked once,
            into a folder beside the models that takes two to five times its bytes.
        name: what decisions and reports call it; by default the last part of `path_or_name`.
        revision: of the repository: a branch, a tag or a commit.
        device: "auto", "cpu", "cuda:0", ... "auto" is the CUDA device with most memory free if the model
            fits there, else the CPU; `place` chooses for several models at once.
        dtype: "auto", "float32", "bfloat16" or "float16". "auto" is what the folder or repository holds, and
            bfloat16 for a GGUF file.
        context_tokens: the longest prompt and reply together; no more than the model was made for.
        threads: processors that torch uses, for the whole process; by default torch's own choice.
        seed: for sampling at a temperature above 0, where a call gives none.
        queue_size: calls that may wait while one is computed.

    Raises:
        ModelNotFoundError: no such folder, file or repository, or it cannot be reached.
        ModelMemoryError: it fits on none of the devices.
        ModelError: transformers cannot load it, or it has no chat template.
        ConfigError: a setting that cannot work.
        MissingExtraError: transformers or torch is not installed (`lecmux[transformers]`).
    """

    def __init__(
        self,
        path_or_name: str | os.PathLike[str],
        *,
        name: str | None = None,
        revision: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        context_tokens: int = 4096,
        threads: int | None = None,
        seed: int = 0,
        queue_size: int = 64,
    ) -> None:
        require_positive(context_tokens=context_tokens, queue_size=queue_size, threads=threads or 1)
        self.source = os.fspath(path_or_name)
        self.revision = revision
        self._name = name or Path(self.source).name.removesuffix(".gguf")
        self._seed = _seed_of(seed)
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._jobs = Jobs(self._name, queue_size)
        self._loaded: _torch.Loaded | None = _torch.load(
            path_or_name,
            revision=revision,
            device=device,
            dtype=dtype,
            context_tokens=context_tokens,
            threads=threads,
        )
        self.device = self._loaded.device
        self.dtype = str(self._loaded.model.dtype).removeprefix("torch.")
        self.context_tokens = self._loaded.context_tokens
        renew(self)

    @property
    def name(self) -> str:
        """What decisions, prices and reports call it."""
        return self._name

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._loaded is None

    def __call__(self, query: Query) -> Reply:
        """Answers a query's text as one user message; `attributes["chat"]` may hold arguments of `chat`."""
        return self.chat([{"role": "user", "content": query.text}], **query.attributes.get("chat", {}))

    def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: str | None = None,
    ) -> Reply:
        """Answers; blocks until the reply is whole.

        Args:
            messages: in the OpenAI form, at least one, of text.
            max_tokens: of the reply; None leaves the end to the model and the context.
            temperature: 0.0 is greedy; above, tokens are drawn from all of the model's distribution.
            stop: the reply ends before the first of these strings.
            seed: for sampling; None takes the model's.
            tools: in the OpenAI form; written into the prompt by the model's chat template.
            tool_choice: None and "auto" leave it to the model, "none" forbids, "required" demands a call, a
                tool's name demands that one. A demanded call is begun for the model, which works for those
                that write calls as Hermes and Qwen do.

        Returns:
            A reply whose value is the text; where tools were called, an assistant message with `tool_calls`.

        Raises:
            QueueFullError: as many calls wait already as may.
            ModelClosedError: the model was closed, before the call or during it.
            ModelMemoryError: the device has no memory left for this call.
            ModelRequestError: messages that do not fit, or messages or tools that the model does not take.
            ModelError: torch failed, or the process forked since the model was loaded.
            ConfigError: no messages, or a setting that cannot work.
        """
        return self.stream(
            messages,
            max_tokens=max_tokens,
            temperature=temperature,
            stop=stop,
            seed=seed,
            tools=tools,
            tool_choice=tool_choice,
        ).whole()

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int | None = None,
        temperature: float = 0.0,
        stop: Sequence[str] | None = None,
        seed: int | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: str | None = None,
    ) -> Generation:
        """Answers piece by piece, with the arguments and errors of `chat`.

        Iterate what is returned; its `reply` is the whole once it has ended, its `close` stops it. With
        tools, what may become a tool call is held back until it is known.
        """
        check_request(messages, max_tokens=max_tokens, temperature=temperature, stop=stop)
        require_room(messages, self.context_tokens)
        request = _torch_run.Request(
            messages=tuple(messages),
            max_tokens=max_tokens,
            temperature=temperature,
            stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
            seed=self._seed if seed is None else _seed_of(seed),
            tools=() if tool_choice == "none" else tuple(tools or ()),
            tool_choice=None if tool_choice in _FREE else tool_choice,
        )
        loaded, name = self._usable(), self._name
        with self._lock:
            self._usable()  # nothing is put into the queue after `close` has emptied it
            return Generation(
                name,
                lambda on_chunk, stopped: _torch_run.run(name, loaded, request, on_chunk, stopped),
                self._jobs,
            )

    def count_tokens(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] | None = None
    ) -> int:
        """Tokens of a prompt, with all that the chat template adds: `usage.input_tokens` of a call.

        Raises:
            ModelClosedError, ModelRequestError, ConfigError: as `chat`.
        """
        check_request(messages, max_tokens=None, temperature=0.0, stop=None)
        prompt = _torch_run.prompt_tokens(self._name, self._usable(), messages, tools or ())
        return int(prompt["input_ids"].shape[1])

    def token_ids(self, text: str) -> list[int]:
        """The tokens of a text as it stands, without the chat template.

        Raises:
            ModelClosedError: the model was closed.
        """
        return [int(token) for token in self._usable().tokenizer(text, add_special_tokens=False)["input_ids"]]

    def close(self) -> None:
        """Stops what runs, waits for that, and frees the memory. May be called twice and from any thread."""
        with self._lock:
            loaded, self._loaded = self._loaded, None
            running = self._jobs.stop_all()
        for job in running:
            job.join()
        if loaded is not None and os.getpid() == self._process:
            torch = loaded.torch
            del loaded  # the last reference, so that there is something to hand back
            torch.cuda.empty_cache()

    def _usable(self) -> _torch.Loaded:
        if os.getpid() != self._process:
            raise ModelError(f"{self._name} was loaded before a fork; load it again in the child")
        if self._loaded is None:
            raise ModelClosedError(
                f"{self._name} is closed; load it again with Transformers({self.source!r})"
            )
        return self._loaded

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else self.device
        return f"Transformers({self.source!r}, name={self._name!r}, {state})"


def _seed_of(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not -(2**63) <= seed < 2**63:
        raise ConfigError(f"seed must be a whole number of 64 bits, not {seed!r}")
    return seed
