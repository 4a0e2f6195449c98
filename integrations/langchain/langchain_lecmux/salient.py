"""The query stage: the last human turn, and a digest of all that was said beside it.

Nothing is compared by likeness in a conversation that ends otherwise than with a human turn in text: an agent
between two calls of a tool, an answer to be continued, a picture whose bytes are not at hand.
"""

from collections.abc import Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_lecmux.canonical import UnstableKeyError, plain_turns, turns, written
from lecmux import Semantic
from lecmux.salient import Salient, salient

_HUMAN: Final = "human"
# Where the bytes of a picture, a sound or a file stand in a block.
_BYTES: Final = ("base64", "data")


def may_be_alike(semantic: Semantic, said: bool | None, *, shaped: bool) -> bool:
    """Whether a question that is only alike may answer a call.

    `said`: what the call itself says of it; `shaped`: whether tools or a structured output are asked for.
    """
    return semantic.tools or not shaped if said is None else said


def salient_messages(messages: Sequence[BaseMessage], dumped: str | None = None) -> Salient | None:
    """The parts of a conversation; `dumped`, its JSON, is needed where it is more than plain text."""
    said = plain_turns(messages)
    if said is None:
        return None if dumped is None else salient_prompt(dumped)
    last = messages[-1] if messages else None
    if not isinstance(last, HumanMessage):
        return None
    return salient(str(last.content), f"c[{','.join(said[:-1])}]")


def salient_prompt(prompt: str) -> Salient | None:
    """The parts of what LangChain passes to a cache: the JSON of a chat, or a text that is salient itself."""
    try:
        said = turns(prompt)
        if said is None:
            return salient(prompt, "")
        return _parts(said)
    except UnstableKeyError:
        return None


def _parts(said: list[list[Any]]) -> Salient | None:
    if not said or said[-1][0] != _HUMAN:
        return None
    _, content, *more = said[-1]
    before = said[:-1]
    if isinstance(content, str):
        rest = "c" + written([*before, *(["", *more] if more else [])])
        return salient(content, rest)
    texts, others = _split(content)
    if texts is None:
        return None
    return salient("\n".join(texts), "b" + written([*before, others, *more]))


def _split(content: Any) -> tuple[list[str] | None, list[Any]]:
    """The texts of a message, and its blocks without them; None where a block cannot be held equal."""
    texts: list[str] = []
    others: list[Any] = []
    for block in content if isinstance(content, list) else ():
        if isinstance(block, str):
            texts.append(block)
            others.append(0)
        elif block.get("type") == "text" and isinstance(block.get("text"), str):
            texts.append(block["text"])
            others.append({name: value for name, value in block.items() if name != "text"})
        elif _holds_its_bytes(block):
            others.append(block)
        else:
            return None, []
    return texts, others


def _holds_its_bytes(block: dict[str, Any]) -> bool:
    """Whether a picture, sound or file is there itself: what an address leads to may be another next time."""
    if any(isinstance(block.get(name), str) and block[name] for name in _BYTES):
        return True
    source = block.get("source") or block.get("input_audio") or block.get("file")
    if isinstance(source, dict):
        return any(isinstance(source.get(name), str) for name in (*_BYTES, "file_data"))
    url: Any = block.get("image_url") or block.get("url")
    if isinstance(url, dict):
        url = url.get("url")
    return isinstance(url, str) and url.startswith("data:")
