"""`ChatOpenAICompatible`: a model behind an OpenAI-compatible endpoint as a LangChain chat model."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import BaseOutputParser, JsonOutputParser, PydanticOutputParser
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import Field

from langchain_lecmux.chat_local import ChatModel, Tool
from lecmux.errors import ConfigError
from lecmux.models import OpenAICompatible

__all__ = ["ChatOpenAICompatible"]

Method = Literal["function_calling", "json_schema", "json_mode"]
_METHODS = ("function_calling", "json_schema", "json_mode")
_CHOICES = frozenset({"auto", "none", "required"})


class ChatOpenAICompatible(ChatModel):
    """Answers with a `lecmux.models.OpenAICompatible`, which several of these may share.

    >>> remote = OpenAICompatible("qwen3", base_url="http://127.0.0.1:8000/v1")  # doctest: +SKIP
    >>> ChatOpenAICompatible(model=remote).invoke("What is the capital of France?")  # doctest: +SKIP

    Whatever a call binds that is no setting of `ChatModel` becomes a field of the request: `top_p`,
    `response_format`, `parallel_tool_calls`, `model`.

    Args:
        model: the client; closing it stays with whoever made it.
        max_tokens, temperature, seed, stop: as for `ChatModel`.
    """

    model: OpenAICompatible = Field(exclude=True)

    @property
    def _llm_type(self) -> str:
        return "lecmux-openai-compatible"

    def _identity(self) -> Mapping[str, Any]:
        return {"endpoints": [each.base_url for each in self.model.endpoints], "asked": self.model.asked}

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
                demand a call, a tool's name demands that one; a dictionary is sent as it is.
            kwargs: further fields of the request.
        """
        offered = [convert_to_openai_tool(tool) for tool in tools]
        choice = _tool_choice(tool_choice)
        return self.bind(tools=offered, **({"tool_choice": choice} if choice else {}), **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        method: Method = "function_calling",
        include_raw: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Has the model answer in the form of `schema`.

        Args:
            schema: a pydantic class, a TypedDict or a JSON schema.
            method: "function_calling" asks for the call of a tool; "json_schema" has the endpoint hold the
                model to the schema, which llama.cpp, vLLM and OpenAI do; "json_mode" asks for any JSON.
            include_raw: give a dictionary of `raw`, `parsed` and `parsing_error`.
            kwargs: further fields of the request.

        Raises:
            ConfigError: for another method.
        """
        if method not in _METHODS:
            raise ConfigError(f"method must be one of {', '.join(map(repr, _METHODS))}, not {method!r}")
        if method == "function_calling":
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        asks = self.bind(
            response_format=_response_format(schema, method),
            ls_structured_output_format={
                "kwargs": {"method": method},
                "schema": convert_to_openai_tool(schema),
            },
            **kwargs,
        )
        parser: BaseOutputParser[Any] = JsonOutputParser()
        if isinstance(schema, type) and is_basemodel_subclass(schema):
            parser = PydanticOutputParser(pydantic_object=schema)
        if not include_raw:
            return asks | parser
        parsed = RunnablePassthrough.assign(
            parsed=lambda found: parser.invoke(found["raw"]), parsing_error=lambda _: None
        )
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=asks) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    def _options(self, stop: list[str] | None, given: Mapping[str, Any]) -> dict[str, Any]:
        return self.model.sort_settings(super()._options(stop, given))


def _tool_choice(choice: str | dict[str, Any] | bool | None) -> Any:
    """In the OpenAI form; None where nothing is said."""
    if choice is True or choice == "any":
        return "required"
    if isinstance(choice, str) and choice not in _CHOICES:
        return {"type": "function", "function": {"name": choice}}
    return choice or None


def _response_format(schema: dict[str, Any] | type, method: Method) -> dict[str, Any]:
    if method == "json_mode":
        return {"type": "json_object"}
    plain = convert_to_json_schema(schema)
    return {
        "type": "json_schema",
        "json_schema": {"name": plain.get("title", "answer"), "schema": plain, "strict": True},
    }
