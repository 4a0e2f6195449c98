"""Binds the models to their contract."""

from collections.abc import Iterator

import pytest

from lecmux.errors import DownloadError, MissingExtraError
from lecmux.models import Gguf, Model, pull
from lecmux.testing import ScriptedModel
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
