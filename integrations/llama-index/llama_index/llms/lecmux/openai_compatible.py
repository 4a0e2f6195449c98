"""`OpenAICompatibleLLM`: a model behind an OpenAI-compatible endpoint as an LLM of LlamaIndex."""

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools.types import BaseTool

from lecmux.errors import ConfigError
from lecmux.models import OpenAICompatible
from llama_index.llms.lecmux.model_llm import ModelLLM

__all__ = ["OpenAICompatibleLLM"]


class OpenAICompatibleLLM(ModelLLM):
    """Answers with a `lecmux.models.OpenAICompatible`, which several of these may share.

    >>> remote = OpenAICompatible("qwen3", base_url="http://127.0.0.1:8000/v1")  # doctest: +SKIP
    >>> OpenAICompatibleLLM(model=remote).complete("The capital of France?").text  # doctest: +SKIP

    Unlike other models it can be held to a tool. Keyword arguments of a call that are no setting of
    `ModelLLM` become fields of the request, such as `top_p` and `response_format`.
    """

    def __init__(self, **settings: Any) -> None:
        """Takes the fields by name.

        Raises:
            ConfigError: `model` is no `lecmux.models.OpenAICompatible`.
        """
        if not isinstance(settings.get("model"), OpenAICompatible):
            raise ConfigError(f"model must be an OpenAICompatible, not {settings.get('model')!r}")
        super().__init__(**settings)

    @classmethod
    def class_name(cls) -> str:
        """Name in traces and exports."""
        return "lecmux_openai_compatible_llm"

    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        settings: dict[str, Any] = self.model.sort_settings(super()._options(given))
        return settings

    def _prepare_chat_with_tools(  # noqa: PLR0917  LlamaIndex's signature
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Offers tools, and demands a call where one is required."""
        prepared = super()._prepare_chat_with_tools(
            tools, user_msg, chat_history, verbose, allow_parallel_tool_calls, tool_required, **kwargs
        )
        if "tools" in prepared:
            prepared.setdefault("parallel_tool_calls", allow_parallel_tool_calls)
            choice = _tool_choice(tool_choice, required=tool_required)
            prepared |= {"tool_choice": choice} if choice else {}
        return prepared


def _tool_choice(choice: str | dict[str, Any] | None, *, required: bool) -> Any:
    """In the OpenAI form; None leaves it to the model."""
    if choice is None:
        return "required" if required else None
    if isinstance(choice, str) and choice not in {"auto", "none", "required"}:
        return {"type": "function", "function": {"name": choice}}
    return choice
