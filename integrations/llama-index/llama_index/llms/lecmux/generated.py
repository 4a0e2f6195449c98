"""What a model generated, with the few facts about it that a cache and a router need."""

from dataclasses import dataclass, replace

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock

from lecmux import Reply
from llama_index.llms.lecmux.responses import Response, end, text_of, usage


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """The answer of one call; hooks receive it as `reply.value`.

    `pieces`: lengths in characters of the parts that a stream came in; below 0, of its reasoning. `tokens`:
    given and made by the call that answered. Two are equal when they say the same and call the same tools.
    """

    response: Response
    pieces: tuple[int, ...] = ()
    tokens: tuple[int, int] = (0, 0)

    @property
    def text(self) -> str:
        """Its text, "" where there is none."""
        return text_of(self.response)

    @property
    def wording(self) -> str:
        """All of it as one text: what it says, and which tools it calls."""
        return self.text + "".join(map(str, self._calls()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Generated):
            return NotImplemented
        return self.text == other.text and self._calls() == other._calls()

    __hash__ = None  # type: ignore[assignment]

    def _calls(self) -> list[tuple[str, object]]:
        if not isinstance(self.response, ChatResponse):
            return []
        blocks = self.response.message.blocks
        return [(each.tool_name, each.tool_kwargs) for each in blocks if isinstance(each, ToolCallBlock)]


def reply(response: Response, *, model: str, seconds: float) -> Reply:
    """A whole answer as what hooks, prices and admission go by."""
    used = usage(response)
    return Reply(
        Generated(response, tokens=(used.input_tokens, used.output_tokens)),
        usage=replace(used, seconds=seconds),
        finish_reason=end(response),
        model=model,
    )
