"""lecmux for LangChain: `LECCache` keeps answers, `ChatRouter` chooses models, `ChatModel` is one of ours.

`LECRouterMiddleware` and `LECDecisionModel` put what is learnt into agents. They need parts of LangChain that
not everyone has, so they are imported at first use, and `import *` leaves them out.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from langchain_lecmux.cache import LECCache, LECCacheStats
from langchain_lecmux.chat_gguf import ChatGguf
from langchain_lecmux.chat_local import ChatModel
from langchain_lecmux.chat_model import ChatRouter
from langchain_lecmux.chat_openai_compatible import ChatOpenAICompatible
from langchain_lecmux.chat_transformers import ChatTransformers
from langchain_lecmux.runnable import RunnableRouter

if TYPE_CHECKING:
    from langchain_lecmux.decisions import LECDecisionModel as LECDecisionModel
    from langchain_lecmux.middleware import LECRouterMiddleware as LECRouterMiddleware

__all__ = [
    "ChatGguf",
    "ChatModel",
    "ChatOpenAICompatible",
    "ChatRouter",
    "ChatTransformers",
    "LECCache",
    "LECCacheStats",
    "RunnableRouter",
]

_LATER: Final = {"LECDecisionModel": "decisions", "LECRouterMiddleware": "middleware"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"langchain_lecmux.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])
