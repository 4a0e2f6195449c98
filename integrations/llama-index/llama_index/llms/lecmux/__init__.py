"""lecmux for LlamaIndex.

`RouterLLM` serves stored answers and chooses models, `ModelLLM` is a model of `lecmux.models`, `LECKVStore`
keeps embeddings and transformed nodes, `LECSelector` chooses query engines.
"""

from llama_index.llms.lecmux.events import LECCacheHitEvent, LECRouteEvent
from llama_index.llms.lecmux.kvstore import LECKVStore
from llama_index.llms.lecmux.llm import RouterLLM
from llama_index.llms.lecmux.model_llm import ModelLLM
from llama_index.llms.lecmux.selector import LECSelection, LECSelector

__all__ = [
    "LECCacheHitEvent",
    "LECKVStore",
    "LECRouteEvent",
    "LECSelection",
    "LECSelector",
    "ModelLLM",
    "RouterLLM",
]
