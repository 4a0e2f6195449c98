"""While a router calls one of its models, the cache that the router uses looks away.

Otherwise every answer would be stored twice, the second time under a key that knows nothing of the route.
"""

from contextvars import ContextVar

from lecmux import AsyncCache, Cache

Store = Cache | AsyncCache

_in_use: ContextVar[tuple[Store, ...]] = ContextVar("langchain_lecmux_in_use", default=())


class bypassing:  # noqa: N801  used like a function
    """Within the block, and in threads and tasks started from it, `store` answers no `LECCache`."""

    __slots__ = ("_store", "_token")

    def __init__(self, store: Store | None) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._token = None if self._store is None else _in_use.set((*_in_use.get(), self._store))

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _in_use.reset(self._token)


def is_bypassed(store: Store) -> bool:
    """Whether a router up the call stack already asked `store`."""
    stores = _in_use.get()
    return any(each is store for each in stores) if stores else False
