"""A real server for the tests of clients: llama.cpp's own listener with the small model behind it."""

import secrets
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from lecmux.errors import DownloadError, MissingExtraError
from lecmux.models import _native, pull


class RealEndpoint(NamedTuple):
    """Where it listens, and the key it wants."""

    base_url: str
    api_key: str


@pytest.fixture(scope="session")
def real_endpoint() -> Iterator[RealEndpoint]:
    pytest.importorskip("xllamacpp")
    try:
        path = pull("small").path
    except (DownloadError, MissingExtraError) as error:
        pytest.skip(f"the small model cannot be fetched here: {error}")
    key = secrets.token_urlsafe(16)
    server = _native.load(
        path, context_tokens=512, threads=_native.default_threads(), parallel=1, api_key=key
    )
    yield RealEndpoint(f"{server.listening_address}/v1", key)
    del server
