"""A lock that another thread held while the process forked stays locked for ever in the child.

Objects that own locks or wait for threads register here and are told in the child, before it runs.
"""

import os
import weakref
from typing import Protocol

from lecmux import _core


class _Renewable(Protocol):
    def _after_fork(self) -> None: ...


_LIVE: "weakref.WeakSet[_Renewable]" = weakref.WeakSet()


def renew(thing: _Renewable) -> None:
    """Has `thing._after_fork()` called in every forked child, for as long as `thing` lives."""
    _LIVE.add(thing)


def _in_child() -> None:
    _core.after_fork()
    for thing in list(_LIVE):
        thing._after_fork()


if hasattr(os, "register_at_fork"):
    # The core holds no lock while the process forks: detached work is waited for.
    os.register_at_fork(before=_core.before_fork, after_in_parent=_core.after_fork, after_in_child=_in_child)
