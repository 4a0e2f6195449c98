"""An OpenAI-compatible endpoint on the loopback address that follows a script, bad days included."""

import json
import re
import select
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from lecmux.query import Reply, Usage
from lecmux.testing.faults import Drop, Fault, Hang, Refuse, Send

__all__ = ["Line", "ScriptedEndpoint"]

Line = str | Reply | Fault
Script = Callable[[Mapping[str, Any]], Line]

_POLL_SECONDS = 0.01
_HEAD = {"id": "chatcmpl-scripted", "object": "chat.completion", "created": 0}


class ScriptedEndpoint:
    """Serves `/v1/chat/completions` over HTTP, streamed and whole, in threads of its own.

    Args:
        script: what to answer: a function of the request's body, or lines that are said in turn, the last
            again and again. A Reply gives usage, tool calls and thoughts as well; a fault is an answer that
            is none. A function is called by several threads at once where requests come at once.
        api_key: what requests must bring; None takes them all.
        models: names it serves; a request for another is a 404. None serves any.

    Attributes:
        requests: the bodies of the requests so far, in order.
        headers: their headers; names in any case.
    """

    def __init__(
        self,
        script: Script | Sequence[Line],
        *,
        api_key: str | None = None,
        models: Sequence[str] | None = None,
    ) -> None:
        self._script = script if callable(script) else _in_turn(script)
        self._api_key = api_key
        self._models = models
        self._changed = threading.Condition()
        self._hang_ups = 0
        self.closing = threading.Event()
        self.requests: list[Mapping[str, Any]] = []
        self.headers: list[Message] = []
        self._server = _Listener(self)
        threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()

    @property
    def base_url(self) -> str:
        """What a client is told."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def hang_ups(self) -> int:
        """How many clients hung up before their answer had ended."""
        return self._hang_ups

    def wait_for_hang_up(self, count: int = 1, *, timeout_seconds: float = 30.0) -> bool:
        """Waits until so many clients hung up; False where they do not."""
        with self._changed:
            return self._changed.wait_for(lambda: self._hang_ups >= count, timeout_seconds)

    def close(self) -> None:
        """Stops serving. May be called twice."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def line_for(self, body: Mapping[str, Any], headers: Message) -> Line:
        """What to answer to a request."""
        with self._changed:
            self.requests.append(body)
            self.headers.append(headers)
            if self._api_key is not None and headers.get("Authorization") != f"Bearer {self._api_key}":
                return Refuse(401, f"wrong key: {headers.get('Authorization')}", "invalid_api_key")
            if self._models is not None and body.get("model") not in self._models:
                return Refuse(404, f"no model {body.get('model')!r}", "model_not_found")
        return self._script(body)

    def hung_up(self) -> None:
        """A client hung up."""
        with self._changed:
            self._hang_ups += 1
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, endpoint: ScriptedEndpoint) -> None:
        self.endpoint = endpoint
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the end of an answer waits 40 ms for an acknowledgement
    server: _Listener

    def do_POST(self) -> None:
        """Answers a request."""
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length) or b"{}")
        if not self.path.endswith("/v1/chat/completions"):
            self._whole(Refuse(404, f"no such path: {self.path}"))
            return
        line = self.server.endpoint.line_for(body, self.headers)
        try:
            if isinstance(line, (Refuse, Send)):
                self._whole(line)
            elif isinstance(line, (Drop, Hang)):
                self._part(line, str(body.get("model")))
            else:
                self._answer(line if isinstance(line, Reply) else _counted(line, body), body)
        except OSError:
            self.close_connection = True
            self.server.endpoint.hung_up()

    def log_message(self, *_: object) -> None:
        """Keeps the tests' output clean."""

    def _answer(self, reply: Reply, body: Mapping[str, Any]) -> None:
        model = reply.model or str(body.get("model"))
        if body.get("stream"):
            self._start(200, "text/event-stream", {"Transfer-Encoding": "chunked"})
            self._chunks(_events(reply, model), last=True)
            return
        message = {"role": "assistant", **_message(reply)}
        choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
        whole = {**_HEAD, "model": model, "choices": [choice], "usage": _usage(reply)}
        self._whole(Send(json.dumps(whole).encode(), "application/json"))

    def _whole(self, line: Refuse | Send) -> None:
        if isinstance(line, Refuse):
            error = {"error": {"message": line.message, "code": line.code, "type": "error"}}
            line = Send(json.dumps(error).encode(), "application/json", line.status, line.headers)
        self._start(line.status, line.content_type, {"Content-Length": str(len(line.body)), **line.headers})
        self.wfile.write(line.body)

    def _part(self, line: Drop | Hang, model: str) -> None:
        self.close_connection = True
        quietly = isinstance(line, Drop) and line.quietly
        if line.pieces is not None:
            how = {"Connection": "close"} if quietly else {"Transfer-Encoding": "chunked"}
            self._start(200, "text/event-stream", how)
            events = [*_events(Reply(line.text), model)][: line.pieces]
            if quietly:
                self.wfile.write(b"".join(events))
            else:
                self._chunks(events, last=False)
        if isinstance(line, Hang):
            self._until_hang_up(line.drip, chunked=line.pieces is not None)
        elif not quietly:
            self.connection.shutdown(socket.SHUT_RDWR)

    def _until_hang_up(self, drip: bytes, *, chunked: bool) -> None:
        while not self.server.endpoint.closing.is_set():
            readable, _, _ = select.select([self.connection], [], [], _POLL_SECONDS)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError("the client hung up")
            if drip and chunked:
                self._chunks([drip], last=False)
            elif drip:
                self.wfile.write(drip)

    def _start(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _chunks(self, events: Iterable[bytes], *, last: bool) -> None:
        for event in events:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        if last:
            self.wfile.write(b"0\r\n\r\n")


def _in_turn(lines: Sequence[Line]) -> Script:
    said, lock = iter(range(len(lines))), threading.Lock()

    def script(_body: Mapping[str, Any]) -> Line:
        with lock:
            return lines[next(said, len(lines) - 1)]

    return script


def _counted(text: str, body: Mapping[str, Any]) -> Reply:
    """A text with words counted as tokens."""
    asked = sum(len(str(message.get("content") or "").split()) for message in body.get("messages", ()))
    return Reply(text, Usage(asked, len(text.split())), "stop")


def _events(reply: Reply, model: str) -> Iterator[bytes]:
    """The stream of an answer, word by word."""
    message = _message(reply)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if "reasoning_content" in message:
        deltas += [{"reasoning_content": word} for word in _words(message["reasoning_content"])]
    deltas += [{"content": word} for word in _words(message["content"] or "")]
    for index, call in enumerate(message.get("tool_calls", ())):
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        start = {"id": call["id"], "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [{"index": index, **start}]})
        deltas.append({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})
    for delta in deltas:
        yield _event(model, [{"index": 0, "delta": delta, "finish_reason": None}])
    yield _event(model, [{"index": 0, "delta": {}, "finish_reason": _finish_reason(reply)}])
    yield _event(model, [], usage=_usage(reply))
    yield b"data: [DONE]\n\n"


def _event(model: str, choices: list[Any], **more: Any) -> bytes:
    chunk = {**_HEAD, "object": "chat.completion.chunk", "model": model, "choices": choices, **more}
    return b"data: %s\n\n" % json.dumps(chunk).encode()


def _message(reply: Reply) -> dict[str, Any]:
    message = dict(reply.value) if isinstance(reply.value, Mapping) else {"content": reply.value}
    return {**message, **({"reasoning_content": reply.reasoning} if reply.reasoning else {})}


def _finish_reason(reply: Reply) -> str:
    return reply.finish_reason or ("tool_calls" if isinstance(reply.value, Mapping) else "stop")


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)
