"""The commands, in the order `lecmux --help` lists them."""

import typer

from lecmux.cli import evaluate, models
from lecmux.cli.demo import demo
from lecmux.cli.reproduce import reproduce
from lecmux.cli.simulate import simulate
from lecmux.cli.state import explain, stats

__all__ = ["app"]

app = typer.Typer(
    name="lecmux",
    help="Serve a stored answer, ask the small model, or ask the large one.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",  # in rich's own, `lecmux[cli]` would lose its brackets
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(stats)
app.command()(explain)
app.command()(reproduce)
app.command()(simulate)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(models.app, name="models")
