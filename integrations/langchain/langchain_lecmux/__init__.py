"""lecmux for LangChain: `LECCache` keeps answers, `ChatRouter` chooses models, `ChatGguf` is a local one.

`LECRouterMiddleware` puts a router into an agent; it needs `langchain` and is imported at first use.
"""

from typing import TYPE_CHECKING, Any

from langchain_lecmux.cache import LECCache, LECCacheStats
from langchain_lecmux.chat_gguf import ChatGguf
from langchain_lecmux.chat_model import ChatRouter

if TYPE_CHECKING:
    from langchain_lecmux.middleware import LECRouterMiddleware

__all__ = ["ChatGguf", "ChatRouter", "LECCache", "LECCacheStats", "LECRouterMiddleware"]


def __getattr__(name: str) -> Any:
    if name == "LECRouterMiddleware":
        from langchain_lecmux.middleware import LECRouterMiddleware  # noqa: PLC0415  takes 2 s and langchain

        return LECRouterMiddleware
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
