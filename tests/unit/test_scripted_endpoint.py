"""The scripted endpoint speaks the protocol: asked by OpenAI's own client and by LangChain's."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

openai = pytest.importorskip("openai", reason="needs lecmux[openai]")

from lecmux import Reply, Usage  # noqa: E402  after the check above
from lecmux.testing import Refuse, ScriptedEndpoint  # noqa: E402

CALLS = [{"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": '{"zone": "UTC"}'}}]
ANSWERS = {
    "text": Reply("It is Paris.", Usage(12, 7, cached_input_tokens=8), "stop"),
    "tools": Reply({"role": "assistant", "content": "", "tool_calls": CALLS}, Usage(12, 7)),
    "cut": Reply("It is", Usage(12, 2), "length"),
}


@pytest.fixture(params=ANSWERS)
def endpoint(request: Any) -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint([ANSWERS[request.param]], api_key="sk-test", models=["m"]) as served:
        served.answer = ANSWERS[request.param]  # type: ignore[attr-defined]
        yield served


def _client(endpoint: ScriptedEndpoint, api_key: str = "sk-test") -> Any:
    return openai.OpenAI(base_url=endpoint.base_url, api_key=api_key, max_retries=0)


def test_openais_client_reads_whole_and_streamed_answers(endpoint: Any) -> None:
    expected: Reply = endpoint.answer
    text = expected.value if isinstance(expected.value, str) else ""
    ask: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    with _client(endpoint) as client:
        whole = client.chat.completions.create(**ask)
        completions = [whole]
        if whole.choices[0].finish_reason != "length":  # the client makes an error of a stream that was cut
            with client.chat.completions.stream(**ask, stream_options={"include_usage": True}) as stream:
                completions.append(stream.get_final_completion())

    for completion in completions:
        choice = completion.choices[0]
        assert (choice.message.content or "") == text
        assert completion.usage.prompt_tokens == expected.usage.input_tokens
        assert completion.usage.prompt_tokens_details.cached_tokens == expected.usage.cached_input_tokens
        calls = choice.message.tool_calls or []
        assert [call.function.arguments for call in calls] == ([] if text else ['{"zone": "UTC"}'])
        assert choice.finish_reason == (expected.finish_reason or "tool_calls")


def test_it_wants_its_key_and_knows_its_models(endpoint: ScriptedEndpoint) -> None:
    ask: dict[str, Any] = {"model": "m", "messages": []}
    with _client(endpoint, "sk-wrong") as client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(**ask)
    with _client(endpoint) as client, pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**{**ask, "model": "other"})

    assert [body["model"] for body in endpoint.requests] == ["m", "other"]


def test_langchains_client_and_ours_read_the_same(endpoint: Any) -> None:
    theirs = pytest.importorskip("langchain_openai").ChatOpenAI(
        model="m", base_url=endpoint.base_url, api_key="sk-test", stream_usage=True
    )
    ours = pytest.importorskip("langchain_lecmux").ChatOpenAICompatible(
        model=_ours(endpoint.base_url), temperature=0.0
    )

    for ask in (lambda chat: chat.invoke("hi"), _streamed):
        mine, other = ask(ours), ask(theirs)
        assert mine.content == other.content
        assert [call["args"] for call in mine.tool_calls] == [call["args"] for call in other.tool_calls]
        for name in ("input_tokens", "output_tokens", "total_tokens"):
            assert mine.usage_metadata[name] == other.usage_metadata[name]
        assert mine.response_metadata["finish_reason"] == other.response_metadata["finish_reason"]
    ours.model.close()


def _streamed(chat: Any) -> Any:
    first, *others = chat.stream("hi")
    return sum(others, first)


def _ours(base_url: str) -> Any:
    from lecmux.models import OpenAICompatible, Timeouts

    return OpenAICompatible("m", base_url=base_url, api_key="sk-test", timeouts=Timeouts(connect_seconds=20))


def test_another_path_is_not_found() -> None:
    with ScriptedEndpoint(["never"]) as endpoint:
        request = urllib.request.Request(f"{endpoint.base_url}/embeddings", data=b"{}", method="POST")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(request)
        with caught.value as answer:
            assert answer.code == 404
            assert "no such path" in json.load(answer)["error"]["message"]
        endpoint.close()


def test_lines_are_said_in_turn_and_the_last_again() -> None:
    with ScriptedEndpoint([Refuse(500), "one", "two"]) as endpoint, _client(endpoint, "any") as client:
        ask: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(**ask)
        said = [client.chat.completions.create(**ask).choices[0].message.content for _ in range(3)]

    assert said == ["one", "two", "two"]
