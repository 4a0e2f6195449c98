"""Frozen records that are made as fast as others.

A frozen dataclass writes every field through `object.__setattr__`: with a dozen of them that takes longer
than most stages. A `record` is such a dataclass in all else. While `__init__` writes its fields, the object
has the class of a twin with the same slots, which takes writes plainly; it gets its own class last.
"""

import sysconfig
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from functools import wraps
from typing import Any, Final, TypeVar, dataclass_transform

__all__ = ["record"]

Kind = TypeVar("Kind", bound=type)

# There a change of class stops all threads.
_FREE_THREADED: Final = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(kind: Kind) -> Kind:
    """`@dataclass(frozen=True, slots=True)`, for classes without `__post_init__`."""
    frozen: Any = dataclass(frozen=True, slots=True)(kind)
    if not _FREE_THREADED:
        frozen.__init__ = _fast_init(frozen)
    return frozen  # type: ignore[no-any-return]


def _fast_init(frozen: Any) -> Callable[..., None]:
    names = [each.name for each in fields(frozen)]
    given = {
        "frozen": frozen,
        "twin": type(frozen.__name__, (), {"__slots__": frozen.__slots__}),
        "become": object.__setattr__,
        "usual": frozen.__init__,
        "missing": MISSING,
        **{f"default_{each.name}": each.default for each in fields(frozen)},
        **{f"make_{each.name}": each.default_factory for each in fields(frozen)},
    }
    parameters = [_parameter(each) for each in fields(frozen)]
    lines = [
        f"def __init__(self, {', '.join(parameters)}):",
        *[
            f" if {each.name} is missing: {each.name} = make_{each.name}()"
            for each in fields(frozen)
            if each.default_factory is not MISSING
        ],
        " if self.__class__ is not frozen:",  # a subclass, whose slots are others
        f"  return usual(self, {', '.join(names)})",
        " become(self, '__class__', twin)",
        *[f" self.{name} = {name}" for name in names],
        " self.__class__ = frozen",
    ]
    exec("\n".join(lines), given)  # as `dataclasses` makes an __init__
    return wraps(frozen.__init__)(given["__init__"])


def _parameter(each: Any) -> str:
    if each.default_factory is not MISSING:
        return f"{each.name}=missing"
    return each.name if each.default is MISSING else f"{each.name}=default_{each.name}"
