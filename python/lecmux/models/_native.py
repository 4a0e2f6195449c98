"""The only file that knows xllamacpp: loads a model quietly and runs one generation of it.

llama.cpp opens a listener beside the in-process interface. It cannot be left out, so it is bound to the
loopback address on a free port and locked with a random key.
"""

import ctypes
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lecmux.errors import MissingExtraError, ModelError

_SILENT = -1
_WAITING = "OMP_WAIT_POLICY"
_DEFAULT_THREADS_AT_MOST = 8


def default_threads() -> int:
    """Processors this process may use, at most 8: more do not make a small model faster."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), _DEFAULT_THREADS_AT_MOST)
    return min(os.cpu_count() or 1, _DEFAULT_THREADS_AT_MOST)


def load(path: Path, *, context_tokens: int, threads: int, parallel: int, api_key: str | None = None) -> Any:
    """Loads a GGUF file. Blocks for 1 to 4 s per GB on a disk cache that is warm.

    `api_key` opens the listener for whoever has it; None leaves it locked.

    Raises:
        MissingExtraError: xllamacpp is not installed.
        ModelError: the file cannot be loaded.
    """
    xllamacpp = _import()
    params = xllamacpp.CommonParams()
    params.model.path = os.fspath(path)
    params.n_ctx = context_tokens * parallel
    params.n_parallel = parallel
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup = False
    params.verbosity = _SILENT
    params.cache_ram_mib = 0  # llama.cpp would keep up to 8 GiB of old prompts
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.endpoint_metrics = True
    params.api_keys = [api_key or secrets.token_urlsafe(32)]
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelError(f"llama.cpp cannot load {path}: it is damaged or of an unknown kind") from error
    # The server's loop starts after its constructor returned, and an end asked for before that is lost: its
    # destructor would wait for ever. Whoever has an answer from the loop knows that it runs.
    server.handle_metrics()
    return server


def _import() -> Any:
    """Loads the extra with OpenMP's threads told to sleep while they wait, not to spin.

    Spinning makes generation five to ten times slower where other work runs on the same processors. OpenMP
    reads the setting once, when it is loaded; the environment is then put back.
    """
    before = os.environ.get(_WAITING)
    os.environ.setdefault(_WAITING, "PASSIVE")
    try:
        import xllamacpp  # noqa: PLC0415  an extra, loaded at first use
    except ImportError as error:
        raise MissingExtraError("local GGUF models need xllamacpp: pip install 'lecmux[gguf]'") from error
    finally:
        if before is None:
            os.environ.pop(_WAITING, None)
    return xllamacpp


def run(
    server: Any, request: dict[str, Any], on_chunk: Callable[[dict[str, Any]], None], stop: threading.Event
) -> None:
    """Runs one streamed chat completion to its end, or until `stop` is set; never on the main thread.

    A signal's exception raised inside a callback would be lost in native code; on the main thread that would
    swallow Ctrl-C.

    Raises:
        ModelError: the request was refused; whatever `on_chunk` raises.
    """
    failures: list[BaseException] = []

    def receive(chunk: dict[str, Any]) -> bool:
        try:
            if refusal := chunk.get("error"):
                raise ModelError(f"llama.cpp refused the request: {refusal.get('message', refusal)}")
            on_chunk(chunk)
        except BaseException as error:  # raised below, where it can be seen
            failures.append(error)
            return True
        # At interpreter exit other threads are waited for: nobody wants the rest then, and half is no reply.
        if not threading.main_thread().is_alive():
            stop.set()
        return stop.is_set()

    try:
        server.handle_chat_completions(request, receive)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(f"llama.cpp refused the request: {error}") from error
    if failures:
        raise failures[0]


def abandon_in_child(server: Any) -> None:
    """Lets a forked child live and exit beside a server whose threads stayed behind in the parent.

    Two destructors would wait for those threads for ever: the server's, so it is never freed here, and one of
    llama.cpp's own that runs at exit, so the C library leaves by `_exit` before it comes to that. Python has
    run its exit handlers and written its buffers by then.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))
    libc = ctypes.CDLL(None)
    if hasattr(libc, "on_exit"):  # glibc; handlers run in reverse order and get the exit status first
        libc.on_exit(libc._exit, None)
