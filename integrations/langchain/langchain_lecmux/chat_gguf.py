"""`ChatGguf`: a local GGUF model as a LangChain chat model."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from langchain_lecmux.chat_local import ChatModel
from lecmux.models import Gguf

__all__ = ["ChatGguf"]


class ChatGguf(ChatModel):
    """Answers with a `lecmux.models.Gguf`, which several of these may share.

    >>> small = ChatGguf(gguf=Gguf("small"), max_tokens=64)  # doctest: +SKIP
    >>> small.invoke("What is the capital of France?").content  # doctest: +SKIP

    Args:
        gguf: the loaded model; closing it stays with whoever loaded it.
        max_tokens, temperature, seed, stop: as for `ChatModel`.
    """

    model: Gguf = Field(exclude=True, alias="gguf")

    @property
    def gguf(self) -> Gguf:
        """The loaded model."""
        return self.model

    @property
    def _llm_type(self) -> str:
        return "lecmux-gguf"

    def _identity(self) -> Mapping[str, Any]:
        return {"file": self.model.path.name}
