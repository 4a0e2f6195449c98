"""Suites that state what an interface promises. Subclass one, fill in its fixture, run pytest.

They need pytest, which is imported here and nowhere else in the package. The async tests need pytest-asyncio
with `asyncio_mode = "auto"`.
"""

from lecmux.testing.contracts.cache import CacheContract
from lecmux.testing.contracts.embedder import EmbedderContract
from lecmux.testing.contracts.hooks import HookContract, ListenerContract, NormaliserContract
from lecmux.testing.contracts.model import ModelContract

__all__ = [
    "CacheContract",
    "EmbedderContract",
    "HookContract",
    "ListenerContract",
    "ModelContract",
    "NormaliserContract",
]
