"""Keys and values of the workloads, and the settings they are drawn by."""

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

WORKLOADS = Path(__file__).parent / "workloads"


@cache
def settings(name: str, *, quick: bool = False) -> dict[str, Any]:
    """The settings of a measure: `workloads/<name>.toml`; its table `quick` overrides the rest."""
    table: dict[str, Any] = tomllib.loads((WORKLOADS / f"{name}.toml").read_text())
    shorter: dict[str, Any] = table.pop("quick", {})
    return {**table, **shorter} if quick else table


@dataclass(frozen=True, slots=True)
class Payload:
    """Entries by number. Each call makes a new str, equal to the last and with no hash in it yet.

    Attributes:
        key_chars: characters of a key, ASCII.
        value_chars: characters of a value, ASCII.
    """

    key_chars: int
    value_chars: int

    @classmethod
    def load(cls) -> Self:
        """As `workloads/payload.toml` says."""
        return cls(**settings("payload"))

    def key(self, number: int) -> str:
        """The key of an entry; keys differ in the middle."""
        half = (self.key_chars - 12) // 2
        return f"{'Q' * half}{number:012d}{'?' * (self.key_chars - 12 - half)}"

    def value(self, number: int) -> str:
        """The value of an entry."""
        return f"{number:012d}{'v' * (self.value_chars - 12)}"

    def keys(self, numbers: Sequence[int] | range) -> list[str]:
        """A fresh key a number."""
        half = (self.key_chars - 12) // 2
        head, tail = "Q" * half, "?" * (self.key_chars - 12 - half)
        return [f"{head}{number:012d}{tail}" for number in numbers]

    def values(self, count: int) -> list[str]:
        """The values of the entries below `count`."""
        return [self.value(number) for number in range(count)]


def drawn(generator: random.Random, entries: int, count: int, *, first: int = 0) -> list[int]:
    """`count` entries of those from `first` on, each as likely."""
    return [first + int(generator.random() * entries) for _ in range(count)]
