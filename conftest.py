"""For every test below: those that need torch run where it is, and a chat model they can load in a blink."""

import importlib.util
import os
from pathlib import Path

import pytest

HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "accelerate"))

# Model hubs are no part of the tests: what is not on this machine is not there, and is said at once.
os.environ["HF_HUB_OFFLINE"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips tests marked `torch` where it is not installed, each with its reason."""
    if HAS_TORCH:
        return
    skip = pytest.mark.skip(reason="needs the extra transformers: `make test-torch` runs it")
    for item in items:
        if item.get_closest_marker("torch"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def tiny_chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny chat model that `tiny_chat.TAUGHT` says what it was taught; ten seconds, once."""
    import tiny_chat  # noqa: PLC0415  it loads torch
    import torch  # noqa: PLC0415  an extra

    torch.set_num_threads(1)  # more only wait for each other in so small a model
    return tiny_chat.make(tmp_path_factory.mktemp("tiny"))
