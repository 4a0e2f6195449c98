"""Models: `Gguf` and `Transformers` run one in this process, `OpenAICompatible` asks an endpoint."""

from lecmux.models._torch import place
from lecmux.models.base import AsyncModel, AsyncStream, Message, Model, Stream
from lecmux.models.catalog import CATALOG, ModelFile
from lecmux.models.endpoints import Concurrency, Cooldown, Endpoint, Retries, Timeouts
from lecmux.models.fetch import Progress, pull
from lecmux.models.gguf import Gguf
from lecmux.models.openai_compatible import ChatSettings, OpenAICompatible
from lecmux.models.store import Installed, find, installed, register, search_dirs
from lecmux.models.transformers import Transformers

__all__ = [
    "CATALOG",
    "AsyncModel",
    "AsyncStream",
    "ChatSettings",
    "Concurrency",
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
    "Transformers",
    "find",
    "installed",
    "place",
    "pull",
    "register",
    "search_dirs",
]
