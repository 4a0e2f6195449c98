"""What an experiment found, as plain data: tables, charts, checks and the totals of every seed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lecmux.reproduce.summary import Summary

__all__ = ["Cell", "Chart", "Check", "Column", "Heat", "Panel", "Results", "Role", "Series", "Table"]

Cell = str | int | float | Summary | None
"""What stands in a table; None where there is nothing to say."""

Role = Literal["ours", "paper", "other", "bound"]
"""Whose line it is; a chart colours by it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of figures or names.

    Attributes:
        title: what is in it, with its unit where the table's title does not give one.
        digits: after the decimal point.
        error: shows a summary's standard error beside its mean.
        median: shows a summary's median behind its mean.
        sign: shows a plus before what is above 0, for differences.
    """

    title: str
    digits: int = 2
    error: bool = False
    median: bool = False
    sign: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, each as long as `columns`; `note` says how to read it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A line, a colour of bars, or single `points`. `error`: half the whiskers, as long as `y`."""

    label: str
    x: tuple[str, ...] | tuple[float, ...]
    y: tuple[float, ...]
    error: tuple[float, ...] = ()
    role: Role = "other"
    points: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes: lines, or bars where x are names."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True, slots=True)
class Heat:
    """A map of figures, each in its square: `values[row][column]` stands at `y[row]` and `x[column]`.

    Squares are coloured from the least figure (light) to `most` and above (dark), by the logarithm.
    """

    title: str
    x_label: str
    y_label: str
    x: tuple[str, ...]
    y: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    most: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels side by side. `name` is that of the files, without an ending."""

    name: str
    title: str
    panels: tuple[Panel | Heat, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A statement about the figures and whether they bear it out, on the seeds of this run.

    Attributes:
        claim: in words, with its unit.
        measured: what was found.
        limit: what it is held to.
        holds: whether it does.
    """

    claim: str
    measured: float
    limit: float
    holds: bool

    @classmethod
    def at_most(cls, claim: str, measured: float, limit: float) -> "Check":
        """Holds where `measured` is no more than `limit`."""
        return cls(claim, measured, limit, measured <= limit)

    @classmethod
    def at_least(cls, claim: str, measured: float, limit: float) -> "Check":
        """Holds where `measured` is no less than `limit`."""
        return cls(claim, measured, limit, measured >= limit)


@dataclass(frozen=True, slots=True)
class Results:
    """All that one run of an experiment found.

    Attributes:
        name: the experiment's.
        title: what it asks.
        seeds: how many streams of each law, drawn with the seeds 0..seeds-1.
        tables: in the order in which to read them.
        charts: likewise.
        checks: what the figures are held to.
        notes: sources, assumptions and what is lost, a paragraph each.
        samples: each seed's figure, by name, so that others can compute what the tables leave out.
    """

    name: str
    title: str
    seeds: int
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    samples: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """What prints this again."""
        return f"lecmux reproduce {self.name} --seeds {self.seeds}"

    def as_json(self) -> dict[str, Any]:
        """Nested dictionaries and lists of names and numbers."""
        return {"command": self.command, **asdict(self)}
