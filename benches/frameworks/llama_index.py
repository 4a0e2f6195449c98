"""LlamaIndex: a bare LLM and `RouterLLM`."""

from collections.abc import Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback

from benches.frameworks.questions import (
    ANSWER,
    HIT,
    HOT,
    INPUT_TOKENS,
    MISS,
    OUTPUT_TOKENS,
    PRICES,
    Tasks,
    fresh,
)
from llama_index.llms.lecmux import RouterLLM

BARE: Final = "bare LLM"
ROUTER: Final = "RouterLLM"


class InstantLLM(CustomLLM):
    """Gives one answer at once."""

    model: str = "instant"

    @property
    def metadata(self) -> LLMMetadata:
        """Its name."""
        return LLMMetadata(model_name=self.model, is_chat_model=True)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The answer."""
        usage = {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
        return ChatResponse(
            message=ChatMessage(role="assistant", content=ANSWER),
            raw={"usage": usage, "choices": [{"finish_reason": "stop"}]},
        )

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The answer."""
        return CompletionResponse(text=ANSWER)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The answer in one piece."""
        yield CompletionResponse(text=ANSWER, delta=ANSWER)


def calls() -> Tasks:
    """The bare model, and a hit and a miss of the router."""
    bare, router = InstantLLM(), _router()
    return {
        BARE: lambda: bare.chat([ChatMessage(fresh())]),
        ROUTER + HIT: lambda: router.chat([ChatMessage(HOT)]),
        ROUTER + MISS: lambda: router.chat([ChatMessage(fresh())]),
    }


def _router() -> RouterLLM:
    return RouterLLM(models={name: InstantLLM(model=name) for name in PRICES}, prices=PRICES)
