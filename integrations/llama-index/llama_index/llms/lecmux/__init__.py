"""lecmux for LlamaIndex: `RouterLLM` serves stored answers and chooses models, `ModelLLM` is one of ours."""

from llama_index.llms.lecmux.events import LECCacheHitEvent, LECRouteEvent
from llama_index.llms.lecmux.llm import RouterLLM
from llama_index.llms.lecmux.model_llm import ModelLLM

__all__ = ["LECCacheHitEvent", "LECRouteEvent", "ModelLLM", "RouterLLM"]
