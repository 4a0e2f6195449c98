"""Asks an endpoint that cools down whether it is well again. Runs on the I/O loop."""

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

from lecmux.models._client import headers_for
from lecmux.models.endpoints import Endpoint

if TYPE_CHECKING:
    from lecmux.models._remote import Lane

_TIMEOUT_SECONDS = 2.0
_NO_SUCH_PAGE = frozenset({401, 403, 404, 405, 501})


class HealthCheck:
    """The checks of one endpoint: at most one series of them at a time, until it is well or nobody asks.

    Args:
        every_seconds: between two checks; 0.0 makes none.
    """

    def __init__(self, every_seconds: float) -> None:
        self._every = every_seconds
        self._task: asyncio.Task[None] | None = None

    def begin(self, lane: "Lane") -> None:
        """Starts a series, if the endpoint is one of ours and none is under way."""
        if self._every and lane.endpoint.local and (self._task is None or self._task.done()):
            # The checks must not keep a model alive that nobody has any more.
            self._task = asyncio.create_task(self._series(weakref.ref(lane)))

    def end(self) -> None:
        """Stops them."""
        if self._task is not None:
            self._task.cancel()

    async def _series(self, nearby: "weakref.ref[Lane]") -> None:
        while True:
            await asyncio.sleep(self._every)
            lane = nearby()
            if lane is None or not lane.health.cools_down:
                return
            well = await _is_well(lane.client, lane.endpoint)
            if well is None:
                self._every = 0.0
                return
            if well:
                lane.health.recovered()
                return
            del lane


async def _is_well(client: Any, endpoint: Endpoint) -> bool | None:
    """Whether `/health` says so; None where there is no such page for us."""
    import httpx2  # noqa: PLC0415  comes with openai
    import openai  # noqa: PLC0415  an extra, loaded at first use

    page = f"{endpoint.base_url.rstrip('/').removesuffix('/v1')}/health"
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await client.get(page, cast_to=httpx2.Response, options={"headers": headers_for(endpoint)})
    except openai.APIStatusError as error:
        return None if error.status_code in _NO_SUCH_PAGE else False
    except (openai.OpenAIError, TimeoutError):
        return False
    return True
