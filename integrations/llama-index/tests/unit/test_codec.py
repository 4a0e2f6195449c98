"""Answers survive being stored; nothing is stored or read that does not fit the schema."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    ChatResponse,
    CitableBlock,
    CitationBlock,
    CompletionResponse,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from pydantic import BaseModel

from llama_index.llms.lecmux.codec import FORMAT, MAX_BYTES, UnstorableError, decode, encode
from llama_index.llms.lecmux.codec.pieces import pack_pieces, unpack_pieces
from llama_index.llms.lecmux.generated import Generated

PIXEL = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16
BLOCKS: list[Any] = [
    TextBlock(text="hi \ud800 é"),
    ImageBlock(image=PIXEL, detail="low"),
    ImageBlock(url="https://example.org/a.png"),
    AudioBlock(audio=b"RIFF....WAVE", format="wav"),
    VideoBlock(video=b"film", fps=3),
    DocumentBlock(data=b"%PDF-1.4 text", title="t"),
    DocumentBlock(path="report.pdf"),
    CachePoint(cache_control=CacheControl(type="ephemeral", ttl="1h")),
    CitableBlock(title="t", source="s", content=[TextBlock(text="a"), ImageBlock(image=PIXEL)]),
    CitationBlock(cited_content="said", source="s", title="t", additional_location_info={"page": 3}),
    ThinkingBlock(content="hm", num_tokens=3, additional_information={"signature": "x", "n": [1, None]}),
    ToolCallBlock(tool_call_id="call_1", tool_name="add", tool_kwargs={"a": 1, "b": {"c": [True]}}),
    ToolCallBlock(tool_name="add", tool_kwargs='{"a": 1'),
]


class Parsed(BaseModel):
    n: int


def chat(*blocks: ContentBlock, **extra: Any) -> Generated:
    message = ChatMessage(role="assistant", blocks=list(blocks), additional_kwargs=extra)
    return Generated(ChatResponse(message=message))


def kept(generated: Generated) -> Generated:
    return decode(encode(generated))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: type(block).__name__)
def test_every_block_comes_back_equal(block: Any) -> None:
    back = kept(chat(block)).response

    assert isinstance(back, ChatResponse)
    assert back.message.blocks == [block]
    assert type(back.message.blocks[0]) is type(block)


def test_every_kind_of_block_there_is_is_tested() -> None:
    kinds = {type(block).model_fields["block_type"].default for block in BLOCKS}
    union: Any = ChatMessage.model_fields["blocks"].annotation.__args__[0]  # type: ignore[union-attr]

    known = {kind.model_fields["block_type"].default for kind in union.__origin__.__args__}
    assert kinds == known


def test_an_image_in_a_file_keeps_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PIXEL)

    assert kept(chat(ImageBlock(path=path))).response.message.blocks == [ImageBlock(path=path)]  # type: ignore[union-attr]


@pytest.mark.parametrize("role", list(MessageRole))
def test_every_role_comes_back(role: MessageRole) -> None:
    response = ChatResponse(message=ChatMessage("hi", role=role))

    assert kept(Generated(response)).response == response


def test_details_log_probabilities_pieces_and_tokens_come_back() -> None:
    response = ChatResponse(
        message=ChatMessage(
            "hello you", role="assistant", additional_kwargs={"parsed": Parsed(n=1), "t": (1,)}
        ),
        logprobs=[[LogProb(token="a", logprob=-0.5, bytes=[97])]],
        additional_kwargs={"prompt_tokens": 3, "b": b"\x00"},
    )
    generated = Generated(response, (6, 3), (3, 2))

    back = kept(generated)

    assert (back.response, back.pieces, back.tokens) == (response, (6, 3), (3, 2))


def test_a_completion_comes_back() -> None:
    response = CompletionResponse(text="once", additional_kwargs={"n": 1})

    assert kept(Generated(response, (2, 2))).response == response


def test_raw_and_delta_are_left_out() -> None:
    response = ChatResponse(message=ChatMessage("hi"), raw=object(), delta="hi")
    back = kept(Generated(response)).response

    assert (back.raw, back.delta) == (None, None)


def test_each_reader_gets_new_objects() -> None:
    data = encode(chat(TextBlock(text="hi"), tags=["a"]))
    first, second = decode(data), decode(data)
    first.response.message.blocks[0].text = "changed"  # type: ignore[union-attr]
    first.response.message.additional_kwargs["tags"].append("b")  # type: ignore[union-attr]

    assert second.text == "hi"
    assert second.response.message.additional_kwargs == {"tags": ["a"]}  # type: ignore[union-attr]


class Louder(TextBlock):
    """A block of a user's own."""


class OwnMessage(ChatMessage):
    """A message of a user's own."""


class OwnResponse(ChatResponse):
    """A response of a user's own."""


@pytest.mark.parametrize(
    "generated",
    [
        Generated(ChatResponse(message=ChatMessage.model_construct(blocks=[Louder(text="hi")]))),
        Generated(ChatResponse.model_construct(message=OwnMessage("hi"), additional_kwargs={})),
        Generated(OwnResponse(message=ChatMessage("hi"))),
        chat(TextBlock(text="hi"), thing=object()),
        chat(ImageBlock(image=BytesIO(PIXEL))),
        chat(TextBlock(text="x" * (MAX_BYTES + 1))),
    ],
    ids=["block", "message", "response", "object", "stream", "size"],
)
def test_what_does_not_fit_is_refused_rather_than_stored_without_its_meaning(generated: Generated) -> None:
    with pytest.raises(UnstorableError):
        encode(generated)


GOOD = json.loads(encode(chat(TextBlock(text="hi"))))


def changed(place: int, value: Any) -> bytes:
    body = list(GOOD)
    body[place] = value
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        changed(0, FORMAT + 1),
        changed(2, None),
        changed(2, ["assistant", [["text", {"text": 7}]], {}]),
        changed(2, ["assistant", [["text", {}]], {}]),
        changed(2, ["assistant", [["os.system", {"text": "x"}]], {}]),
        changed(2, ["assistant", [["text", {"text": "x", "extra": 1}]], {}]),
        changed(2, ["emperor", [], {}]),
        changed(2, ["assistant", [["image", {"url": "no address"}]], {}]),
        changed(2, ["assistant", "blocks", {}]),
        changed(2, ["assistant", [], []]),
        changed(3, []),
        changed(4, [["x"]]),
        changed(6, ["many", 1]),
        b" " * (MAX_BYTES + 1),
    ],
    ids=range(19),
)
def test_data_that_do_not_fit_are_refused(data: bytes) -> None:
    with pytest.raises(UnstorableError):
        decode(data)


@pytest.mark.parametrize("pieces", [(), (0, 5, 56), (57,), (5_000, 1), (-3, 4)])
def test_the_lengths_of_pieces_come_back(pieces: tuple[int, ...]) -> None:
    assert unpack_pieces(json.loads(json.dumps(pack_pieces(pieces)))) == pieces
