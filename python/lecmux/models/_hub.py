"""Reads a file over HTTPS into a partial file, from where an earlier try stopped."""

import http.client
import os
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lecmux.errors import DownloadError

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 30.0
_BLOCK_BYTES = 1 << 20
_OK, _PARTIAL = 200, 206


def read_into(partial: Path, url: str, size_bytes: int, report: Callable[[int], None]) -> None:
    """Appends the missing rest of `url` to `partial`; a server that cannot resume sends all of it again.

    `report` gets the bytes there so far. One attempt; 3 s to connect, 30 s for each read.

    Raises:
        DownloadError: no connection, a refusal, a broken transfer, or another length than `size_bytes`.
            What arrived stays in `partial`.
    """
    have = partial.stat().st_size if partial.exists() else 0
    _require_reachable(url)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with _opener().open(request, timeout=_CONNECT_SECONDS) as response:
            have = have if _resumes(response, have) else 0
            _require_length(response, have, size_bytes)
            _append(partial, response, have, size_bytes, report)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise DownloadError(f"{_host(url)}: {getattr(error, 'reason', None) or error}") from error
    if (got := partial.stat().st_size) != size_bytes:
        raise DownloadError(f"{_host(url)} sent {got:,} of {size_bytes:,} bytes; try again to resume")


def _append(partial: Path, response: Any, have: int, size_bytes: int, report: Callable[[int], None]) -> None:
    with partial.open("r+b" if partial.exists() else "wb") as file:
        file.truncate(have)
        file.seek(have)
        while have < size_bytes and (block := response.read(min(_BLOCK_BYTES, size_bytes - have))):
            file.write(block)
            have += len(block)
            report(have)


def _resumes(response: Any, have: int) -> bool:
    if response.status not in (_OK, _PARTIAL):
        raise DownloadError(f"answered {response.status}")
    span = response.headers.get("Content-Range", "")
    return bool(have) and response.status == _PARTIAL and span.startswith(f"bytes {have}-")


def _require_length(response: Any, have: int, size_bytes: int) -> None:
    length = response.headers.get("Content-Length")
    if length is not None and have + int(length) != size_bytes:
        raise DownloadError(f"offers {have + int(length):,} bytes, expected {size_bytes:,}")


def _require_reachable(url: str) -> None:
    """Fails within 3 s where the hub cannot be reached: looking a name up has no time limit of its own."""
    if urllib.request.getproxies():
        return
    parts = urllib.parse.urlsplit(url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    failures: list[OSError] = []
    probe = threading.Thread(target=_probe, args=(address, failures), daemon=True)
    probe.start()
    probe.join(_CONNECT_SECONDS)
    if probe.is_alive() or failures:
        reason = failures[0] if failures else f"no answer within {_CONNECT_SECONDS:.0f} s"
        raise DownloadError(f"{parts.hostname} cannot be reached: {reason}")


def _probe(address: tuple[str, int], failures: list[OSError]) -> None:
    try:
        socket.create_connection(address, timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        failures.append(error)


class _Connection(http.client.HTTPSConnection):
    """Connects within the short limit, then gives each read the long one."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(_READ_SECONDS)


class _Handler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request, context=self._context)  # type: ignore[attr-defined]  # the base class's own way


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Handler())


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or os.fspath(url)
