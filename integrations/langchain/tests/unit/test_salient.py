"""What likeness may go by: the last human turn, with everything else held equal."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_lecmux.canonical import canonical_key, describe_model
from langchain_lecmux.salient import salient_messages, salient_prompt
from lecmux.salient import MAX_SALIENT_CHARS, Salient

DEADLY = HumanMessage("How deadly is it?")
PICTURE = {"type": "image", "base64": "aGVsbG8=", "mime_type": "image/png"}
words = st.text(min_size=1, max_size=12)


def of(*messages: BaseMessage) -> Salient | None:
    """By the JSON of the messages, and by the messages themselves where those are plain: the same."""
    by_prompt = salient_prompt(dumps(list(messages)))
    assert salient_messages(messages, dumps(list(messages))) == by_prompt
    return by_prompt


def conversation(topic: str) -> list[BaseMessage]:
    return [SystemMessage("Be brief."), HumanMessage(f"Tell me of {topic}."), AIMessage("Well."), DEADLY]


def test_the_last_human_turn_is_what_may_be_alike() -> None:
    found = of(*conversation("throat cancer"))

    assert found is not None
    assert found.text == "How deadly is it?"


def test_the_same_words_after_another_history_are_another_context() -> None:
    throat, lung = of(*conversation("throat cancer")), of(*conversation("lung cancer"))

    assert throat is not None
    assert lung is not None
    assert throat.context != lung.context


def test_other_words_after_the_same_history_share_a_context() -> None:
    history = conversation("throat cancer")[:-1]

    first, second = of(*history, DEADLY), of(*history, HumanMessage("Is it deadly?"))

    assert first is not None
    assert second is not None
    assert first.context == second.context


def test_what_a_run_leaves_behind_is_no_context() -> None:
    """A history with ids, usage and facts of a hit is the same history."""
    plain = of(HumanMessage("Hello."), AIMessage("Well."), DEADLY)

    marked = of(
        HumanMessage("Hello.", id="a"),
        AIMessage("Well.", id="b", response_metadata={"lecmux": {"hit_id": "c"}}),
        HumanMessage("How deadly is it?", id="d"),
    )

    assert plain == marked


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [SystemMessage("Be brief.")],
        [DEADLY, AIMessage("It is")],
        [
            DEADLY,
            AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "1"}]),
            ToolMessage("80 %", tool_call_id="1"),
        ],
        [HumanMessage("")],
        [HumanMessage("  \n")],
        [HumanMessage("a" * (MAX_SALIENT_CHARS + 1))],
        [HumanMessage([{"type": "image", "url": "https://example.org/cat.png"}])],
        [HumanMessage([{"type": "text", "text": "Who?"}, {"type": "file", "file_id": "f1"}])],
        [HumanMessage([PICTURE])],
    ],
    ids=[
        "nothing", "no human", "an answer to go on", "a tool's result", "empty", "blank", "long",
        "a picture by its address", "a file by its id", "no text",
    ],
)  # fmt: skip
def test_nothing_may_be_alike_where_no_human_text_comes_last(messages: Sequence[BaseMessage]) -> None:
    assert of(*messages) is None


def test_a_picture_must_be_equal_to_the_byte() -> None:
    def asked(text: str, picture: dict[str, Any]) -> Salient:
        found = of(HumanMessage([{"type": "text", "text": text}, picture]))
        assert found is not None
        return found

    cat = asked("What is this?", PICTURE)
    cat_again = asked("What does it show?", PICTURE)
    dog = asked("What is this?", {**PICTURE, "base64": "d29ybGQ="})

    assert cat.context == cat_again.context
    assert cat.context != dog.context


def test_a_data_address_holds_its_bytes() -> None:
    block = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}

    assert of(HumanMessage([{"type": "text", "text": "What is this?"}, block])) is not None


def test_the_name_of_who_asks_is_context() -> None:
    anna, ben = of(HumanMessage("Who am I?", name="anna")), of(HumanMessage("Who am I?", name="ben"))

    assert anna is not None
    assert ben is not None
    assert anna.context != ben.context


def test_a_bare_prompt_is_salient_itself() -> None:
    assert salient_prompt("What is the capital of France?") == ("What is the capital of France?", "")


def test_a_prompt_without_a_stable_form_has_no_salient_text() -> None:
    class Opaque:
        pass

    message = HumanMessage("Who?", additional_kwargs={"by": Opaque()})

    assert salient_prompt(dumps([message])) is None


def test_a_lone_surrogate_is_not_compared() -> None:
    assert salient_prompt("\ud800 who?") is None


@given(st.lists(st.tuples(st.booleans(), words), max_size=4), words.filter(str.strip), words)
def test_the_two_parts_determine_the_key(turns: list[tuple[bool, str]], text: str, other: str) -> None:
    """Equal parts are an equal key; another text or another history is another."""
    history: list[BaseMessage] = [HumanMessage(said) if human else AIMessage(said) for human, said in turns]
    asked = [*history, HumanMessage(text)]
    changed = [*history, HumanMessage(other), HumanMessage(text)]

    assert of(*asked) == of(*asked)
    assert of(*asked) != of(*changed)
    assert canonical_key(dumps(asked)) != canonical_key(dumps(changed))


@pytest.mark.parametrize(
    "llm_string",
    [
        "[('_type', 'chat'), ('stop', None), ('tools', [{'type': 'function'}])]",
        "{\"kwargs\": {\"model\": \"m\"}}---[('response_format', {'type': 'json_object'}), ('stop', None)]",
        '{"kwargs": {"model_kwargs": {"response_format": {"type": "json_object"}}}}---[(\'stop\', None)]',
        "[('_type', 'ollama'), ('format', 'json'), ('stop', None)]",
        "[('_type', 'chat'), ('functions', [{}]), ('stop', None)]",
    ],
)
def test_tools_and_structured_output_are_read_off_the_model_string(llm_string: str) -> None:
    assert describe_model(llm_string).shaped


@pytest.mark.parametrize(
    "llm_string",
    [
        "[('_type', 'chat'), ('stop', None)]",
        "[('_type', 'ollama'), ('format', None), ('stop', None)]",
        "[('_type', 'ollama'), ('format', ''), ('tools', []), ('stop', None)]",
        '{"kwargs": {"model": "tools-7b", "tools": null, "temperature": 0.0}}---[(\'stop\', None)]',
    ],
)
def test_a_plain_model_string_names_no_tools(llm_string: str) -> None:
    assert not describe_model(llm_string).shaped
