"""Tables of results, for a terminal and for a page."""

import math
from typing import TYPE_CHECKING

from lecmux.reproduce.results import Cell, Check, Column, Results, Table
from lecmux.reproduce.summary import Summary

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["markdown", "show", "text_of"]

_WIDE = 10_000


def text_of(cell: Cell, column: Column) -> str:
    """A cell as it is printed: `mean ±error (median)` for a summary, as far as the column shows these."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Summary):
        parts = [_number(cell.mean, column)]
        if column.error:
            parts.append(f"±{cell.error:,.{column.digits}f}")
        if column.median:
            parts.append(f"({_number(cell.median, column)})")
        return " ".join(parts)
    return _number(cell, column)


def show(results: Results, console: "Console") -> None:
    """Prints tables, checks and notes."""
    from rich import box  # noqa: PLC0415  an extra, loaded at first use
    from rich.table import Table as Rich  # noqa: PLC0415

    console.print(f"\n[bold]{results.title}[/bold]  ({results.command})", highlight=False, soft_wrap=True)
    for table in results.tables:
        drawn = Rich(title=table.title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
        for place, column in enumerate(table.columns):
            drawn.add_column(column.title, justify="left" if _names(table, place) else "right")
        for row in table.rows:
            drawn.add_row(*_texts(table, row))
        console.print(drawn)
        if table.note:
            console.print(table.note, highlight=False, soft_wrap=True)
    for check in results.checks:
        style, line = ("green" if check.holds else "red"), _verdict(check)
        console.print(line, style=style, highlight=False, soft_wrap=True)
    for note in results.notes:
        console.print(f"\n{note}", highlight=False, soft_wrap=True)


def markdown(results: Results) -> str:
    """The same for a page: a heading a table, and below it what the table's note says."""
    parts = [f"<!-- {results.command} -->"]
    for table in results.tables:
        parts += [f"**{table.title}**", _markdown_table(table)]
        if table.note:
            parts.append(table.note)
    if results.checks:
        parts.append("\n".join(f"- {_verdict(check)}" for check in results.checks))
    return "\n\n".join([*parts, *results.notes]) + "\n"


def _markdown_table(table: Table) -> str:
    head = [column.title for column in table.columns]
    rule = ["---" if _names(table, place) else "---:" for place in range(len(head))]
    lines = [head, rule, *(_texts(table, row) for row in table.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _verdict(check: Check) -> str:
    """Says a miss as plainly as a hit."""
    outcome = "holds" if check.holds else "MISSED"
    return f"{outcome}: {check.claim}: {check.measured:,.4g} (limit {check.limit:,.4g})"


def _texts(table: Table, row: tuple[Cell, ...]) -> list[str]:
    return [text_of(cell, column) for cell, column in zip(row, table.columns, strict=True)]


def _names(table: Table, place: int) -> bool:
    """Whether a column holds words, which stand to the left."""
    return any(isinstance(row[place], str) for row in table.rows)


def _number(value: float, column: Column) -> str:
    if isinstance(value, int) and not column.sign:
        return f"{value:,}" if value >= _WIDE else str(value)
    if not math.isfinite(value):
        return "–"  # noqa: RUF001  a dash, as in print
    return f"{value:{'+' if column.sign else ''},.{column.digits}f}"
