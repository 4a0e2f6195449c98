"""LangChain's chat suite for `ChatOpenAICompatible`, over HTTP, with a server that follows a script."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import convert_to_messages, convert_to_openai_messages
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests
from offline_model import OfflineToolChat

pytest.importorskip("openai", reason="needs lecmux[openai]")

from langchain_lecmux import ChatOpenAICompatible
from lecmux import Reply, Usage
from lecmux.models import OpenAICompatible, Timeouts
from lecmux.testing import ScriptedEndpoint


def by_rule(body: Mapping[str, Any]) -> Reply:
    """What `OfflineToolChat` would answer, which reads a tool's arguments off the question."""
    tools, choice = body.get("tools"), body.get("tool_choice")
    if form := _form(body):
        tools, choice = [form], "form"
    said = OfflineToolChat(model=body["model"]).invoke(
        convert_to_messages(body["messages"]),
        tools=tools,
        tool_choice=choice["function"]["name"] if isinstance(choice, Mapping) else choice,
        stop=body.get("stop"),
    )
    assert said.usage_metadata is not None
    usage = Usage(said.usage_metadata["input_tokens"], said.usage_metadata["output_tokens"])
    if form:
        return Reply(json.dumps(said.tool_calls[0]["args"]), usage)
    return Reply(convert_to_openai_messages(said) if said.tool_calls else said.content, usage)


def _form(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The form an answer must have, as a tool would state it."""
    wanted = body.get("response_format")
    if wanted is None:
        return None
    any_joke = {"properties": {"setup": {}, "punchline": {}}, "required": ["setup", "punchline"]}
    schema = wanted["json_schema"]["schema"] if wanted["type"] == "json_schema" else any_joke
    return {"type": "function", "function": {"name": "form", "parameters": schema}}


@pytest.fixture(scope="module", autouse=True)
def served() -> Iterator[None]:
    with ScriptedEndpoint(by_rule) as endpoint:
        _Remote.remote = OpenAICompatible(
            "offline-1", base_url=endpoint.base_url, timeouts=Timeouts(connect_seconds=20)
        )
        with _Remote.remote:
            yield


class _Remote:
    """What both suites are told."""

    remote: OpenAICompatible

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAICompatible

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.remote}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "offline-2"

    @property
    def supports_json_mode(self) -> bool:
        return True


class _Held(_Remote):
    """The endpoint holds the model to a schema."""

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}


class TestUnit(_Remote, ChatModelUnitTests):
    pass


class TestIntegration(_Remote, ChatModelIntegrationTests):
    pass


class TestHeldIntegration(_Held, ChatModelIntegrationTests):
    pass
