"""The query stage: the last human turn, and a digest of all that was said beside it.

Nothing is compared by likeness in a conversation that ends otherwise than with a human turn in text: an agent
between two calls of a tool, an answer to be continued, a picture whose bytes are not at hand.
"""

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    VideoBlock,
)

from lecmux.salient import Salient, salient
from llama_index.llms.lecmux.canonical import UnstableKeyError, turns, written

_MEDIA = (ImageBlock, AudioBlock, VideoBlock, DocumentBlock)


def salient_chat(messages: Sequence[ChatMessage]) -> Salient | None:
    """The parts of a conversation."""
    if not messages or messages[-1].role != MessageRole.USER:
        return None
    last = messages[-1]
    blocks = [block for block in last.blocks if not isinstance(block, CachePoint)]
    if not all(type(block) is TextBlock or _holds_its_bytes(block) for block in blocks):
        return None
    texts = [block.text for block in blocks if isinstance(block, TextBlock)]
    empty = [
        block.model_copy(update={"text": ""}) if isinstance(block, TextBlock) else block for block in blocks
    ]
    rest = [*messages[:-1], last.model_copy(update={"blocks": empty})]
    try:
        return salient("\n".join(texts), written(turns(rest)))
    except UnstableKeyError:
        return None


def _holds_its_bytes(block: Any) -> bool:
    """Whether a picture, sound or file is there itself: what an address leads to may be another next time."""
    if not isinstance(block, _MEDIA):
        return False
    data = next(
        (getattr(block, name) for name in ("image", "audio", "video", "data") if hasattr(block, name)), None
    )
    return data is not None or getattr(block, "path", None) is not None
