"""Suites that state what an interface promises. Subclass one, fill in its fixture, run pytest.

They need pytest, which is imported here and nowhere else in the package.
"""

from lecmux.testing.contracts.cache import CacheContract

__all__ = ["CacheContract"]
