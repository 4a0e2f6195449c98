"""Cascades: one model answers, a check looks at the answer, and another answers where it says no."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from lecmux._asked_hook import Ways, ways_into
from lecmux.errors import ConfigError
from lecmux.query import Query, Reply

__all__ = ["Cascade", "CheckHook"]


@runtime_checkable
class CheckHook(Protocol):
    """Looks at the first answer of a cascade."""

    def check(self, request: Query, reply: Reply, /) -> bool:
        """True when the answer is good enough to be given."""
        ...


@dataclass(frozen=True, slots=True)
class Cascade:
    """One more arm of a router: asks `first`, and where its answer does not pass the check, `then`.

    The router learns what the whole of it costs, both calls included, and takes it where that is least.
    A check that fails is counted as an incident, and `then` is asked.

    Attributes:
        first: the model asked first, as a rule the cheap one.
        then: the model asked where the check says no.
        check: `(request, reply) -> bool`, or an object with it as `check`; async ones for drivers that await.
        name: by which decisions and reports know the cascade; "FIRST then THEN" where none is given.

    Raises:
        ConfigError: for names or a check that cannot work.
    """

    first: str
    then: str
    check: CheckHook | Callable[[Query, Reply], bool | Awaitable[bool]] = field(kw_only=True)
    name: str = field(default="", kw_only=True)
    _ways: Ways = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for model in (self.first, self.then):
            if not isinstance(model, str) or not model:
                raise ConfigError(f"a Cascade takes the names of two models, not {model!r}")
        if self.first == self.then:
            raise ConfigError(f"a Cascade needs two different models, not {self.first!r} twice")
        ways = ways_into(self.check, "check")
        if ways is None:
            raise ConfigError("Cascade(check=) must be callable or have a method check()")
        object.__setattr__(self, "_ways", ways)
        if not isinstance(self.name, str):
            raise ConfigError(f"Cascade(name=) must be a text, not {self.name!r}")
        object.__setattr__(self, "name", self.name or f"{self.first} then {self.then}")

    @property
    def models(self) -> tuple[str, str]:
        """Both, in their order."""
        return self.first, self.then

    def passes(self, request: Query, reply: Reply) -> bool:
        """The check's word.

        Raises:
            TypeError: when it is neither True nor False, and for a check that is only async.
            Exception: whatever the check raises.
        """
        if self._ways.plain is None:
            raise TypeError(
                "the check is async, and this driver does not await: wrap it in Threaded(check, ...)"
            )
        return _truth(self._ways.plain(request, reply))

    async def passes_async(self, request: Query, reply: Reply) -> bool:
        """As `passes`, with an await where the check has one."""
        if self._ways.awaited is None:
            return self.passes(request, reply)
        return _truth(await self._ways.awaited(request, reply))


def _truth(word: Any) -> bool:
    if not isinstance(word, bool):
        raise TypeError(f"the check of a cascade must return True or False, not {type(word).__name__}")
    return word
