"""`lecmux demo`: real questions through a cache, a small and a large local model, and what that saved."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lecmux.errors import LecmuxError, MissingExtraError

__all__ = ["demo"]

_INTERRUPTED = 130
_PIPE_WIDTH = 100


def demo(
    *,
    seed: Annotated[int, typer.Option(help="Deals the questions to the ranks and draws the requests.")] = 0,
    requests: Annotated[int, typer.Option(min=1, help="How many to serve.")] = 1000,
    replay: Annotated[
        int, typer.Option(min=0, metavar="N", help="Replay N further streams from the measured answers.")
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")
    ] = False,
    max_error: Annotated[
        float, typer.Option(min=0, max=0.5, help="Tolerated share of wrong hits by meaning; 0: no such hits.")
    ] = 0.02,
    outcomes: Annotated[
        Path | None, typer.Option(help="Keeps the measured answers there, and asks for no others again.")
    ] = None,
    png: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("demo.png"),
) -> None:
    """Serves questions through LangChain with a cache and two local models, and compares what that cost.

    Needs lecmux[demo] and both models (`lecmux models pull small large`). Ctrl-C shows the table so far.
    """
    try:
        from lecmux.demo import report, run  # noqa: PLC0415  an extra, loaded at first use
        from lecmux.demo.progress import Progress  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(f"the demo needs: pip install 'lecmux[demo]' ({error})") from error
    settings = run.Settings(
        seed=seed, requests=requests, replays=replay, max_error=max_error, outcomes=outcomes
    )
    result = run.run(settings, Progress())
    if as_json:
        typer.echo(json.dumps(report.as_json(result), indent=2))
    else:
        report.show(result, _console())
    _draw(result, png)
    if result.interrupted:
        raise typer.Exit(_INTERRUPTED)


def _console() -> Console:
    """A terminal says how wide it is; a file or a pipe takes what the tables need."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)


def _draw(result: object, path: Path) -> None:
    """The picture is an extra: what is wrong with it is said, and the figures stand."""
    from lecmux.demo import chart, run  # noqa: PLC0415  an extra, loaded at first use

    assert isinstance(result, run.Result)
    if not result.tallies:
        return
    try:
        chart.draw(result, path)
    except (LecmuxError, OSError) as error:
        print(f"no picture: {error}", file=sys.stderr)
    else:
        print(f"picture: {path}", file=sys.stderr)
