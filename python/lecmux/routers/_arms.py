"""What a router chooses among: its models, and cascades over them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from lecmux.errors import ConfigError
from lecmux.policies._check import instance
from lecmux.query import Query, Reply
from lecmux.routers.cascade import Cascade


class Arms:
    """The names of models and cascades, in that order.

    Raises:
        ConfigError: for cascades that cannot work.
    """

    def __init__(self, models: Sequence[str], cascades: Sequence[Cascade]) -> None:
        instance("arms", cascades, Iterable, "a sequence of Cascade(...)")
        self.models = tuple(models)
        self.cascades: dict[str, Cascade] = {}
        for cascade in cascades:
            self._add(cascade)
        self.names = (*self.models, *self.cascades)

    def _add(self, cascade: Cascade) -> None:
        if not isinstance(cascade, Cascade):
            raise ConfigError(f"arms takes Cascade(...) objects, not {cascade!r}")
        for model in cascade.models:
            if model not in self.models:
                raise ConfigError(
                    f"no model {model!r} for {cascade.name!r}; there are {', '.join(self.models)}"
                )
        if cascade.name in self.models or cascade.name in self.cascades:
            raise ConfigError(f"each arm needs a name of its own: {cascade.name!r} is taken")
        self.cascades[cascade.name] = cascade

    def within(self, allowed: Collection[str]) -> list[str]:
        """The arms that ask none but `allowed` models; a cascade may also be allowed by its name."""
        return [name for name in self.names if name in allowed or self._inside(name, allowed)]

    def _inside(self, name: str, allowed: Collection[str]) -> bool:
        cascade = self.cascades.get(name)
        return cascade is not None and all(model in allowed for model in cascade.models)

    def asked(self, allowed: Collection[str]) -> set[str]:
        """The models that `allowed`, models and cascades, may ask."""
        named = {model for name in allowed if name in self.cascades for model in self.cascades[name].models}
        return named | {name for name in allowed if name in self.models}

    def spec(self) -> list[list[str]]:
        """For a file. A check is code, and stays out."""
        return [[cascade.name, *cascade.models] for cascade in self.cascades.values()]


def arms_from_spec(spec: Sequence[Sequence[Any]]) -> list[Cascade]:
    """Cascades that can be looked at, but not asked."""
    return [Cascade(first, then, name=name, check=_not_kept) for name, first, then in spec]


def _not_kept(request: Query, reply: Reply) -> bool:
    raise ConfigError("a file keeps no check: pass the cascades to Router.load(path, arms=[...])")


def checked_models(models: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple.

    Raises:
        ConfigError: for none, an empty one, or one twice.
    """
    if isinstance(models, str):
        raise ConfigError(f"models must be a sequence of names, not the one name {models!r}")
    instance("models", models, Iterable, "a sequence of names")
    names = tuple(models)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"models must hold at least one name, and no empty one: {names!r}")
    if len(set(names)) != len(names):
        raise ConfigError(f"each model needs a name of its own: {names!r}")
    return names
