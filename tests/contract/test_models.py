"""Binds the models to their contract."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lecmux.errors import DownloadError, MissingExtraError
from lecmux.models import Gguf, Model, OpenAICompatible, Timeouts, Transformers, pull
from lecmux.query import Reply
from lecmux.testing import ScriptedEndpoint, ScriptedModel
from lecmux.testing.contracts import ModelContract

_NUMBERS = "one two three four five six seven eight nine ten"


class TestScriptedModel(ModelContract):
    @pytest.fixture
    def model(self) -> Model:
        return ScriptedModel(default=_NUMBERS)

    @pytest.fixture
    def closable(self) -> Model:
        return ScriptedModel(default=_NUMBERS)


def _loaded() -> Iterator[Model]:
    pytest.importorskip("xllamacpp")
    try:
        pull("small")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")
    with Gguf("small", context_tokens=512, reuse_prefix=False) as model:
        yield model


@pytest.fixture(scope="module")
def gguf() -> Iterator[Model]:
    yield from _loaded()


@pytest.mark.model
class TestGguf(ModelContract):
    @pytest.fixture
    def model(self, gguf: Model) -> Model:
        return gguf

    @pytest.fixture
    def closable(self) -> Iterator[Model]:
        yield from _loaded()


def _numbers(body: Mapping[str, Any]) -> Reply:
    """What a real endpoint does with the settings of a request."""
    given = {name: body[name] for name in ("max_tokens", "stop") if name in body}
    return ScriptedModel(default=_NUMBERS).chat(body["messages"], **given)


def _asking(base_url: str, api_key: str | None = None) -> Iterator[Model]:
    pytest.importorskip("openai", reason="needs lecmux[openai]")
    patient = Timeouts(connect_seconds=20)
    with OpenAICompatible("m", base_url=base_url, api_key=api_key, timeouts=patient) as model:
        yield model


class TestOpenAICompatible(ModelContract):
    @pytest.fixture
    def model(self) -> Iterator[Model]:
        with ScriptedEndpoint(_numbers) as endpoint:
            yield from _asking(endpoint.base_url)

    @pytest.fixture
    def closable(self, model: Model) -> Model:
        return model


@pytest.mark.model
class TestOpenAICompatibleOverLlamaCpp(ModelContract):
    @pytest.fixture
    def model(self, real_endpoint: Any) -> Iterator[Model]:
        yield from _asking(real_endpoint.base_url, real_endpoint.api_key)

    @pytest.fixture
    def closable(self, model: Model) -> Model:
        return model


@pytest.fixture(scope="module")
def transformers(tiny_chat: Path) -> Iterator[Model]:
    with Transformers(tiny_chat, device="cpu") as model:
        yield model


@pytest.mark.torch
class TestTransformers(ModelContract):
    @pytest.fixture
    def model(self, transformers: Model) -> Model:
        return transformers

    @pytest.fixture
    def closable(self, tiny_chat: Path) -> Iterator[Model]:
        with Transformers(tiny_chat, device="cpu") as model:
            yield model


@pytest.fixture(scope="module")
def small_through_torch() -> Iterator[Model]:
    try:
        pull("small")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")
    with Transformers("small", device="cpu", context_tokens=512) as model:
        yield model


@pytest.mark.torch
class TestTransformersFromGguf(ModelContract):
    """The same file that `Gguf` loads, unpacked."""

    @pytest.fixture
    def model(self, small_through_torch: Model) -> Model:
        return small_through_torch

    @pytest.fixture
    def closable(self, small_through_torch: Model) -> Iterator[Model]:
        with Transformers("small", device="cpu", context_tokens=512) as model:
            yield model
