"""Local models: `pull` brings one here, `Gguf` loads it."""

from lecmux.models.base import AsyncModel, AsyncStream, Message, Model, Stream
from lecmux.models.catalog import CATALOG, ModelFile
from lecmux.models.fetch import Progress, pull
from lecmux.models.gguf import Gguf
from lecmux.models.store import Installed, find, installed, register, search_dirs

__all__ = [
    "CATALOG",
    "AsyncModel",
    "AsyncStream",
    "Gguf",
    "Installed",
    "Message",
    "Model",
    "ModelFile",
    "Progress",
    "Stream",
    "find",
    "installed",
    "pull",
    "register",
    "search_dirs",
]
