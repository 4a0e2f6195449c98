"""A tool-calling LLM without a model: it follows a script, natively sync and async, strict about tools.

What it is asked is kept in `calls`. Tools must come in the shape of its own `provider`, as with real ones.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from pydantic import Field, PrivateAttr

Said = str | ToolCallBlock | Exception
Script = Callable[[Sequence[ChatMessage], Sequence[str]], Said]


def echo(messages: Sequence[ChatMessage], tools: Sequence[str]) -> Said:
    """Says what was asked, or what a tool gave back; calls the first tool when it is asked to."""
    last = messages[-1]
    if last.role == MessageRole.USER and tools and (numbers := re.findall(r"\d+", str(last.content))):
        return ToolCallBlock(
            tool_call_id=f"call_{len(messages):012d}",
            tool_name=tools[0],
            tool_kwargs=dict(zip("ab", map(int, numbers), strict=False)),
        )
    return f"you said: {last.content}"


class ScriptedLLM(FunctionCallingLLM):
    """Answers by `script`; words are tokens, and streams come word by word."""

    provider: str = "acme"
    script: Any = Field(default=echo, exclude=True)
    temperature: float = 0.0
    finish_reason: str = "stop"
    thinks: str = ""
    context_window: int = 1000
    num_output: int = 100
    chat_model: bool = True
    function_calling: bool = True
    _calls: list[tuple[str, Any]] = PrivateAttr(default_factory=list)

    @property
    def calls(self) -> list[tuple[str, Any]]:
        """The method and the question of each call."""
        return self._calls

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.num_output,
            is_chat_model=self.chat_model,
            is_function_calling_model=self.function_calling,
            model_name=f"{self.provider}-1",
        )

    def _asked(self, method: str, messages: Sequence[ChatMessage], options: dict[str, Any]) -> Said:
        self._calls.append((method, [str(message.content) for message in messages]))
        names = []
        for tool in options.get("tools", ()):
            if self.provider not in tool:
                raise ValueError(f"{self.provider} cannot read the tool {tool}")
            names.append(tool[self.provider])
        said = self.script(messages, names)
        if isinstance(said, Exception):
            raise said
        return said

    def _response(
        self, said: Said, messages: Sequence[ChatMessage], delta: str | None = None
    ) -> ChatResponse:
        blocks: list[Any] = [ThinkingBlock(content=self.thinks)] if self.thinks else []
        blocks.append(TextBlock(text=said) if isinstance(said, str) else said)
        asked = sum(len(str(message.content).split()) for message in messages)
        usage = {
            "prompt_tokens": asked,
            "completion_tokens": len(said.split()) if isinstance(said, str) else 5,
        }
        # As integrations do that kept tool calls here before there were blocks for them.
        listed = (
            {} if isinstance(said, str) else {"tool_calls": [{"id": said.tool_call_id, "type": "function"}]}
        )
        return ChatResponse(
            message=ChatMessage(role="assistant", blocks=blocks, additional_kwargs=listed),
            delta=delta,
            raw={"usage": usage, "choices": [{"finish_reason": self.finish_reason}]},
            additional_kwargs=dict(usage),
        )

    def _pieces(self, said: Said, messages: Sequence[ChatMessage]) -> list[ChatResponse]:
        chunks = []
        thought = ""
        for piece in re.findall(r"\S+\s*", self.thinks):
            thought += piece
            message = ChatMessage(role="assistant", blocks=[ThinkingBlock(content=thought)])
            chunks.append(
                ChatResponse(message=message, delta="", additional_kwargs={"thinking_delta": piece})
            )
        text = ""
        kept = [ThinkingBlock(content=self.thinks)] if self.thinks else []
        for piece in re.findall(r"\S+\s*", said) if isinstance(said, str) else []:
            text += piece
            message = ChatMessage(role="assistant", blocks=[*kept, TextBlock(text=text)])
            chunks.append(ChatResponse(message=message, delta=piece))
        return [*chunks, self._response(said, messages, delta="")]

    # chat

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._response(self._asked("chat", messages, kwargs), messages)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        await asyncio.sleep(0)
        return self._response(self._asked("achat", messages, kwargs), messages)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        def gen() -> ChatResponseGen:
            yield from self._pieces(self._asked("stream_chat", messages, kwargs), messages)

        return gen()

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        async def gen() -> ChatResponseAsyncGen:
            for chunk in self._pieces(self._asked("astream_chat", messages, kwargs), messages):
                await asyncio.sleep(0)
                yield chunk

        return gen()

    # completion

    def _completed(self, method: str, prompt: str, delta: str | None = None) -> CompletionResponse:
        said = self._asked(method, [ChatMessage(prompt)], {})
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(str(said).split())}
        return CompletionResponse(text=str(said), raw={"usage": usage}, delta=delta)

    def _completed_pieces(self, method: str, prompt: str) -> list[CompletionResponse]:
        whole = self._completed(method, prompt)
        pieces = re.findall(r"\S+\s*", whole.text)
        said = ["".join(pieces[: place + 1]) for place in range(len(pieces))]
        chunks = [CompletionResponse(text=a, delta=b) for a, b in zip(said, pieces, strict=True)]
        return [*chunks, whole.model_copy(update={"delta": ""})]

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return self._completed("complete", prompt)

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        await asyncio.sleep(0)
        return self._completed("acomplete", prompt)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        def gen() -> CompletionResponseGen:
            yield from self._completed_pieces("stream_complete", prompt)

        return gen()

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        async def gen() -> CompletionResponseAsyncGen:
            for chunk in self._completed_pieces("astream_complete", prompt):
                await asyncio.sleep(0)
                yield chunk

        return gen()

    # tools

    def _prepare_chat_with_tools(  # noqa: PLR0917  LlamaIndex's signature
        self,
        tools: Sequence[Any],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        messages = list(chat_history or [])
        if user_msg is not None:
            messages.append(ChatMessage(user_msg) if isinstance(user_msg, str) else user_msg)
        return {"messages": messages, "tools": [{self.provider: tool.metadata.name} for tool in tools]}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        if not calls and error_on_no_tool_call:
            raise ValueError("no tool was called")
        return [
            ToolSelection(
                tool_id=call.tool_call_id or "", tool_name=call.tool_name, tool_kwargs=dict(call.tool_kwargs)
            )
            for call in calls
        ]


def router(small: FunctionCallingLLM, large: FunctionCallingLLM | None = None, **settings: Any) -> Any:
    """A router over one model or two."""
    from llama_index.llms.lecmux import RouterLLM

    return RouterLLM(models={"small": small} | ({"large": large} if large else {}), **settings)
