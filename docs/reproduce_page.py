"""Puts what `lecmux reproduce --out DIR` wrote into docs/reproduce.md: python docs/reproduce_page.py DIR.

A block of the page goes from `<!-- lecmux reproduce NAME ... -->`, with which the tables in DIR begin, to
`<!-- end of NAME -->`; blocks whose tables are not in DIR stay. Charts go to docs/images/reproduce/.
"""

import re
import shutil
import sys
from pathlib import Path

_DOCS = Path(__file__).parent
_BLOCK = re.compile(
    r"<!-- lecmux reproduce (?P<name>[\w-]+)[^\n]*-->\n.*?<!-- end of (?P=name) -->", re.DOTALL
)


def spliced(page: str, folder: Path) -> str:
    """`page` with the tables of `folder` in its blocks."""

    def renewed(block: re.Match[str]) -> str:
        tables = folder / f"{block['name']}.md"
        if not tables.exists():
            return block[0]
        return f"{tables.read_text(encoding='utf-8')}\n<!-- end of {block['name']} -->"

    return _BLOCK.sub(renewed, page)


def main(folder: Path) -> None:
    """Renews the page and its charts from `folder`."""
    page = _DOCS / "reproduce.md"
    page.write_text(spliced(page.read_text(encoding="utf-8"), folder), encoding="utf-8")
    charts = _DOCS / "images" / "reproduce"
    charts.mkdir(exist_ok=True)
    for chart in folder.glob("*.png"):
        shutil.copyfile(chart, charts / chart.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
