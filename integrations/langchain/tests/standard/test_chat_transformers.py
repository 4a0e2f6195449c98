"""LangChain's chat suite for `ChatTransformers`, over a tiny real model that was taught the suite's tools."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.integration_tests.chat_models import (
    magic_function,
    magic_function_no_args,
    unicode_customer,
)
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import BaseModel, Field

from langchain_lecmux import ChatTransformers
from lecmux.models import Transformers

if TYPE_CHECKING:
    from tiny_chat import Example

pytestmark = pytest.mark.torch


@tool
def get_weather(location: str) -> str:
    """Get the weather at a location."""
    return f"sunny in {location}"


@tool("greeting_generator")
def greet(answer_style: str) -> str:
    """Generate a greeting in a particular style of speaking."""
    return f"a {answer_style} greeting"


@tool
def my_adder_tool(a: int, b: int) -> int:
    """Tool that adds two integers.

    Takes two integers, a and b, and returns their sum.
    """
    return a + b


class Joke(BaseModel):
    """Joke to tell user."""

    setup: str = Field(description="question to set up a joke")
    punchline: str | None = Field(default=None, description="answer to resolve the joke")


WHOLE_JOKE = {
    "title": "Joke",
    "description": "Joke to tell user.",
    "type": "object",
    "properties": {
        "setup": {"description": "question to set up a joke", "type": "string"},
        "punchline": {"description": "answer to resolve the joke", "type": "string"},
    },
    "required": ["setup", "punchline"],
}


class JokeDict(TypedDict):
    """Joke to tell user."""

    setup: Annotated[str, ..., "question to set up a joke"]
    punchline: Annotated[str, ..., "answer to resolve the joke"]


CATS = {"setup": "Why do cats purr?", "punchline": "They may."}

# Questions of the suite, the tool that each is asked with, and the arguments that answer it.
ASKED = [
    ("What is the value of magic_function(3)? Use the tool.", magic_function, {"input": 3}),
    ("What is the value of magic_function_no_args()? Use the tool.", magic_function_no_args, {}),
    ("Using the tool, generate a Pirate greeting.", greet, {"answer_style": "Pirate"}),
    ("What is the weather in San Francisco, CA?", get_weather, {"location": "San Francisco, CA"}),
    (
        "Create a customer named '你好啊集团' (Hello Group) - a Chinese technology company",
        unicode_customer,
        {"customer_name": "你好啊集团", "description": "technology"},
    ),
    (
        "Create a customer named 'こんにちは株式会社' (Hello Corporation) - a Japanese company",
        unicode_customer,
        {"customer_name": "こんにちは株式会社", "description": "Japanese"},
    ),
    ("Tell me a joke about cats.", Joke, CATS),
    ("Tell me a joke about cats.", JokeDict, CATS),
    ("Give me the setup to a joke about cats, no punchline.", Joke, {"setup": CATS["setup"]}),
    ("Give me a joke about cats, include the punchline.", Joke, CATS),
    ("What is 3 + 4", my_adder_tool, {"a": 3, "b": 4}),
    ("Tell me a joke about cats.", WHOLE_JOKE, CATS),
]


def _call(name: str, arguments: dict[str, Any]) -> str:
    written = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{written}\n</tool_call>"


def _examples() -> "list[Example]":
    from tiny_chat import TAUGHT

    taught = [
        (
            [{"role": "user", "content": question}],
            [convert_to_openai_tool(offered)],
            _call(convert_to_openai_tool(offered)["function"]["name"], arguments),
        )
        for question, offered, arguments in ASKED
    ]
    either = [convert_to_openai_tool(offered) for offered in (magic_function, get_weather)]
    hello = ([{"role": "user", "content": "Hello!"}], either, _call("magic_function", {"input": 3}))
    return [*TAUGHT[:2], *taught, hello]


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import tiny_chat

    folder = tiny_chat.make(tmp_path_factory.mktemp("tools"), _examples())
    with Transformers(folder, name="tiny", device="cpu", threads=1, context_tokens=1024) as model:
        _Tiny.tiny = model
        yield


class _Tiny:
    """What both suites are told."""

    tiny: Transformers

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatTransformers

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.tiny}


class TestUnit(_Tiny, ChatModelUnitTests):
    pass


class TestIntegration(_Tiny, ChatModelIntegrationTests):
    pass
