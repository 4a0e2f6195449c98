"""Each promise of `docs/promises.md` names tests that exist and run, and none is left out."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
HELD = {
    *(f"U{number}" for number in range(1, 26)),
    *(f"P{number}" for number in range(1, 19)),
    *(f"R{number}" for number in range(1, 9)),
    *(f"L{number}" for number in range(1, 17)),
}
NOT_YET: frozenset[str] = frozenset()
"""What is done in part."""

_LEFT_OUT = re.compile(r"\bmark\.(skip|xfail|torch)\b")
_NAMED = re.compile(r"`([\w./-]+)::(\w+)`")


class Row(NamedTuple):
    """One line of a table: its name, its cells between the name and the tests, and the tests."""

    name: str
    cells: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]


def _rows(text: str) -> list[Row]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| [A-Z]\d", line)]
    return [Row(cells[0], tuple(cells[1:]), tuple(_NAMED.findall(cells[-1]))) for cells in lines]


_PAGE, _LATER = (ROOT / "docs" / "promises.md").read_text().split("## Not held yet")
ROWS = _rows(_PAGE)
TESTS = sorted({test for row in ROWS for test in row.tests})


@cache
def _tests_of(path: str) -> frozenset[str]:
    """Names of the tests that run in a file: those left out, or expected to fail, show nothing."""
    text = (ROOT / path).read_text()
    if path.endswith(".rs"):
        return frozenset(re.findall(r"#\[test\]\s+fn (\w+)", text))
    body = ast.parse(text).body
    if any(isinstance(node, ast.Assign) and _LEFT_OUT.search(ast.unparse(node)) for node in body):
        return frozenset()
    tests = [node for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    named = [node for node in tests if node.name.startswith("test_")]
    return frozenset(
        node.name
        for node in named
        if not any(_LEFT_OUT.search(ast.unparse(mark)) for mark in node.decorator_list)
    )


def test_every_promise_is_there_once() -> None:
    assert {name: times for name, times in Counter(row.name for row in ROWS).items() if times > 1} == {}
    assert {row.name for row in ROWS} == HELD
    assert [row.name for row in _rows(_LATER)] == sorted(NOT_YET, key=lambda name: int(name[1:]))


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_promise_says_what_is_wanted_what_is_done_and_what_shows_it(row: Row) -> None:
    assert all(cell.strip() for cell in row.cells)
    assert len(row.cells) == (4 if row.name.startswith("U") else 3)
    assert row.tests
    assert len(set(row.tests)) == len(row.tests)
    assert row.cells[-1].count("::") == len(row.tests), "each of the tests has the form path::name"


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_what_a_promise_names_is_a_test_that_runs(path: str, name: str) -> None:
    assert name in _tests_of(path), f"{path} has no test {name} that runs"
    assert path.endswith(".rs") or re.fullmatch(r"test_\w+\.py", Path(path).name)


def test_what_does_not_run_shows_nothing(tmp_path: Path) -> None:
    source = """
def test_runs(): ...
async def test_awaited(): ...
@pytest.mark.parametrize("a", [1])
@pytest.mark.skipif(sys.platform == "win32", reason="why")
def test_runs_elsewhere(): ...
@pytest.mark.skip(reason="why")
def test_left_out(): ...
@pytest.mark.xfail
def test_expected_to_fail(): ...
def helper(): ...
"""
    some, none = tmp_path / "some.py", tmp_path / "none.py"
    some.write_text(source)
    none.write_text(f"pytestmark = pytest.mark.torch{source}")

    assert _tests_of(str(some)) == {"test_runs", "test_awaited", "test_runs_elsewhere"}
    assert not _tests_of(str(none))
