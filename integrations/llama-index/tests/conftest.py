"""Makes `scripted_llm` importable by its name from every test below, and keeps global settings apart."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Global settings of LlamaIndex as they were."""
    from llama_index.core import Settings

    kept = dict(vars(Settings))
    yield
    vars(Settings).update(kept)


@pytest.fixture
def heard() -> Iterator[list]:
    """Every event of the instrumentation, in order."""
    from llama_index_instrumentation import get_dispatcher
    from llama_index_instrumentation.event_handlers import BaseEventHandler

    events: list = []

    class Ear(BaseEventHandler):
        def handle(self, event: object, **_: object) -> None:
            events.append(event)

    root = get_dispatcher()
    kept = list(root.event_handlers)
    root.event_handlers = [*kept, Ear()]
    yield events
    root.event_handlers = kept
