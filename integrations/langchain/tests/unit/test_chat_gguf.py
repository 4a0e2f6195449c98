"""The small local model as a chat model."""

from collections.abc import Iterator

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

from langchain_lecmux.chat_gguf import ChatGguf
from lecmux.errors import DownloadError, MissingExtraError, ModelClosedError
from lecmux.models import Gguf, pull

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def chat() -> Iterator[ChatGguf]:
    pytest.importorskip("xllamacpp")
    try:
        pull("small")
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")
    with Gguf("small", context_tokens=512, reuse_prefix=False) as model:
        yield ChatGguf(gguf=model, max_tokens=8)


def test_invoke_reports_what_the_call_used(chat: ChatGguf) -> None:
    answer = chat.invoke("What is the opposite of hot?")

    assert isinstance(answer, AIMessage)
    assert answer.content
    assert answer.usage_metadata is not None
    assert 0 < answer.usage_metadata["output_tokens"] <= 8
    assert answer.response_metadata["model_name"] == "small"
    assert answer.response_metadata["finish_reason"] in {"stop", "length"}


def test_a_stream_adds_up_to_the_invoked_answer(chat: ChatGguf) -> None:
    messages = [SystemMessage("Answer shortly."), HumanMessage("What is the opposite of hot?")]
    whole = chat.invoke(messages)

    merged = AIMessageChunk(content="")
    for chunk in chat.stream(messages):
        assert isinstance(chunk, AIMessageChunk)
        merged += chunk

    assert merged.content == whole.content
    assert merged.usage_metadata == whole.usage_metadata
    assert merged.response_metadata["finish_reason"] == whole.response_metadata["finish_reason"]


def test_stop_words_and_limits_of_a_call_hold(chat: ChatGguf) -> None:
    whole = str(chat.invoke("Count to five.").content)
    word = whole.rsplit(maxsplit=1)[-1]

    assert word not in str(chat.invoke("Count to five.", stop=[word]).content)
    limited = chat.invoke("Count to five.", max_tokens=2)
    assert limited.response_metadata["finish_reason"] == "length"


async def test_async_calls_give_the_same(chat: ChatGguf) -> None:
    assert (await chat.ainvoke("What is 1 + 1?")).content == chat.invoke("What is 1 + 1?").content


def test_its_cache_string_names_model_and_settings(chat: ChatGguf) -> None:
    other = ChatGguf(gguf=chat.gguf, max_tokens=9)

    assert chat._get_llm_string() == ChatGguf(gguf=chat.gguf, max_tokens=8)._get_llm_string()
    assert chat._get_llm_string() != other._get_llm_string()
    assert "0x" not in chat._get_llm_string()


def test_a_tool_choice_that_cannot_be_kept_is_refused(chat: ChatGguf) -> None:
    with pytest.raises(ValueError, match="auto"):
        chat.bind_tools([], tool_choice="clock")


def test_a_closed_model_is_a_typed_error(chat: ChatGguf) -> None:
    model = Gguf(chat.gguf.path, context_tokens=256)
    model.close()

    with pytest.raises(ModelClosedError):
        ChatGguf(gguf=model).invoke("hello")
