"""Hooks of a `LECCache`: the same as in the pipeline, asked where LangChain calls."""

from collections.abc import Sequence
from typing import Any, Final

from lecmux import Query
from lecmux.flow import HookRunner
from lecmux.query import Key

KEY_HOOKS: Final = ("text", "scope")
REPLY_HOOKS: Final = ("cost", "admit", "ttl")


def key_of(query: Query, hooks: HookRunner) -> Key:
    """Under what the query is stored.

    Raises:
        HookFailedError: nobody knows the tenant.
    """
    return Key(hooks.text(query), hooks.scope(query), query.fingerprint)


async def told(hooks: HookRunner, names: Sequence[str], *arguments: Any) -> HookRunner:
    """`hooks`, where those of `names` that can be awaited have been asked."""
    if not hooks.awaited:
        return hooks
    asked = [name for name in names if name in hooks.awaited]
    words = {name: await hooks.consult(name, *arguments).wait_async() for name in asked}
    return hooks.told(words) if words else hooks
