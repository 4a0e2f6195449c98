"""Checks that settings share: each raises ConfigError with the setting's name and what it must be."""

import math

from lecmux.errors import ConfigError

MOST = 2**63 - 1
"""The largest whole number that every 64-bit field of the core holds."""


def positive(name: str, value: float) -> None:
    """Refuses what is not a finite number above 0."""
    if not _is_number(value) or not value > 0:
        raise ConfigError(f"{name} must be a finite number above 0, not {value!r}")


def not_negative(name: str, value: float) -> None:
    """Refuses what is not a finite number of at least 0."""
    if not _is_number(value) or value < 0:
        raise ConfigError(f"{name} must be a finite number of at least 0, not {value!r}")


def fraction(name: str, value: float) -> None:
    """Refuses what is not strictly between 0 and 1."""
    if not _is_number(value) or not 0 < value < 1:
        raise ConfigError(f"{name} must lie strictly between 0 and 1, not {value!r}")


def share(name: str, value: float) -> None:
    """Refuses what is not in [0, 1]."""
    if not _is_number(value) or not 0 <= value <= 1:
        raise ConfigError(f"{name} must lie in [0, 1], not {value!r}")


def whole(name: str, value: int, *, least: int = 1, most: int | None = None) -> None:
    """Refuses what is not an int from `least` to `most`; True is no number here."""
    if type(value) is not int or value < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}, not {value!r}")
    if most is not None and value > most:
        raise ConfigError(f"{name} must be a whole number of at most {most}, not {value!r}")


def instance(name: str, value: object, kind: type, called: str = "") -> None:
    """Refuses what is not a `kind`, such as `Hooks(...)`."""
    if not isinstance(value, kind):
        raise ConfigError(f"{name} must be {called or f'{kind.__name__}(...)'}, not {value!r}")


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an int that no float holds
        return False
