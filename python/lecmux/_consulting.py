"""Asks hooks that can be awaited ahead of the stage that needs their word."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lecmux._asked_hook import Word
from lecmux._hook_runner import Consult

if TYPE_CHECKING:
    from lecmux._stages import Core

KEY_HOOKS = ("text", "scope")
COST_HOOKS = ("quality", "cost")
REPLY_HOOKS = (*COST_HOOKS, "admit", "ttl")


def consulted(
    core: "Core", names: Sequence[str], *arguments: Any, check: Callable[[Any], None] | None = None
) -> Generator[Consult, Any, "Core"]:
    """`core` with the words of those hooks of `names` that can be awaited; the others are asked in place."""
    words: dict[str, Word] = {}
    for name in names:
        hooks = core.judge if name == "quality" and core.judge else core.hooks
        if name not in hooks.awaited:
            continue
        try:
            words[name] = yield hooks.consult(name, *arguments, check=check)
        except Exception as error:  # a driver that cannot ask: the built-in rule decides
            core.incident(f"hook:{name}", error)
            words[name] = Word(None, failed=True)
    if not words:
        return core
    judge = core.judge.told(words) if core.judge else None
    return replace(core, hooks=core.hooks.told(words), judge=judge)
