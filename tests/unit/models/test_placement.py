"""On which device a model goes: by its bytes and by what is free."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lecmux.models import _placement

GB = 10**9


def test_the_device_with_most_room_comes_first_and_the_cpu_last() -> None:
    free = {"cuda:0": 8 * GB, "cuda:1": 20 * GB, "cuda:2": 2 * GB}

    assert _placement.candidates(4 * GB, free) == ["cuda:1", "cuda:0", "cpu"]
    assert _placement.candidates(40 * GB, free) == ["cpu"]
    assert _placement.candidates(1, {}) == ["cpu"]


def test_two_models_take_two_devices_where_there_are_two() -> None:
    needed = {"small": GB, "large": 14 * GB}

    assert _placement.assign(needed, {"cuda:0": 20 * GB, "cuda:1": 24 * GB}) == {
        "small": "cuda:0",
        "large": "cuda:1",
    }


def test_two_models_share_the_only_device_if_both_fit() -> None:
    needed = {"small": GB, "large": 14 * GB}

    assert _placement.assign(needed, {"cuda:0": 16 * GB}) == {"small": "cuda:0", "large": "cuda:0"}
    assert _placement.assign(needed, {"cuda:0": int(14.5 * GB)}) == {"small": "cpu", "large": "cuda:0"}


def test_the_large_model_keeps_the_only_device_it_fits_on() -> None:
    needed = {"small": 6 * GB, "large": 22 * GB}

    chosen = _placement.assign(needed, {"cuda:0": 8 * GB, "cuda:1": 24 * GB})

    assert chosen == {"small": "cuda:0", "large": "cuda:1"}


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 100), max_size=6),
    st.dictionaries(st.sampled_from(["cuda:0", "cuda:1", "cuda:2"]), st.integers(0, 150)),
)
def test_no_device_gets_more_than_it_has(needed: dict[str, int], free: dict[str, int]) -> None:
    chosen = _placement.assign(needed, free)

    assert list(chosen) == list(needed)
    for device, room in free.items():
        assert sum(needs for name, needs in needed.items() if chosen[name] == device) <= room


def _config(**settings: Any) -> Any:
    config = SimpleNamespace(**settings)
    config.get_text_config = lambda: config
    return config


def test_bytes_are_weights_and_the_state_of_the_longest_conversation() -> None:
    # Llama 3.1 8B: 128 KiB of keys and values for each token in 16 bits, as its model card's figures give.
    config = _config(num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, head_dim=128)

    short, long = (_placement.needed(config, 8 * GB, 2, tokens) for tokens in (0, 1000))

    assert long - short == 1000 * 128 * 1024
    assert 16 * GB < short < 18 * GB


def test_a_config_that_says_little_counts_the_weights() -> None:
    assert _placement.needed(_config(), GB, 2, 1000) > 2 * GB
