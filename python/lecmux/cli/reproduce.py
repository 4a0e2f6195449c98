"""`lecmux reproduce`: the paper's tables beside ours."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lecmux.cli._folder import writable
from lecmux.errors import MissingExtraError

__all__ = ["reproduce"]

_PIPE_WIDTH = 160


def reproduce(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; else all.")] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Streams of each law, drawn with the seeds 0..N-1."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Tables for a page on stdout.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Takes charts (PNG, SVG) and tables (JSON, Markdown)."),
    ] = None,
) -> None:
    """Runs the paper's experiments: published figures, the paper's rule, ours, and what no rule can go below.

    Needs lecmux[cli,sim].
    """
    try:
        from lecmux.reproduce.experiments import EXPERIMENTS, experiment  # noqa: PLC0415  an extra, loaded at first use
        from lecmux.reproduce.table import markdown, show  # noqa: PLC0415
        from lecmux.reproduce.write import write  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(f"experiments need: pip install 'lecmux[cli,sim]' ({error})") from error
    from lecmux.cli.progress import steps  # noqa: PLC0415

    if out is not None:
        writable(out)
    chosen = [experiment(name) for name in names] if names else EXPERIMENTS
    console = _console()
    found = {}
    for each in chosen:
        with steps(each.name) as progress:
            results = found[each.name] = each.run(seeds or each.seeds, progress)
        if out is not None:
            for path in write(results, out):
                print(path, file=sys.stderr)
        if as_markdown:
            typer.echo(markdown(results))
        elif not as_json:
            show(results, console)
    if as_json:
        typer.echo(json.dumps({name: results.as_json() for name, results in found.items()}, indent=2))


def _console() -> Console:
    """A terminal says how wide it is; a file or a pipe takes what the tables need."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
