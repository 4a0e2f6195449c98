"""One router over two wire formats of a real client: chat completions, and responses.

A server on loopback speaks both. Each wants its tools in its own shape, and each must be able to read a
thread in which the other one called a tool.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_lecmux import ChatRouter, LECCache, LECRouterMiddleware

ChatOpenAI = pytest.importorskip("langchain_openai").ChatOpenAI

NUMBERS = count()
ARGUMENTS = '{"a": 3, "b": 4}'


class Handler(BaseHTTPRequestHandler):
    """Calls the first tool it is offered, and reads the result out once it has one."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, body))  # type: ignore[attr-defined]
        answer = _responses(body) if self.path.endswith("/responses") else _completions(body)
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


def _completions(body: dict[str, Any]) -> dict[str, Any]:
    last = body["messages"][-1]
    said: dict[str, Any] = {"role": "assistant", "content": f"it is {last['content']}"}
    if last["role"] != "tool" and body.get("tools"):
        call = {"name": body["tools"][0]["function"]["name"], "arguments": ARGUMENTS}
        calls = [{"id": "call_" + "c" * 20, "type": "function", "function": call}]
        said = {"role": "assistant", "content": None, "tool_calls": calls}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "chat-1",
        "choices": [
            {"index": 0, "message": said, "finish_reason": "tool_calls" if "tool_calls" in said else "stop"}
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
    }


def _responses(body: dict[str, Any]) -> dict[str, Any]:
    last = body["input"][-1]
    if last.get("type") != "function_call_output" and body.get("tools"):
        item = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_" + "r" * 20,
            "name": body["tools"][0]["name"],
            "arguments": ARGUMENTS,
            "status": "completed",
        }
    else:
        text = {"type": "output_text", "text": f"it is {last.get('output')}", "annotations": []}
        item = {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [text],
        }
    return {
        "id": f"resp_{next(NUMBERS)}",
        "object": "response",
        "created_at": 0,
        "model": "responses-1",
        "status": "completed",
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "usage": {
            "input_tokens": 5,
            "output_tokens": 3,
            "total_tokens": 8,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


@pytest.fixture
def server() -> Iterator[Any]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()


def models(server: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{server.server_address[1]}/v1",
        "api_key": "none",
        "max_retries": 0,
    }
    return {
        "chat": ChatOpenAI(model="chat-1", **settings),
        "responses": ChatOpenAI(model="responses-1", use_responses_api=True, **settings),
    }


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


def says(**configurable: Any) -> Any:
    return {"configurable": {**configurable}}


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize(("first", "then"), [("chat", "responses"), ("responses", "chat")])
async def test_each_reads_a_thread_in_which_the_other_called_a_tool(
    server: Any, first: str, then: str, awaited: bool
) -> None:
    router = ChatRouter(models=models(server), cache=LECCache())
    bound = router.bind_tools([add])
    thread: list[Any] = [HumanMessage("add 3 and 4")]
    for name in (first, then):
        config = says(lecmux_route=name)
        answer = await bound.ainvoke(thread, config) if awaited else bound.invoke(thread, config)
        thread.append(answer)
        thread += [ToolMessage("7", tool_call_id=call["id"]) for call in answer.tool_calls]
    assert [message.type for message in thread] == ["human", "ai", "tool", "ai"]
    assert thread[-1].text == "it is 7"
    tools = {path: body["tools"][0] for path, body in server.seen}
    assert tools["/v1/chat/completions"]["function"]["name"] == "add"
    assert tools["/v1/responses"]["name"] == "add"
    assert "function" not in tools["/v1/responses"]


@pytest.mark.parametrize("name", ["chat", "responses"])
def test_an_agent_over_both_is_warm_the_second_time(server: Any, name: str) -> None:
    router = ChatRouter(models=models(server), cache=LECCache())
    agent = create_agent(router, [add], checkpointer=InMemorySaver())
    for place in ("cold", "warm"):
        config = says(thread_id=place, lecmux_route=name)
        messages = agent.invoke({"messages": [HumanMessage("add 3 and 4")]}, config)["messages"]
        assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
        assert messages[2].tool_call_id == messages[1].tool_calls[0]["id"]
        assert messages[-1].text == "it is 7"
        assert len(server.seen) == 2


def test_a_run_in_the_middleware_keeps_to_one_format(server: Any) -> None:
    router = ChatRouter(models=models(server), cache=False)
    agent = create_agent(models(server)["chat"], [add], middleware=[LECRouterMiddleware(router)])
    for _ in range(4):
        messages = agent.invoke({"messages": [HumanMessage("add 3 and 4")]})["messages"]
        names = {each.response_metadata["model_name"] for each in messages if isinstance(each, AIMessage)}
        assert len(names) == 1
    paths = [path for path, _ in server.seen]
    assert paths[::2] == paths[1::2]
    assert len(set(paths)) == 2
