"""Models through transformers and torch: real generations of a tiny model, and every way to end one."""

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lecmux.errors import (
    ConfigError,
    MissingExtraError,
    ModelClosedError,
    ModelError,
    ModelNotFoundError,
    ModelRequestError,
    QueueFullError,
)
from lecmux.models import Transformers

COUNT = [{"role": "user", "content": "Count from one to ten in words."}]
FOR_EVER = [{"role": "user", "content": "Go on for ever."}]
GREET = [{"role": "user", "content": "How does one greet in Athens?"}]


@pytest.fixture(scope="module")
def folder(tiny_chat: Path) -> Path:
    return tiny_chat


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Iterator[Transformers]:
    with Transformers(folder, name="tiny", device="cpu", threads=1) as model:
        yield model


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)

    with pytest.raises(MissingExtraError, match=r"lecmux\[transformers\]"):
        Transformers("small")


@pytest.mark.parametrize(
    "settings",
    [{"context_tokens": 0}, {"queue_size": 0}, {"threads": -1}, {"seed": 1.5}, {"seed": 2**70}],
    ids=str,
)
def test_settings_that_cannot_work_are_refused_before_anything_is_loaded(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Transformers("small", **settings)


@pytest.mark.torch
class TestReplies:
    def test_a_reply_with_its_tokens(self, tiny: Transformers) -> None:
        reply = tiny.chat(COUNT)

        assert reply.value == "one two three four five six seven eight nine ten"
        assert (reply.finish_reason, reply.model) == ("stop", "tiny")
        assert reply.usage.input_tokens == tiny.count_tokens(COUNT)
        assert reply.usage.output_tokens > 10
        assert reply.usage.seconds > 0

    def test_pieces_are_whole_characters(self, tiny: Transformers) -> None:
        from tiny_chat import GREETING

        with tiny.stream(GREET) as stream:
            pieces = list(stream)

        assert "".join(pieces) == GREETING
        assert len(pieces) > 10
        assert stream.reply is not None
        assert stream.reply.value == "".join(pieces)
        # The model writes bytes: a Greek letter takes two tokens.
        assert stream.reply.usage.output_tokens > len("".join(pieces))

    def test_the_context_ends_a_reply_as_a_limit_does(self, folder: Path) -> None:
        with Transformers(folder, device="cpu", context_tokens=40) as model:
            reply = model.chat(FOR_EVER)

        assert reply.finish_reason == "length"
        assert reply.usage.input_tokens + reply.usage.output_tokens == 40

    def test_no_context_is_longer_than_the_model_was_made_for(self, folder: Path) -> None:
        with Transformers(folder, device="cpu", context_tokens=100_000) as model:
            assert model.context_tokens == 2048

    def test_a_stop_word_over_several_tokens(self, tiny: Transformers) -> None:
        reply = tiny.chat(COUNT, stop=["never", "our fi"])

        assert (reply.value, reply.finish_reason) == ("one two three f", "stop")
        assert reply.usage.output_tokens < 10

    def test_a_seed_fixes_sampling_whatever_else_torch_draws(self, tiny: Transformers) -> None:
        import torch

        def sample(seed: int | None) -> str:
            torch.rand(7)
            return str(tiny.chat(COUNT, max_tokens=12, temperature=20.0, seed=seed).value)

        assert sample(1) == sample(1)
        assert len({sample(seed) for seed in range(4)}) > 1
        assert sample(None) == sample(0)

    def test_a_temperature_of_almost_nothing_is_greedy(self, tiny: Transformers) -> None:
        assert tiny.chat(COUNT, temperature=1e-30).value == tiny.chat(COUNT).value

    def test_the_models_own_sampling_settings_do_not_change_greedy_replies(self, folder: Path) -> None:
        from transformers import GenerationConfig

        kept = (folder / "generation_config.json").read_text()
        try:
            GenerationConfig(repetition_penalty=50.0, eos_token_id=2, pad_token_id=0).save_pretrained(folder)
            with Transformers(folder, device="cpu") as model:
                assert model.chat(FOR_EVER, max_tokens=6).value == "on and on and on and"
        finally:
            (folder / "generation_config.json").write_text(kept)


@pytest.mark.torch
class TestTools:
    def test_a_call_comes_in_the_openai_form(self, tiny: Transformers) -> None:
        from tiny_chat import ASK_WEATHER, WEATHER

        reply = tiny.chat([{"role": "user", "content": ASK_WEATHER}], tools=[WEATHER])

        assert reply.finish_reason == "tool_calls"
        assert reply.value["role"] == "assistant"
        assert reply.value["content"] == "Let me look.\n"
        (call,) = reply.value["tool_calls"]
        assert call["function"] == {"name": "weather", "arguments": '{"city": "Rome"}'}

    def test_a_stream_hands_out_no_part_of_a_call(self, tiny: Transformers) -> None:
        from tiny_chat import ASK_WEATHER, WEATHER

        with tiny.stream([{"role": "user", "content": ASK_WEATHER}], tools=[WEATHER]) as stream:
            pieces = list(stream)

        assert "".join(pieces) == "Let me look.\n"
        assert stream.reply is not None
        assert stream.reply.value["tool_calls"]

    def test_a_result_is_read_and_answered(self, tiny: Transformers) -> None:
        from tiny_chat import ASK_WEATHER, RESULT, WEATHER, called

        messages = [{"role": "user", "content": ASK_WEATHER}, called(), RESULT]

        assert tiny.chat(messages, tools=[WEATHER]).value == "It is sunny in Rome."

    def test_a_call_can_be_demanded_and_forbidden(self, tiny: Transformers) -> None:
        from tiny_chat import ASK_WEATHER, WEATHER

        capital = [{"role": "user", "content": "What is the capital of France?"}]
        asked = [{"role": "user", "content": ASK_WEATHER}]

        demanded = [
            tiny.chat(asked, tools=[WEATHER], tool_choice=choice) for choice in ("required", "weather")
        ]
        forbidden = tiny.chat(capital, tools=[WEATHER], tool_choice="none")

        for reply in demanded:
            (call,) = reply.value["tool_calls"]
            assert call["function"] == {"name": "weather", "arguments": '{"city": "Rome"}'}
            assert reply.value["content"] == ""
        assert forbidden.usage.input_tokens == tiny.count_tokens(capital)
        with pytest.raises(ModelRequestError, match="none of the tools: weather"):
            tiny.chat(asked, tools=[WEATHER], tool_choice="map")

    def test_a_model_that_marks_no_calls_cannot_be_held_to_one(self, folder: Path, tmp_path: Path) -> None:
        from tiny_chat import WEATHER

        template = "{{ tools }}{% for message in messages %}{{ message.content }}{% endfor %}"
        with (
            Transformers(_copy(folder, tmp_path, template), device="cpu") as model,
            pytest.raises(ModelRequestError, match="cannot be held to a tool"),
        ):
            model.chat(COUNT, tools=[WEATHER], tool_choice="required")

    def test_tools_are_offered_and_not_needed(self, tiny: Transformers) -> None:
        from tiny_chat import WEATHER

        messages = [{"role": "user", "content": "What is the capital of France?"}]

        reply = tiny.chat(messages, tools=[WEATHER])
        assert (reply.value, reply.finish_reason) == ("The capital of France is Paris.", "stop")
        assert tiny.count_tokens(messages, tools=[WEATHER]) == reply.usage.input_tokens

    def test_parts_of_text_are_joined_and_pictures_refused(self, tiny: Transformers) -> None:
        parts = [{"type": "text", "text": "Count from one "}, {"type": "text", "text": "to ten in words."}]

        assert tiny.chat([{"role": "user", "content": parts}]).value == tiny.chat(COUNT).value
        with pytest.raises(ModelRequestError, match="text only"):
            tiny.chat([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])

    def test_a_template_that_refuses_says_why(self, folder: Path, tmp_path: Path) -> None:
        model = _copy(folder, tmp_path, "{{ raise_exception('roles must alternate') }}")
        with Transformers(model, device="cpu") as tiny:
            with pytest.raises(ModelRequestError, match="roles must alternate"):
                tiny.chat(COUNT)
            with pytest.raises(ModelRequestError, match="call tools"):
                tiny.chat(COUNT, tools=[{"type": "function", "function": {"name": "weather"}}])


@pytest.mark.torch
class TestQueue:
    def test_a_full_queue_refuses_and_the_rest_is_answered(self, folder: Path) -> None:
        with Transformers(folder, name="tiny", device="cpu", queue_size=2) as model:
            running = model.stream(FOR_EVER)
            next(running)
            waiting = [model.stream(COUNT) for _ in range(2)]

            with pytest.raises(QueueFullError, match=r"tiny .* 2 wait already.*queue_size"):
                model.chat(COUNT)

            running.close()
            assert all("".join(stream).startswith("one two") for stream in waiting)
            assert str(model.chat(COUNT).value).startswith("one two")

    def test_a_stream_that_waits_can_be_closed(self, tiny: Transformers) -> None:
        running = tiny.stream(FOR_EVER)
        next(running)
        waiting = tiny.stream(COUNT)

        waiting.close()

        assert list(waiting) == []
        assert waiting.reply is None
        next(running)
        running.close()

    def test_threads_share_one_model(self, tiny: Transformers) -> None:
        prompts = [COUNT, GREET, [{"role": "user", "content": "What is the capital of France?"}]]
        alone = [tiny.chat(messages).value for messages in prompts]

        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda messages: tiny.chat(messages).value, prompts * 4))

        assert together == alone * 4


@pytest.mark.torch
class TestEnds:
    def test_a_stream_that_nobody_reads_any_more_stops(self, tiny: Transformers) -> None:
        stream = tiny.stream(FOR_EVER)
        next(stream)
        job = stream._worker
        del stream
        gc.collect()
        job.join(30)

        assert not job.is_alive()

    def test_closing_the_model_ends_what_runs_and_what_waits(self, folder: Path) -> None:
        model = Transformers(folder, name="tiny", device="cpu")
        running, waiting = model.stream(FOR_EVER), model.stream(COUNT)
        next(running)

        model.close()

        for stream in (running, waiting):
            with pytest.raises(ModelClosedError, match="closed while it answered"):
                list(stream)
        with pytest.raises(ModelClosedError, match="load it again"):
            model.chat(COUNT)
        with pytest.raises(ModelClosedError):
            model.count_tokens(COUNT)
        assert "closed" in repr(model)

    def test_closing_frees_the_weights(self, folder: Path) -> None:
        import weakref

        model = Transformers(folder, device="cpu")
        assert model._loaded is not None
        weights = weakref.ref(model._loaded.model)
        model.chat(COUNT, max_tokens=1)

        model.close()
        gc.collect()

        assert weights() is None

    def test_ctrl_c_ends_a_call(self, folder: Path) -> None:
        body = (
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background ignores it
            "stream = model.stream(for_ever)\n"
            "next(stream)\n"
            "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "try:\n    [list(model.stream(for_ever)) for _ in range(1000)]\n"
            "except KeyboardInterrupt:\n    print('interrupted')\n"
        )

        assert _run(folder, body) == (0, b"interrupted\n", b"")

    def test_open_streams_do_not_hold_up_the_exit(self, folder: Path) -> None:
        body = (
            "import atexit\n"
            "streams = [model.stream(for_ever) for _ in range(5)]\n"
            "next(streams[0])\n"
            # Runs when the threads have ended: each stream was to write 2,000 pieces.
            "atexit.register(lambda: print([stream._chunks.qsize() < 1000 for stream in streams]))\n"
        )

        assert _run(folder, body) == (0, b"[True, True, True, True, True]\n", b"")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
    def test_a_forked_child_is_refused_and_can_exit(self, folder: Path) -> None:
        body = (
            "model.chat(for_ever, max_tokens=2)\n"
            "child = os.fork()\n"
            "if not child:\n"
            "    try:\n        model.chat(for_ever)\n"
            "    except Exception as error:\n        print(type(error).__name__)\n"
            "    model.close()\n    sys.exit(3)\n"
            "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3\n"
            "model.chat(for_ever, max_tokens=2)\n"
        )

        assert _run(folder, body) == (0, b"ModelError\n", b"")

    def test_a_thread_that_outlives_the_main_one_gets_no_half_reply(self, folder: Path) -> None:
        body = (
            "def ask():\n"
            "    threading.main_thread().join()\n"
            "    try:\n        print(model.chat(for_ever).value)\n"
            "    except Exception as error:\n        print(type(error).__name__)\n"
            "threading.Thread(target=ask).start()\n"
        )

        assert _run(folder, body) == (0, b"ModelClosedError\n", b"")


@pytest.mark.torch
class TestWhatCannotBeLoaded:
    @pytest.mark.parametrize(
        "name", ["nobody/no-such-model", "no-such-model", "./no-such-folder", "/no/such.gguf"]
    )
    def test_a_name_that_is_nowhere(self, name: str) -> None:
        with pytest.raises(ModelNotFoundError, match="no model"):
            Transformers(name)

    def test_a_folder_without_a_model(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=str(tmp_path)):
            Transformers(tmp_path)

    def test_a_damaged_gguf_file(self, tmp_path: Path, store_dir: Path) -> None:
        (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(1000))

        with pytest.raises(ModelError, match="cannot load"):
            Transformers(tmp_path / "broken.gguf")

        assert not list(store_dir.glob("converted/*.partial"))

    def test_weights_that_are_cut(self, folder: Path, tmp_path: Path) -> None:
        model = _copy(folder, tmp_path)
        weights = model / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])

        with pytest.raises(ModelError, match="cannot load"):
            Transformers(model)

    def test_a_base_model_has_no_chat_template(self, folder: Path, tmp_path: Path) -> None:
        model = _copy(folder, tmp_path)
        (model / "chat_template.jinja").unlink()

        with pytest.raises(ModelError, match=r"no chat template.*Instruct"):
            Transformers(model)

    def test_code_beside_the_weights_is_not_run(self, folder: Path, tmp_path: Path) -> None:
        model = _copy(folder, tmp_path)
        config = (model / "config.json").read_text().replace('"llama"', '"strange"')
        auto = '{"auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"},'
        (model / "config.json").write_text(config.replace("{", auto, 1))
        (model / "own.py").write_text(f"open({str(model / 'ran')!r}, 'w')\n")

        with pytest.raises(ModelError):
            Transformers(model)

        assert not (model / "ran").exists()

    @pytest.mark.parametrize(
        "settings", [{"dtype": "int3"}, {"device": "toaster"}, {"device": "cuda:7"}], ids=str
    )
    def test_a_format_or_device_that_is_none(self, folder: Path, settings: dict[str, str]) -> None:
        import torch

        if torch.cuda.device_count() > 7:
            pytest.skip("this machine has eight CUDA devices")
        with pytest.raises(ConfigError, match=next(iter(settings))):
            Transformers(folder, **settings)


@pytest.mark.torch
def test_a_number_format_can_be_chosen(folder: Path) -> None:
    import torch

    with Transformers(folder, device="cpu", dtype="bfloat16") as model:
        assert model._loaded is not None
        assert model._loaded.model.dtype == torch.bfloat16
        assert model.chat(COUNT).value == "one two three four five six seven eight nine ten"


@pytest.mark.torch
def test_closing_while_threads_call(folder: Path) -> None:
    model = Transformers(folder, device="cpu")
    fates: list[str] = []

    def ask() -> None:
        try:
            while True:
                fates.append(str(model.chat(COUNT).finish_reason))
        except ModelClosedError:
            fates.append("closed")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(fates) < 4:
        time.sleep(0.01)
    model.close()
    for thread in threads:
        thread.join(30)

    assert fates.count("closed") == 4
    assert set(fates) == {"stop", "closed"}


def _copy(folder: Path, target: Path, template: str | None = None) -> Path:
    copy = target / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    if template is not None:
        (copy / "chat_template.jinja").write_text(template)
    return copy


def _run(folder: Path, body: str) -> tuple[int, bytes, bytes]:
    """Runs `body` in a process that has loaded the model; returns its exit code, stdout and stderr."""
    head = (
        "import os, sys, signal, threading, time\nfrom lecmux.models import Transformers\n"
        f"for_ever = {FOR_EVER!r}\nmodel = Transformers({str(folder)!r}, device='cpu', threads=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", head + body], capture_output=True, timeout=300, check=False)
    return done.returncode, done.stdout, done.stderr
