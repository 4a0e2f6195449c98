"""`lecmux evaluate`: what the semantic stage would do on texts of yours."""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lecmux.cli._folder import writable
from lecmux.errors import ConfigError

__all__ = ["app"]

app = typer.Typer(help="What the semantic stage would do on texts of yours.", no_args_is_help=True)

_File = Annotated[Path, typer.Argument(metavar="FILE", help=".csv, .jsonl (or .gz) or .parquet.")]
_MaxError = Annotated[float, typer.Option(min=0, max=0.5, help="Wrong hits that are tolerable, as a share.")]
_Embedder = Annotated[str, typer.Option(metavar="NAME", help="minilm-int8 or static.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, and nothing else.")]


@app.command()
def semantic(
    file: _File,
    *,
    text: Annotated[str, typer.Option(metavar="COLUMN", help="What was asked.")],
    class_: Annotated[
        str, typer.Option("--class", metavar="COLUMN", help="An answer may be reused within a class.")
    ],
    max_error: _MaxError = 0.02,
    orders: Annotated[int, typer.Option(min=1, help="Shuffles, by seeds from 0.")] = 20,
    embedder: _Embedder = "minilm-int8",
    hide_answers: Annotated[
        bool, typer.Option("--hide-answers", help="Keep stored answers out of the features.")
    ] = False,
    refuse_contradictions: Annotated[
        bool,
        typer.Option("--refuse-contradictions", help="As with Semantic(serve_contradictions=False)."),
    ] = False,
    requests: Annotated[int | None, typer.Option(min=1, help="Serve only so many of each order.")] = None,
    own_class: Annotated[
        str | None, typer.Option(metavar="VALUE", help="Each row of this class is a class of its own.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Takes order, row, served_row of each request as CSV.")
    ] = None,
    redraw: Annotated[
        int | None,
        typer.Option(min=1, help="After so many requests every class means something else (drift)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Takes charts (PNG, SVG). Needs lecmux[sim].")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Serves a stream of classed texts from an empty cache, in seeded orders. Needs lecmux[cli,onnx]."""
    from lecmux.cli import _stream_report  # noqa: PLC0415  loads what embedders need, at first use
    from lecmux.embedders import embedder as named  # noqa: PLC0415
    from lecmux.semantic import evaluate_stream  # noqa: PLC0415

    if out is not None:
        writable(out)
    if trace is not None:
        writable(trace.absolute().parent)
    rows = _rows(file, [text, class_])
    classes = [None if row[1] == own_class else row[1] for row in rows]
    found = evaluate_stream(
        [row[0] for row in rows],
        classes,
        embedder=named(embedder),
        max_error=max_error,
        orders=orders,
        hide_answers=hide_answers,
        requests=requests,
        redraw=redraw,
        serve_contradictions=not refuse_contradictions,
    )
    if out is not None:
        from lecmux.semantic._charts import write  # noqa: PLC0415  an extra, loaded at first use

        for path in write(found, file.name, out):
            print(path, file=sys.stderr)
    if trace is not None:
        _write_trace(trace, found)
    if as_json:
        typer.echo(json.dumps(_stream_report.figures(found, file.name), indent=2))
        return
    for line in _stream_report.lines(found, file.name):
        typer.echo(line)


@app.command()
def pairs(
    file: _File,
    *,
    cached: Annotated[str, typer.Option(metavar="COLUMN", help="What the stored answer was asked with.")],
    query: Annotated[str, typer.Option(metavar="COLUMN", help="What is asked now.")],
    hit: Annotated[str, typer.Option(metavar="COLUMN=VALUE", help="Rows whose answer may be reused.")],
    miss: Annotated[str, typer.Option(metavar="COLUMN=VALUE", help="Rows whose answer must not be reused.")],
    max_error: _MaxError = 0.02,
    embedder: _Embedder = "minilm-int8",
    as_json: _Json = False,
) -> None:
    """Judges labelled pairs, each alone. Needs lecmux[cli,onnx]."""
    from lecmux.embedders import embedder as named  # noqa: PLC0415  an extra, loaded at first use
    from lecmux.semantic import evaluate_pairs  # noqa: PLC0415

    (hit_column, hit_value), (miss_column, miss_value) = _condition(hit, "--hit"), _condition(miss, "--miss")
    rows = _rows(file, [cached, query, hit_column, miss_column])
    labels = [True if row[2] == hit_value else False if row[3] == miss_value else None for row in rows]
    found = evaluate_pairs(
        [row[0] for row in rows],
        [row[1] for row in rows],
        labels,
        embedder=named(embedder),
        max_error=max_error,
    )
    figures = {
        "file": file.name,
        "max_error": max_error,
        "embedder": found.embedder,
        "false_reuse": found.false_reuse,
        "recall": found.recall,
        "pairs": len(rows),
        "hits": found.hits,
        "served_hits": found.served_hits,
        "misses": found.misses,
        "served_misses": found.served_misses,
        "unlabelled": found.unlabelled,
        "refused": found.refused,
    }
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    typer.echo(f"{file.name}: {len(rows)} pairs, max_error {max_error}")
    typer.echo(f"recall: {found.served_hits} of {found.hits}")
    typer.echo(f"false reuse: {found.served_misses} of {found.misses}")


def _rows(file: Path, columns: list[str]) -> list[tuple[str, ...]]:
    """The cells of these columns as text; an empty cell is an empty text."""
    from lecmux.sim.traces._rows import columns_of, rows_of  # noqa: PLC0415

    try:
        there = columns_of(file)
        missing = [name for name in columns if name not in there]
        if missing:
            raise ConfigError(f"{file} has no column {', '.join(missing)}; it has {', '.join(there)}")
        rows = [tuple(_text(cell) for cell in row) for row in rows_of(file, columns)]
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error
    if not rows:
        raise ConfigError(f"{file} has no rows")
    return rows


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _condition(given: str, option: str) -> tuple[str, str]:
    column, equals, value = given.partition("=")
    if not equals or not column:
        raise ConfigError(f"{option} must be COLUMN=VALUE, got {given!r}")
    return column, value


def _write_trace(path: Path, found: Any) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["order", "row", "served_row"])
            for order in found.orders:
                writer.writerows(
                    (order.seed, row, "" if served is None else served) for row, served in order.trace
                )
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    print(path, file=sys.stderr)
