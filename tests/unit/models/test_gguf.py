"""The small model in this process: real generations, and every way to end one."""

import gc
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lecmux import Cache, Query
from lecmux.errors import (
    ConfigError,
    DownloadError,
    MissingExtraError,
    ModelClosedError,
    ModelError,
    ModelNotFoundError,
)
from lecmux.models import Gguf, Model, pull

pytestmark = pytest.mark.model

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
STORY = [{"role": "user", "content": "Tell me a long story."}]


@pytest.fixture(scope="module")
def small() -> Iterator[Gguf]:
    pytest.importorskip("xllamacpp")
    try:
        pull("small")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")
    with Gguf("small", context_tokens=1024, reuse_prefix=False) as model:
        yield model


def test_is_a_model(small: Gguf) -> None:
    assert isinstance(small, Model)
    assert small.name == "small"


def test_answers_and_counts(small: Gguf) -> None:
    reply = small.chat(CAPITAL, max_tokens=16)

    assert reply.value.strip()
    assert reply.usage.input_tokens > 10
    assert 0 < reply.usage.output_tokens <= 16
    assert reply.usage.seconds > 0
    assert reply.model == "small"


def test_greedy_calls_repeat(small: Gguf) -> None:
    small.chat(STORY, max_tokens=8)
    first = small.chat(CAPITAL, max_tokens=12)
    small.chat(STORY, max_tokens=8)
    second = small.chat(CAPITAL, max_tokens=12)

    assert (first.value, first.usage.output_tokens) == (second.value, second.usage.output_tokens)


def test_a_seed_fixes_sampling(small: Gguf) -> None:
    def sample(seed: int) -> str:
        return str(small.chat(STORY, max_tokens=6, temperature=1.5, seed=seed).value)

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in (1, 2, 3)}) > 1


def test_max_tokens_is_a_finish_reason_of_length(small: Gguf) -> None:
    reply = small.chat(STORY, max_tokens=4)

    assert (reply.finish_reason, reply.usage.output_tokens) == ("length", 4)


def test_stop_words_end_a_reply(small: Gguf) -> None:
    whole = str(small.chat(STORY, max_tokens=16).value)
    word = whole.split()[2]

    reply = small.chat(STORY, max_tokens=16, stop=[word])

    assert reply.finish_reason == "stop"
    assert reply.value == whole[: whole.index(word)]


def test_a_stream_gives_what_a_chat_gives(small: Gguf) -> None:
    with small.stream(CAPITAL, max_tokens=12) as stream:
        assert stream.reply is None
        pieces = list(stream)

    whole = small.chat(CAPITAL, max_tokens=12)
    assert len(pieces) > 1
    assert stream.reply is not None
    assert "".join(pieces) == stream.reply.value == whole.value
    assert stream.reply.usage.output_tokens == whole.usage.output_tokens


def test_closing_a_stream_stops_the_generation(small: Gguf) -> None:
    stream = small.stream(STORY)
    next(stream)
    stream.close()
    stream.close()

    assert list(stream) == []
    assert stream.reply is None
    assert small.chat(CAPITAL, max_tokens=2).usage.output_tokens == 2


def test_a_stream_that_nobody_reads_any_more_stops(small: Gguf) -> None:
    stream = small.stream(STORY)
    next(stream)
    worker = stream._worker
    del stream
    gc.collect()
    worker.join(30)

    assert not worker.is_alive()


def test_threads_share_one_model(small: Gguf) -> None:
    alone = [small.chat(_count(number), max_tokens=4).value for number in range(4)]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda n: small.chat(_count(n % 4), max_tokens=4).value, range(8)))

    assert together == alone * 2


def _count(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"What comes after {number}?"}]


def test_a_query_is_one_user_message(small: Gguf) -> None:
    query = Query(CAPITAL[0]["content"], attributes={"chat": {"max_tokens": 12}})

    assert small(query).value == small.chat(CAPITAL, max_tokens=12).value


def test_serves_a_cache(small: Gguf) -> None:
    cache = Cache(capacity_bytes=100_000)
    query = Query(CAPITAL[0]["content"], attributes={"chat": {"max_tokens": 40, "stop": [".", ",", "\n"]}})

    first = cache.answer(query, models={"small": small})
    second = cache.answer(query, models={"small": small})

    assert (first.decision.kind, second.decision.kind) == ("call", "hit")
    assert first.value == second.value


@pytest.mark.parametrize(
    ("messages", "error", "hint"),
    [
        ([], ConfigError, "at least one"),
        ("hello", ConfigError, "sequence"),
        (["hello"], ConfigError, "role"),
        ([{"role": "user"}], ModelError, "content"),
        ([{"content": "hello"}], ModelError, "role"),
        ([{"role": "user", "content": object()}], ModelError, "JSON"),
        ([{"role": "user", "content": "a\ud800b"}], ModelError, "surrogate"),
        ([{"role": "user", "content": "word " * 3000}], ModelError, "context"),
        ([{"role": "user", "content": "x" * 10_000_000}], ModelError, "context_tokens"),
    ],
)
def test_bad_messages(small: Gguf, messages: list[dict[str, str]], error: type[Exception], hint: str) -> None:
    started = time.monotonic()
    with pytest.raises(error, match=hint):
        small.chat(messages, max_tokens=2)

    assert time.monotonic() - started < 20
    assert small.chat(CAPITAL, max_tokens=1).usage.output_tokens == 1


@pytest.mark.parametrize(
    "settings", [{"max_tokens": 0}, {"temperature": -1.0}, {"temperature": float("nan")}]
)
def test_bad_settings(small: Gguf, settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        small.chat(CAPITAL, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"context_tokens": 0}, {"threads": -1}, {"parallel": True}])
def test_bad_model_settings(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Gguf("small", **settings)  # type: ignore[arg-type]


def test_a_missing_model_says_how_to_fetch_it(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="lecmux models pull"):
        Gguf(tmp_path / "none.gguf")


def test_a_damaged_file_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(1000))

    with pytest.raises(ModelError, match="damaged"):
        Gguf(tmp_path / "broken.gguf")


def test_closing_twice_then_calling(small: Gguf) -> None:
    model = Gguf(small.path, context_tokens=256)
    model.close()
    model.close()

    assert model.closed
    with pytest.raises(ModelClosedError, match="load it again"):
        model.chat(CAPITAL)


def test_closing_ends_a_call_in_another_thread(small: Gguf) -> None:
    model = Gguf(small.path, context_tokens=1024)
    stream = model.stream(STORY)
    next(stream)
    threading.Timer(0.2, model.close).start()

    with pytest.raises(ModelClosedError, match="while it answered"):
        list(stream)


def _run(path: Path, body: str) -> tuple[int, bytes, bytes]:
    """Runs `body` in a process that has loaded the model; returns its exit code, stdout and stderr."""
    head = (
        "import os, sys, signal, threading, time\nfrom lecmux.models import Gguf\n"
        f"story = {STORY!r}\nmodel = Gguf({str(path)!r}, context_tokens=1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", head + body], capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def test_loading_and_answering_prints_nothing(small: Gguf) -> None:
    assert _run(small.path, "model.chat(story, max_tokens=3)\nmodel.close()\n") == (0, b"", b"")


def test_ctrl_c_ends_a_call(small: Gguf) -> None:
    body = (
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background ignores it
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    model.chat(story)\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )

    assert _run(small.path, body) == (0, b"interrupted\n", b"")


def test_an_open_stream_does_not_hold_up_the_exit(small: Gguf) -> None:
    body = "stream = model.stream(story)\nnext(stream)\nprint(time.time(), flush=True)\n"

    code, printed, _ = _run(small.path, body)

    assert code == 0
    assert time.time() - float(printed) < 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_is_refused_and_can_exit(small: Gguf) -> None:
    body = (
        "child = os.fork()\n"
        "if not child:\n"
        "    try:\n        model.chat(story)\n"
        "    except Exception as error:\n        print(type(error).__name__)\n"
        "    model.close()\n    sys.exit(3)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3\n"
        "model.chat(story, max_tokens=2)\n"
    )

    assert _run(small.path, body) == (0, b"ModelError\n", b"")


def test_the_listener_is_local_and_locked(small: Gguf) -> None:
    address = small._server.listening_address

    assert address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address}/v1/models", timeout=10)
