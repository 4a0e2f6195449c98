"""Models: `Gguf` runs one in this process, `OpenAICompatible` asks one behind an endpoint."""

from lecmux.models.base import AsyncModel, AsyncStream, Message, Model, Stream
from lecmux.models.catalog import CATALOG, ModelFile
from lecmux.models.endpoints import Cooldown, Endpoint, Retries, Timeouts
from lecmux.models.fetch import Progress, pull
from lecmux.models.gguf import Gguf
from lecmux.models.openai_compatible import ChatSettings, OpenAICompatible
from lecmux.models.store import Installed, find, installed, register, search_dirs

__all__ = [
    "CATALOG",
    "AsyncModel",
    "AsyncStream",
    "ChatSettings",
    "Cooldown",
    "Endpoint",
    "Gguf",
    "Installed",
    "Message",
    "Model",
    "ModelFile",
    "OpenAICompatible",
    "Progress",
    "Retries",
    "Stream",
    "Timeouts",
    "find",
    "installed",
    "pull",
    "register",
    "search_dirs",
]
