"""What a measure hands back, and how it is written down."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a report.

    Attributes:
        title: what it shows.
        columns: heads; the first is the competitor.
        rows: cells, as text.
        note: what a reader must know to take it right.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """The table as GitHub-flavoured Markdown."""
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines += [_line(self.columns), _line(["---", *["---:"] * (len(self.columns) - 1)])]
        return "\n".join([*lines, *map(_line, self.rows), ""])


@dataclass(frozen=True, slots=True)
class Measure:
    """What one measure found.

    Attributes:
        tables: for readers.
        figures: by name, for the marks.
        samples: what was measured, by competitor, for whoever wants to check.
    """

    tables: Sequence[Table]
    figures: Mapping[str, float]
    samples: Mapping[str, Any] = field(default_factory=dict)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def dumps(report: Mapping[str, Any] | Sequence[Any]) -> str:
    """The report as JSON."""
    return json.dumps(report, indent=1, sort_keys=True) + "\n"


def nanoseconds(value: float) -> str:
    """A time in ns without needless digits."""
    return f"{value:,.0f}"


def millions(ns: float) -> str:
    """Millions a second from ns each."""
    return f"{1e3 / ns:.2f}"
