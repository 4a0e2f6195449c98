"""Tokens and ends of answers, as the integrations of real providers report them."""

from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse

from lecmux import Usage
from llama_index.llms.lecmux.responses import end, usage


class Reason(Enum):
    MAX_TOKENS = 2


def answer(raw: Any = None, **kwargs: Any) -> ChatResponse:
    return ChatResponse(message=ChatMessage("hi", role="assistant"), raw=raw, additional_kwargs=kwargs)


OPENAI = SimpleNamespace(
    usage=SimpleNamespace(
        prompt_tokens=10,
        completion_tokens=7,
        prompt_tokens_details=SimpleNamespace(cached_tokens=4, audio_tokens=1),
        completion_tokens_details=SimpleNamespace(reasoning_tokens=3, audio_tokens=None),
    ),
    choices=[SimpleNamespace(finish_reason="tool_calls")],
)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            answer(OPENAI),
            Usage(10, 7, cached_input_tokens=4, reasoning_tokens=3, audio_input_tokens=1),
        ),
        (
            answer({"usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 20}}),
            Usage(25, 2, cached_input_tokens=20),
        ),
        (
            answer({"usage": {"input_tokens": 5, "output_tokens": 2, "cache_creation_input_tokens": 9}}),
            Usage(14, 2, cache_write_tokens=9),
        ),
        (
            answer(
                {
                    "usage_metadata": {
                        "prompt_token_count": 8,
                        "candidates_token_count": 3,
                        "thoughts_token_count": 5,
                        "cached_content_token_count": 2,
                    }
                }
            ),
            Usage(8, 8, cached_input_tokens=2, reasoning_tokens=5),
        ),
        (answer({"usage": {"inputTokens": 5, "outputTokens": 2}}), Usage(5, 2)),
        (answer({"prompt_eval_count": 6, "eval_count": 4}), Usage(6, 4)),
        (answer(None, prompt_tokens=3, completion_tokens=1), Usage(3, 1)),
        (answer({"usage": None}, prompt_tokens=3, completion_tokens=1), Usage(3, 1)),
        (answer("text"), Usage()),
        (answer(object()), Usage()),
        (answer({"usage": {"prompt_tokens": "many", "completion_tokens": True}}), Usage()),
        (
            CompletionResponse(text="x", raw={"usage": {"prompt_tokens": 1, "completion_tokens": 2}}),
            Usage(1, 2),
        ),
    ],
    ids=range(12),
)
def test_tokens_are_found_where_each_provider_counts_them(response: Any, expected: Usage) -> None:
    assert usage(response) == expected


class Hostile:
    """A client's object whose fields cannot be read."""

    @property
    def usage(self) -> Any:
        raise RuntimeError("closed")


def test_an_object_that_cannot_be_read_costs_no_answer() -> None:
    assert usage(answer(Hostile())) == Usage()
    assert end(answer(Hostile())) is None


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(OPENAI), "tool_calls"),
        (answer({"choices": [{"finish_reason": "stop"}, {"finish_reason": "length"}]}), "length"),
        (answer({"stop_reason": "end_turn"}), "end_turn"),
        (answer({"delta": {"stop_reason": "max_tokens"}}), "max_tokens"),
        (answer({"stopReason": "tool_use"}), "tool_use"),
        (answer({"done_reason": "stop"}), "stop"),
        (answer({"candidates": [{"finish_reason": Reason.MAX_TOKENS}]}), "MAX_TOKENS"),
        (answer({"status": "incomplete"}), "incomplete"),
        (answer(None, finish_reason="content_filter"), "content_filter"),
        (
            ChatResponse(message=ChatMessage("no", additional_kwargs={"refusal": "I will not"})),
            "refusal",
        ),
        (answer({"choices": []}), None),
        (answer(), None),
    ],
    ids=range(12),
)
def test_how_an_answer_ended_is_found_where_each_provider_says_it(response: Any, expected: Any) -> None:
    assert end(response) == expected
