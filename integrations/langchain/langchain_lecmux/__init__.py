"""lecmux for LangChain: `LECCache` keeps answers, `ChatRouter` chooses models, `ChatGguf` is a local one."""

from langchain_lecmux.cache import LECCache, LECCacheStats
from langchain_lecmux.chat_gguf import ChatGguf
from langchain_lecmux.chat_model import ChatRouter

__all__ = ["ChatGguf", "ChatRouter", "LECCache", "LECCacheStats"]
