"""Figures as text for people."""

from collections.abc import Container, Sequence

from lecmux.costs.ledger import NANO
from lecmux.query import Unit

_CENT = NANO // 100


def amount(nano: int, unit: Unit) -> str:
    """An amount of billionths: dollars to the cent from a dollar on, below to four digits that count."""
    if unit == "seconds":
        return f"{nano / NANO:,.3f} s"
    sign, size = "-" if nano < 0 else "", abs(nano)
    if size == 0 or size >= NANO:
        return f"{sign}${size / NANO:,.2f}"
    if size >= _CENT:
        return f"{sign}${size / NANO:.4f}"
    decimals = min(9, 13 - len(str(size)))  # 13: nine of a dollar's billionths, and four that count
    return f"{sign}${size / NANO:.{decimals}f}".rstrip("0")


def share(part: int, whole: int) -> str:
    """A part in per cent; nothing where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def table(rows: Sequence[Sequence[str]], *, right: Container[int] = ()) -> str:
    """Columns as wide as their widest cell; those in `right` are aligned to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
