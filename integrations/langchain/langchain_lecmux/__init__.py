"""lecmux for LangChain: `LECCache` remembers answers, `ChatRouter` chooses among models."""

from langchain_lecmux.cache import LECCache, LECCacheStats

__all__ = ["LECCache", "LECCacheStats"]
