"""Where models go on a machine with CUDA devices, and what happens when memory runs out.

No device is needed: what torch says of devices is replaced, and the model itself is loaded on the CPU.
"""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lecmux.errors import ModelError, ModelMemoryError
from lecmux.models import Transformers, place

pytestmark = pytest.mark.torch

GB = 10**9
COUNT = [{"role": "user", "content": "Count from one to ten in words."}]


class Devices:
    """What torch is made to say: free bytes of each device. Loading onto those in `full` fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch
        import transformers

        self.free: list[int] = []
        self.full: set[str] = set()
        self.asked: list[str] = []
        load = transformers.AutoModelForCausalLM.from_pretrained

        def from_pretrained(source: str, device_map: dict[str, str] | None = None, **settings: Any) -> Any:
            device = (device_map or {}).get("", "cpu")
            self.asked.append(device)
            if device in self.full:
                raise torch.OutOfMemoryError(f"CUDA out of memory on {device}")
            return load(source, **settings)

        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(self.free))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(self.free))
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (self.free[index], 80 * GB))
        monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", from_pretrained)


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> Devices:
    return Devices(monkeypatch)


@pytest.fixture
def big(tmp_path: Path, tiny_chat: Path) -> Path:
    """Eight billion parameters in bfloat16, as far as a configuration can be them."""
    import transformers

    transformers.LlamaConfig(
        vocab_size=128_256,
        hidden_size=4096,
        intermediate_size=14_336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=131_072,
        dtype="bfloat16",
    ).save_pretrained(tmp_path / "big")
    return tmp_path / "big"


def test_without_a_device_the_cpu_takes_it(devices: Devices, tiny_chat: Path) -> None:
    with Transformers(tiny_chat) as model:
        assert (model.device, devices.asked) == ("cpu", ["cpu"])


def test_the_device_with_most_free_memory_takes_it(devices: Devices, tiny_chat: Path) -> None:
    devices.free = [2 * GB, 9 * GB, 4 * GB]

    with Transformers(tiny_chat) as model:
        assert model.device == "cuda:1"


def test_devices_without_room_are_passed_over(devices: Devices, tiny_chat: Path) -> None:
    devices.free = [1000, 2000]

    with Transformers(tiny_chat) as model:
        assert (model.device, devices.asked) == ("cpu", ["cpu"])


def test_a_device_that_filled_up_meanwhile_is_followed_by_the_next(devices: Devices, tiny_chat: Path) -> None:
    devices.free = [2 * GB, 9 * GB]
    devices.full = {"cuda:1"}

    with Transformers(tiny_chat) as model:
        assert (model.device, devices.asked) == ("cuda:0", ["cuda:1", "cuda:0"])


def test_a_device_that_was_named_is_the_only_one(devices: Devices, tiny_chat: Path) -> None:
    devices.free = [2 * GB, 9 * GB]
    devices.full = {"cuda:0"}

    with pytest.raises(
        ModelMemoryError, match=r"memory that is free on cuda:0; close another model.*bfloat16"
    ):
        Transformers(tiny_chat, device="cuda:0")

    assert devices.asked == ["cuda:0"]


def test_small_and_large_side_by_side(devices: Devices, tiny_chat: Path, big: Path) -> None:
    models = {"small": tiny_chat, "large": big}

    devices.free = [24 * GB, 20 * GB]
    assert place(models) == {"small": "cuda:1", "large": "cuda:0"}
    devices.free = [24 * GB]
    assert place(models) == {"small": "cuda:0", "large": "cuda:0"}
    devices.free = [8 * GB]
    assert place(models) == {"small": "cuda:0", "large": "cpu"}
    devices.free = []
    assert place(models) == {"small": "cpu", "large": "cpu"}


def test_a_wider_format_and_a_longer_context_need_more(devices: Devices, big: Path) -> None:
    devices.free = [20 * GB]

    assert place({"large": big}) == {"large": "cuda:0"}
    assert place({"large": big}, dtype="float32") == {"large": "cpu"}
    assert place({"large": big}, context_tokens=100_000) == {"large": "cpu"}


def test_no_room_is_kept_for_a_context_that_the_model_does_not_take(
    devices: Devices, tiny_chat: Path
) -> None:
    devices.free = [GB]

    assert place({"small": tiny_chat}, context_tokens=10**9) == {"small": "cuda:0"}


def _fails_once(
    monkeypatch: pytest.MonkeyPatch, model: Transformers, error: Callable[[], Exception]
) -> list[Any]:
    """Has the next generation fail half-way, holding a tensor; returns references to what it held."""
    import torch

    assert model._loaded is not None
    forward, held = model._loaded.model.forward, []

    def fail(*args: Any, **kwargs: Any) -> Any:
        half_done = torch.zeros(10)
        held.append(weakref.ref(half_done))
        monkeypatch.setattr(model._loaded.model, "forward", forward)
        raise error()

    monkeypatch.setattr(model._loaded.model, "forward", fail)
    return held


def test_a_call_that_runs_out_of_memory_says_what_to_make_smaller(
    monkeypatch: pytest.MonkeyPatch, tiny_chat: Path
) -> None:
    import torch

    with Transformers(tiny_chat, name="tiny", device="cpu") as model:
        held = _fails_once(monkeypatch, model, lambda: torch.OutOfMemoryError("CUDA out of memory."))

        with pytest.raises(
            ModelMemoryError, match=r"no memory left for this call of tiny.*max_tokens"
        ) as caught:
            model.chat(COUNT)

        assert isinstance(caught.value, (ModelError, MemoryError))
        assert caught.value.__context__ is None
        gc.collect()
        assert [reference() for reference in held] == [None]
        assert str(model.chat(COUNT).value).startswith("one two three")


def test_a_stream_that_runs_out_of_memory_is_no_reply(
    monkeypatch: pytest.MonkeyPatch, tiny_chat: Path
) -> None:
    with Transformers(tiny_chat, device="cpu") as model:
        _fails_once(
            monkeypatch,
            model,
            lambda: RuntimeError(
                "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."
            ),
        )
        stream = model.stream(COUNT)

        with pytest.raises(ModelMemoryError):
            list(stream)

        assert stream.reply is None


def test_another_failure_of_torch_keeps_its_words(monkeypatch: pytest.MonkeyPatch, tiny_chat: Path) -> None:
    with Transformers(tiny_chat, name="tiny", device="cpu") as model:
        _fails_once(monkeypatch, model, lambda: RuntimeError("device-side assert triggered"))

        with pytest.raises(ModelError, match="tiny failed on cpu: device-side assert"):
            model.chat(COUNT)


def test_nothing_of_a_failed_call_is_stored(monkeypatch: pytest.MonkeyPatch, tiny_chat: Path) -> None:
    from lecmux import Cache, Query

    cache, query = Cache(100_000), Query(COUNT[0]["content"])
    with Transformers(tiny_chat, name="tiny", device="cpu") as model:
        _fails_once(monkeypatch, model, MemoryError)
        with pytest.raises(ModelMemoryError):
            cache.answer(query, models={"tiny": model})

        assert cache.answer(query, models={"tiny": model}).decision.kind == "call"
        assert cache.answer(query, models={"tiny": model}).decision.kind == "hit"
