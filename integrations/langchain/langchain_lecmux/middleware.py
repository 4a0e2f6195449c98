"""A `ChatRouter` inside an agent that was built on another model.

Needs `langchain`, where agents and their middleware live; the rest of this package needs its core alone.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_lecmux.asking import ROUTE
from langchain_lecmux.chat_model import ChatRouter
from lecmux.errors import ConfigError, MissingExtraError

try:
    from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
    from langgraph.errors import GraphBubbleUp
except ImportError as error:
    raise MissingExtraError(
        "LECRouterMiddleware needs langchain: pip install 'langchain-lecmux[agents]'"
    ) from error

__all__ = ["LECRouterMiddleware"]

_LOGGER = logging.getLogger("langchain_lecmux")


class LECRouterMiddleware(AgentMiddleware[Any, Any, Any]):
    """Sends every model call of an agent through a `ChatRouter`: `create_agent(model, middleware=[this])`.

    Tools and structured output are bound after the model is replaced, so each reaches the chosen model in
    its own shape. The agent's own model is not asked.

    Args:
        router: decides, serves and learns.
        sticky: keep to one model from a question of the user to its answer. A model then reads its own tool
            calls and reasoning again, and finds its provider's prompt cache warm. Where that model fails, the
            router chooses anew.

    Raises:
        ConfigError: `router` is no `ChatRouter`.
    """

    def __init__(self, router: ChatRouter, *, sticky: bool = True) -> None:
        super().__init__()
        if not isinstance(router, ChatRouter):
            raise ConfigError(f"router must be a ChatRouter, not {router!r}")
        self.router = router
        self.sticky = sticky

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Answers from the cache, or by the model that is expected to cost least."""
        free, kept = self._routed(request)
        if kept is not None:
            try:
                return handler(kept)
            except GraphBubbleUp:  # an interrupt of the graph, and no failure
                raise
            except Exception as error:
                _LOGGER.warning("the model of this run failed (%s): choosing anew", type(error).__name__)
        return handler(free)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """As `wrap_model_call`, awaited."""
        free, kept = self._routed(request)
        if kept is not None:
            try:
                return await handler(kept)
            except GraphBubbleUp:  # an interrupt of the graph, and no failure
                raise
            except Exception as error:
                _LOGGER.warning("the model of this run failed (%s): choosing anew", type(error).__name__)
        return await handler(free)

    def _routed(self, request: ModelRequest[Any]) -> tuple[ModelRequest[Any], ModelRequest[Any] | None]:
        """The request to whichever model is best, and that to the one under way."""
        free = request.override(model=self.router)
        name = model_under_way(request.messages) if self.sticky else None
        if name not in self.router.models or ROUTE in request.model_settings:
            return free, None
        return free, free.override(model_settings={**request.model_settings, ROUTE: name})


def model_under_way(messages: Sequence[BaseMessage]) -> str | None:
    """The model that answered last since the user last spoke."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return None
        if isinstance(message, AIMessage) and (told := message.response_metadata.get("lecmux")):
            name = told.get("model")
            return name if isinstance(name, str) else None
    return None
