"""A stored answer as a stream: in the pieces it first came in, or in one."""

from collections.abc import Iterator

from llama_index.core.base.llms.types import (
    BaseContentBlock,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    TextBlock,
    ThinkingBlock,
)

from llama_index.llms.lecmux.canonical import FACTS
from llama_index.llms.lecmux.generated import Generated
from llama_index.llms.lecmux.responses import Response, text_of


def chunks(generated: Generated) -> Iterator[Response]:
    """Each chunk carries all that was said so far, the last one the whole answer with its tool calls."""
    response = generated.response
    text, thought = text_of(response), _thought(response)
    said = sum(length for length in generated.pieces if length > 0)
    reasoned = -sum(length for length in generated.pieces if length < 0)
    if not generated.pieces or said != len(text) or reasoned not in {0, len(thought)}:
        yield response.model_copy(update={"delta": text})
        return
    done = considered = 0
    for place, length in enumerate(generated.pieces, start=1):
        start, before = done, considered
        done, considered = done + max(length, 0), considered + max(-length, 0)
        last = place == len(generated.pieces)
        yield _chunk(
            response if last else _partial(response, text[:done], thought[:considered]),
            delta=text[start:done],
            thinking=thought[before:considered],
        )


def _thought(response: Response) -> str:
    """Its reasoning, where it stands in one block."""
    if not isinstance(response, ChatResponse):
        return ""
    found = [block.content or "" for block in response.message.blocks if isinstance(block, ThinkingBlock)]
    return found[0] if len(found) == 1 else ""


def _chunk(response: Response, *, delta: str, thinking: str) -> Response:
    update: dict[str, object] = {"delta": delta}
    if thinking:
        update["additional_kwargs"] = {**response.additional_kwargs, "thinking_delta": thinking}
    return response.model_copy(update=update)


def _partial(response: Response, text: str, thought: str) -> Response:
    """The answer as far as it was said."""
    kwargs = {name: value for name, value in response.additional_kwargs.items() if name == FACTS}
    if isinstance(response, CompletionResponse):
        return CompletionResponse(text=text, additional_kwargs=kwargs)
    blocks: list[BaseContentBlock] = [ThinkingBlock(content=thought)] if thought else []
    if text:
        blocks.append(TextBlock(text=text))
    message = ChatMessage(role=response.message.role, blocks=blocks)
    return ChatResponse(message=message, additional_kwargs=kwargs)
