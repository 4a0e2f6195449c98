"""`ChatTransformers`: a model loaded through transformers as a LangChain chat model."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from langchain_lecmux.asked import openai_messages
from langchain_lecmux.chat_local import ChatModel, Tool
from lecmux.models import Transformers

__all__ = ["ChatTransformers"]


class ChatTransformers(ChatModel):
    """Answers with a `lecmux.models.Transformers`, which several of these may share.

    >>> chat = ChatTransformers(model=Transformers("Qwen/Qwen3-0.6B"), max_tokens=64)  # doctest: +SKIP
    >>> chat.invoke("What is the capital of France?").content  # doctest: +SKIP

    Args:
        model: the loaded model; closing it stays with whoever loaded it.
        max_tokens, temperature, seed, stop: as for `ChatModel`.
    """

    model: Transformers = Field(exclude=True)

    @property
    def _llm_type(self) -> str:
        return "lecmux-transformers"

    def _identity(self) -> Mapping[str, Any]:
        """The weights and their number format; not the device, whose rounding is no other model."""
        return {"source": self.model.source, "revision": self.model.revision, "dtype": self.model.dtype}

    def bind_tools(
        self,
        tools: Sequence[Tool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offers tools to the model.

        Args:
            tools: functions, classes, LangChain's tools or JSON schemas.
            tool_choice: None and "auto" leave it to the model, "none" forbids, "any", "required" and True
                demand a call, a tool's name demands that one.
            kwargs: further arguments of `Transformers.chat`.
        """
        offered = [convert_to_openai_tool(tool) for tool in tools]
        choice = _tool_choice(tool_choice)
        return self.bind(tools=offered, **({"tool_choice": choice} if choice else {}), **kwargs)

    def get_num_tokens_from_messages(
        self,
        messages: list[BaseMessage],
        tools: Sequence[Tool] | None = None,
        **kwargs: Any,
    ) -> int:
        """Tokens of a prompt, counted by the model's own tokenizer with all that its chat template adds."""
        offered = [convert_to_openai_tool(tool) for tool in tools or ()]
        return self.model.count_tokens(openai_messages(messages), tools=offered)

    def get_token_ids(self, text: str) -> list[int]:
        """The tokens of a text, without a chat template."""
        return self.model.token_ids(text)


def _tool_choice(choice: str | dict[str, Any] | bool | None) -> str | None:
    """As `Transformers.chat` takes it."""
    if choice is True or choice == "any":
        return "required"
    if isinstance(choice, dict):
        return str(choice.get("function", choice).get("name", "required"))
    return choice or None
