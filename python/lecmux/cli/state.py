"""`lecmux stats` and `lecmux explain`: look into a saved state without changing it."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from lecmux import state
from lecmux.errors import ConfigError
from lecmux.explain import explain as explain_request
from lecmux.flow import HookRunner
from lecmux.named_hooks import hooks_named
from lecmux.query import Query
from lecmux.state import SavedState

__all__ = ["explain", "stats"]

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A state file, or what Cache.save or Router.save wrote.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")]


def stats(file: File, as_json: AsJson = False) -> None:
    """Shows what a saved cache holds and what its router has learnt."""
    saved = _read(file)
    report = saved.cache.report() if saved.cache else None
    parts = _parts(saved)
    if as_json:
        typer.echo(json.dumps(parts | ({"report": report.as_json()} if report else {}), indent=2))
        return
    for part, facts in parts.items():
        typer.echo(part)
        for name, value in facts.items():
            typer.echo(f"  {name:<20}{_shown(value)}")
    if report:
        typer.echo(str(report))


def explain(
    file: File,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The request.")],
    *,
    scope: Annotated[str, typer.Option(help="Its tenant.")] = "",
    fingerprint: Annotated[str, typer.Option(help="What else changes its answer.")] = "",
    hooks: Annotated[str | None, typer.Option(help="Hooks of an installed package, by name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Says what would become of a request: its key, why it hits or misses, the models, what would leave."""
    saved = _read(file)
    if saved.cache is None:
        raise ConfigError(f"{file} holds a router and no cache: there is no request to explain")
    core = saved.cache._supposed(None, saved.router, "use", None)
    if hooks is not None:
        core = replace(core, hooks=HookRunner(hooks_named(hooks)))
    told = explain_request(Query(text, scope, fingerprint), core)
    typer.echo(json.dumps(told.as_json(), indent=2, allow_nan=False) if as_json else str(told))


def _read(file: Path) -> SavedState:
    try:
        return state.read(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error


def _parts(saved: SavedState) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {}
    if saved.cache is not None:
        counted = asdict(saved.cache.stats())
        parts["cache"] = {name: _plain(value) for name, value in counted.items() if name not in _SUMS}
    if saved.router is not None:
        router = saved.router
        parts["router"] = {"models": list(router.models), "unit": router.unit, "queries": len(router._core)}
    return parts


def _plain(value: Any) -> Any:
    """JSON has no infinity: counts that never fade have no half-life."""
    return None if value == float("inf") else value


def _shown(value: Any) -> str:
    if isinstance(value, (int, float)):
        return f"{value:,}"
    return ", ".join(value) if isinstance(value, list) else str(value)


_SUMS = frozenset({"usd", "seconds"})  # the report tells them
