"""What all models of a router can do: the profile that agents read before they choose how to ask."""

from collections.abc import Mapping, Sequence
from typing import Any


def common_profile(profiles: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """A flag where all have it, the smallest of each limit; None where one has no profile."""
    known = [profile for profile in profiles if profile]
    if not known or len(known) < len(profiles):
        return None
    shared = set(known[0]).intersection(*known[1:])
    found: dict[str, Any] = {}
    for name in known[0]:
        if name not in shared:
            continue
        values = [profile[name] for profile in known]
        if all(isinstance(value, bool) for value in values):
            found[name] = all(values)
        elif all(isinstance(value, (int, float)) for value in values):
            found[name] = min(values)
        elif all(value == values[0] for value in values):
            found[name] = values[0]
    return found
