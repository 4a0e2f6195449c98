"""The run of a router in callbacks and tracers.

A router's run is a chain, and the chosen model's run its child: the only model run there is, so that tokens
count once and traces name the model that answered. With nobody listening there is no run at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForChainRun,
    CallbackManager,
    CallbackManagerForChainRun,
)
from langchain_core.globals import get_debug
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

try:  # private to LangChain
    from langchain_core.tracers.context import _configure_hooks, _tracing_v2_is_enabled
except ImportError:
    _configure_hooks = []

    def _tracing_v2_is_enabled() -> bool | Literal["local"]:
        return True


_PASSED_ON: Final = frozenset({"tags", "metadata", "run_id"})


@dataclass(slots=True)
class Run:
    """A run under way; `manager` is None when nobody listens. `config` is for the model that is called."""

    manager: CallbackManagerForChainRun | None
    config: RunnableConfig

    def end(self, output: Any) -> None:
        """It ended with `output`."""
        if self.manager:
            self.manager.on_chain_end(output)

    def fail(self, error: BaseException) -> None:
        """It ended with an error, or its consumer stopped listening."""
        if self.manager:
            self.manager.on_chain_error(error)


@dataclass(slots=True)
class AsyncRun:
    """As `Run`, awaited."""

    manager: AsyncCallbackManagerForChainRun | None
    config: RunnableConfig

    async def end(self, output: Any) -> None:
        """It ended with `output`."""
        if self.manager:
            await self.manager.on_chain_end(output)

    async def fail(self, error: BaseException) -> None:
        """It ended with an error, or its consumer stopped listening."""
        if self.manager:
            await self.manager.on_chain_error(error)


def open_run(router: BaseChatModel, config: RunnableConfig, messages: Sequence[BaseMessage]) -> Run:
    """Starts a run where anybody listens."""
    if _unheard(router, config):
        return Run(None, _quiet(config))
    manager = CallbackManager.configure(*_listeners(router, config))
    if not manager.handlers:
        return Run(None, _quiet(config))
    run = manager.on_chain_start(None, {"messages": list(messages)}, **_named(router, config))
    return Run(run, RunnableConfig(callbacks=run.get_child()))


async def open_async_run(
    router: BaseChatModel, config: RunnableConfig, messages: Sequence[BaseMessage]
) -> AsyncRun:
    """As `open_run`, awaited."""
    if _unheard(router, config):
        return AsyncRun(None, _quiet(config))
    manager = AsyncCallbackManager.configure(*_listeners(router, config))
    if not manager.handlers:
        return AsyncRun(None, _quiet(config))
    run = await manager.on_chain_start(None, {"messages": list(messages)}, **_named(router, config))
    return AsyncRun(run, RunnableConfig(callbacks=run.get_child()))


def _unheard(router: BaseChatModel, config: RunnableConfig) -> bool:
    """Whether it is plain that nobody listens. To find out by a manager takes longer than a look-up."""
    if config.get("callbacks") or router.callbacks or router.verbose or get_debug():
        return False
    return not _heard_elsewhere()


def _heard_elsewhere() -> bool:
    """Whether a tracer or a context manager around this call may listen."""
    if _tracing_v2_is_enabled():
        return True
    return any(
        variable.get() is not None or wanted is not None for variable, _, _, wanted in _configure_hooks
    )


def _listeners(router: BaseChatModel, config: RunnableConfig) -> tuple[Any, ...]:
    return (
        config.get("callbacks"),
        router.callbacks,
        router.verbose,
        config.get("tags"),
        router.tags,
        config.get("metadata"),
        router.metadata,
    )


def _named(router: BaseChatModel, config: RunnableConfig) -> dict[str, Any]:
    return {"name": config.get("run_name") or router.get_name(), "run_id": config.get("run_id")}


def _quiet(config: RunnableConfig) -> RunnableConfig:
    """For the callbacks a model may have of its own."""
    kept: dict[str, Any] = {name: value for name, value in config.items() if name in _PASSED_ON}
    return cast("RunnableConfig", kept)
