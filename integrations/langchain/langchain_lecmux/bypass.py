"""While a router calls one of its models, the cache that the router uses looks away.

Otherwise every answer would be stored twice, the second time under a key that knows nothing of the route.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lecmux import AsyncCache, Cache

Store = Cache | AsyncCache

_in_use: ContextVar[tuple[Store, ...]] = ContextVar("langchain_lecmux_in_use", default=())


@contextmanager
def bypassing(store: Store | None) -> Iterator[None]:
    """Within the block, and in threads and tasks started from it, `store` answers no `LECCache`."""
    if store is None:
        yield
        return
    token = _in_use.set((*_in_use.get(), store))
    try:
        yield
    finally:
        _in_use.reset(token)


def is_bypassed(store: Store) -> bool:
    """Whether a router up the call stack already asked `store`."""
    stores = _in_use.get()
    return bool(stores) and any(each is store for each in stores)
