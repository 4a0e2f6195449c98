"""What likeness may go by: the last human turn, with everything else held equal."""

from pathlib import Path

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole, TextBlock

from lecmux.salient import MAX_SALIENT_CHARS, Salient
from llama_index.llms.lecmux.salient import salient_chat

DEADLY = ChatMessage("How deadly is it?", role="user")


def conversation(topic: str, last: ChatMessage = DEADLY) -> Salient:
    system = ChatMessage("Be brief.", role="system")
    asked = ChatMessage(f"Tell me of {topic}.", role="user")
    found = salient_chat([system, asked, ChatMessage("Well.", role="assistant"), last])
    assert found is not None
    return found


def test_the_last_human_turn_is_what_may_be_alike() -> None:
    assert conversation("throat cancer").text == "How deadly is it?"


def test_the_same_words_after_another_history_are_another_context() -> None:
    assert conversation("throat cancer").context != conversation("lung cancer").context


def test_other_words_after_the_same_history_share_a_context() -> None:
    other = conversation("throat cancer", ChatMessage("Is it deadly?", role="user"))

    assert conversation("throat cancer").context == other.context


def test_the_facts_of_a_served_answer_are_no_context() -> None:
    """A history in which one answer was a hit is the same history."""
    facts = {"lecmux": {"hit_id": "a"}, "total_tokens": 3}
    answers = [ChatMessage("Well.", role="assistant", additional_kwargs=extra) for extra in ({}, facts)]

    plain, marked = (salient_chat([DEADLY, answer, DEADLY]) for answer in answers)

    assert plain is not None
    assert plain == marked


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [ChatMessage("Be brief.", role="system")],
        [DEADLY, ChatMessage("It is", role="assistant")],
        [DEADLY, ChatMessage("80 %", role="tool", additional_kwargs={"tool_call_id": "1"})],
        [ChatMessage("", role="user")],
        [ChatMessage("a" * (MAX_SALIENT_CHARS + 1), role="user")],
        [
            ChatMessage(
                role=MessageRole.USER,
                blocks=[TextBlock(text="Who?"), ImageBlock(url="https://example.org/cat.png")],
            )
        ],
    ],
    ids=[
        "nothing",
        "no human",
        "an answer to go on",
        "a tool's result",
        "empty",
        "long",
        "a picture's address",
    ],
)
def test_nothing_may_be_alike_where_no_human_text_comes_last(messages: list[ChatMessage]) -> None:
    assert salient_chat(messages) is None


def test_a_picture_must_be_equal_to_the_byte(tmp_path: Path) -> None:
    def asked(text: str, data: bytes) -> Salient:
        path = tmp_path / "picture.png"
        path.write_bytes(data)
        blocks = [TextBlock(text=text), ImageBlock(path=path)]
        found = salient_chat([ChatMessage(role=MessageRole.USER, blocks=blocks)])
        assert found is not None
        return found

    cat, cat_again, dog = (
        asked("What is this?", b"cat"),
        asked("What does it show?", b"cat"),
        asked("What?", b"dog"),
    )

    assert cat.context == cat_again.context
    assert cat.context != dog.context
