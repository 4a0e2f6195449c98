"""Hooks of installed packages by name, for the command line and for settings that are text.

A package names its hooks by an entry point of the group `lecmux.hooks`, which leads to a `Hooks` or to a
function without arguments that makes one::

    [project.entry-points."lecmux.hooks"]
    acme = "acme.caching:hooks"

Nothing is looked for or imported until it is asked for by name; in code, pass the object itself.
"""

from lecmux.errors import ConfigError
from lecmux.hooks import Hooks

__all__ = ["GROUP", "hooks_named", "installed_hooks"]

GROUP = "lecmux.hooks"
"""The group of entry points that are looked through."""


def installed_hooks() -> tuple[str, ...]:
    """The names that can be asked for, in order of the alphabet."""
    from importlib.metadata import entry_points  # noqa: PLC0415  reads every installed package

    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def hooks_named(name: str) -> Hooks:
    """The hooks that an installed package offers under `name`.

    Raises:
        ConfigError: no such name, two packages that use it, or something else than a `Hooks` behind it.
        Exception: what importing the package raises.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415  reads every installed package

    points = list(entry_points(group=GROUP, name=name))
    if not points:
        known = ", ".join(installed_hooks()) or "no others"
        raise ConfigError(f"no installed package offers hooks named {name!r}; there are {known}")
    if len({point.value for point in points}) > 1:
        raise ConfigError(f"{name!r} leads to {' and '.join(point.value for point in points)}: remove one")
    found = points[0].load()
    hooks = found if isinstance(found, Hooks) or not callable(found) else found()
    if not isinstance(hooks, Hooks):
        raise ConfigError(f"{points[0].value} must be a lecmux.Hooks, or make one: it is {hooks!r}")
    return hooks
