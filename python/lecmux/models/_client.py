"""The only file that sets up the SDK's client: with our limits, without secrets that it finds itself."""

from typing import Any

from lecmux.errors import MissingExtraError
from lecmux.models.endpoints import Endpoint

_NO_KEY = "none"
_MOST_CONNECTIONS = 1000
_KEPT_CONNECTIONS = 100


def require_openai() -> None:
    """Loads the extra, which takes about a second.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import openai  # noqa: F401, PLC0415  an extra, loaded at first use
    except ImportError as error:
        raise MissingExtraError(
            "OpenAI-compatible endpoints need the openai package: pip install 'lecmux[openai]'"
        ) from error


def open_client(endpoint: Endpoint) -> Any:
    """A client of the running event loop."""
    import httpx2  # noqa: PLC0415  comes with openai
    import openai  # noqa: PLC0415  an extra, loaded at first use

    timeout = httpx2.Timeout(None, connect=endpoint.timeouts.connect_seconds)
    most = max(_MOST_CONNECTIONS, endpoint.concurrency.at_most)
    limits = httpx2.Limits(max_connections=most, max_keepalive_connections=_KEPT_CONNECTIONS)
    return openai.AsyncOpenAI(
        api_key=endpoint.api_key or _NO_KEY,
        base_url=endpoint.base_url,
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultAsyncHttpxClient(
            follow_redirects=False, trust_env=not endpoint.local, timeout=timeout, limits=limits
        ),
    )


def headers_for(endpoint: Endpoint) -> dict[str, Any]:
    """Headers of each request.

    The SDK would take a key, an organisation and a project from the environment and send them to any
    `base_url`: here OpenAI's own service is the only one that gets what was not given by name.
    """
    import openai  # noqa: PLC0415  an extra, loaded at first use

    left_out: list[str] = []
    if not endpoint.is_openai:
        left_out += ["OpenAI-Organization", "OpenAI-Project"]
    if endpoint.api_key is None:
        left_out.append("Authorization")
    given = {name.lower() for name in endpoint.headers}
    return {
        **{name: openai.Omit() for name in left_out if name.lower() not in given},
        **endpoint.headers,
    }
