"""What the file of a router holds: settings, sums of what was paid, beliefs; and whom its beliefs fit."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from lecmux import _core, _snapshot
from lecmux.costs.history import any_price_from_spec
from lecmux.errors import ConfigError, SnapshotError
from lecmux.policies.estimate import estimator_from_spec
from lecmux.query import Unit
from lecmux.routers._arms import arms_from_spec
from lecmux.routers.multiplexer import Multiplexer, Prior, multiplexer_from_spec

__all__ = ["Saved", "check_fits", "sealed", "taught", "unknown_settings", "unsealed"]

_LEARNING = ("models", "arms", "estimator", "cost_floor", "cost_ceiling", "max_keys")


class Saved(NamedTuple):
    """What was read.

    Attributes:
        settings: arguments of `Router`.
        paid: calls and their total cost, by arm.
        core: the beliefs.
        multiplexer: its settings; None where there was none to keep.
        lessons: what it had learnt; empty for nothing.
    """

    settings: dict[str, Any]
    paid: dict[str, tuple[int, float]]
    core: _core.Router
    multiplexer: Mapping[str, Any] | None = None
    lessons: bytes = b""


def sealed(
    settings: Mapping[str, Any],
    paid: Mapping[str, tuple[int, float]],
    core: _core.Router,
    prior: Prior | None,
) -> bytes:
    """The bytes of a file; `settings` are described, as text can hold them."""
    about: dict[str, Any] = {"settings": dict(settings), "paid": dict(paid)}
    lessons = b""
    if isinstance(prior, Multiplexer):
        lessons = prior._state()
        about |= {"multiplexer": prior._spec(), "lesson_bytes": len(lessons)}
    return _snapshot.seal(about, lessons + core.to_bytes())


def unsealed(data: bytes, path: str | os.PathLike[str]) -> Saved:
    """What `sealed` wrote, read from `path`.

    Raises:
        SnapshotError: when it is damaged, foreign, or of another version.
    """
    about, state = _snapshot.unseal(data, path)
    try:
        settings = dict(about["settings"])
        settings["prices"] = {name: any_price_from_spec(parts) for name, parts in settings["prices"].items()}
        settings["estimator"] = estimator_from_spec(settings["estimator"])
        settings["arms"] = arms_from_spec(settings.get("arms", ()))
        paid = {name: (int(calls), float(total)) for name, (calls, total) in about["paid"].items()}
        multiplexer, cut = about.get("multiplexer"), int(about.get("lesson_bytes", 0))
    except (KeyError, TypeError, ValueError) as error:
        raise unknown_settings(path, error) from error
    return Saved(settings, paid, _core.Router.from_bytes(state[cut:]), multiplexer, state[:cut])


def taught(saved: Saved, prior: Prior | None, path: str | os.PathLike[str]) -> Prior | None:
    """`prior`, or without one the multiplexer described, with what it had learnt by then.

    Raises:
        SnapshotError: for what was learnt over other features, or over a callable that nobody passed.
    """
    if saved.multiplexer is None:
        return prior
    try:
        prior = multiplexer_from_spec(saved.multiplexer) if prior is None else prior
        if isinstance(prior, Multiplexer):
            prior._adopt(saved.lessons)
    except (ConfigError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path} holds a multiplexer that does not fit: {error}") from error
    return prior


def unknown_settings(path: str | os.PathLike[str], error: Exception) -> SnapshotError:
    """The error for settings that no router of this release takes."""
    return SnapshotError(f"{path} holds settings that this release does not know: {error}")


def check_fits(
    mine: tuple[Unit, Mapping[str, Any]],
    theirs: tuple[Unit, Mapping[str, Any]],
    path: str | os.PathLike[str],
) -> None:
    """Refuses beliefs of another unit or under other rules. Prices may change: new calls teach them.

    Raises:
        SnapshotError: naming what differs.
    """
    of_mine, of_theirs = (
        {"unit": unit} | {name: of[name] for name in _LEARNING} for unit, of in (mine, theirs)
    )
    differing = [name for name in of_mine if of_mine[name] != of_theirs[name]]
    if differing:
        raise SnapshotError(
            f"{path} holds what a router with other {', '.join(differing)} has learnt, which does not fit"
        )
