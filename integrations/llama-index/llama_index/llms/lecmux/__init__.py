"""lecmux for LlamaIndex.

`RouterLLM` serves stored answers and chooses models. `ModelLLM` is a model of `lecmux.models`,
`OpenAICompatibleLLM` one behind an endpoint. `LECKVStore` keeps embeddings and transformed nodes, and
`LECSelector` chooses query engines.
"""

from llama_index.llms.lecmux.events import LECCacheHitEvent, LECRouteEvent
from llama_index.llms.lecmux.kvstore import LECKVStore
from llama_index.llms.lecmux.llm import RouterLLM
from llama_index.llms.lecmux.model_llm import ModelLLM
from llama_index.llms.lecmux.openai_compatible import OpenAICompatibleLLM
from llama_index.llms.lecmux.selector import LECSelection, LECSelector

__all__ = [
    "LECCacheHitEvent",
    "LECKVStore",
    "LECRouteEvent",
    "LECSelection",
    "LECSelector",
    "ModelLLM",
    "OpenAICompatibleLLM",
    "RouterLLM",
]
