"""What the pages say is so: links lead somewhere, code runs offline, named files and make targets exist.

Code of a page runs in order, in one namespace and a process of its own: a `python` block as it stands, a
`pycon` block as a doctest. `<!-- set-up ... -->` is code that readers need not see, such as stand-ins for
their models. `<!-- not run: why -->` before a block has it compiled only.
"""

import doctest
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("integrations/*/README.md")],
    key=str,
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES if "_build" not in page.parts]
WORKFLOWS = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(".github/workflows/*.yml"))]

_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
_CODE = re.compile(
    r"<!-- set-up\n(?P<setup>.*?)\n-->"
    r"|(?P<skip><!-- not run: [^\n]+ -->\n)?^```(?P<kind>python|pycon)\n(?P<code>.*?)\n```$",
    re.MULTILINE | re.DOTALL,
)
_TARGET = re.compile(r"(?:`|^|run: )make ([a-z-]+)", re.MULTILINE)
_FILE = re.compile(
    r"`((?:rust|tests|docs|python|examples|benches|lecmux|langchain_lecmux|llama_index)/[\w./-]+(?:\.\w+|/))`"
)
_HOME = {
    "lecmux": ROOT / "python",
    "langchain_lecmux": ROOT / "integrations" / "langchain",
    "llama_index": ROOT / "integrations" / "llama-index",
}


class Block(NamedTuple):
    """Code of a page. `kind`: "python", "pycon", or "compiled" for what is not run."""

    kind: str
    code: str
    line: int


def _blocks(text: str) -> Iterator[Block]:
    for found in _CODE.finditer(text):
        kind = "python" if found["setup"] else "compiled" if found["skip"] else found["kind"]
        group = "setup" if found["setup"] else "code"
        yield Block(kind, found[group], text.count("\n", 0, found.start(group)))


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("name", NAMES)
def test_relative_links_resolve(name: str) -> None:
    page = ROOT / name
    for path, anchor in _LINK.findall(page.read_text()):
        target = (page.parent / path) if path else page

        assert target.exists(), f"{path} is not there"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in map(_slug, headings), f"{path} has no heading #{anchor}"


@pytest.mark.parametrize("name", [name for name in NAMES if any(_blocks((ROOT / name).read_text()))])
def test_code_runs_offline(name: str) -> None:
    command = [sys.executable, "-P", __file__, str(ROOT / name)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [*NAMES, *WORKFLOWS])
def test_make_targets_exist(name: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert set(_TARGET.findall((ROOT / name).read_text())) <= set(targets)


@pytest.mark.parametrize("name", NAMES)
def test_named_files_exist(name: str) -> None:
    for path in _FILE.findall((ROOT / name).read_text()):
        home = _HOME.get(path.partition("/")[0], ROOT)

        assert (home / path).exists(), f"{path} is not there"


def test_the_readme_has_a_place_for_the_demo() -> None:
    readme = (ROOT / "README.md").read_text()

    assert readme.count("<!-- demo:begin -->") == readme.count("<!-- demo:end -->") == 1


_CONNECT = socket.socket.connect


def _offline(self: socket.socket, address: Any) -> None:
    if address[0] != "127.0.0.1":
        raise ConnectionRefusedError("code of the pages runs without a network")
    _CONNECT(self, address)


def _run(page: Path) -> int:
    """Runs the code of one page; returns how many doctest examples failed."""
    socket.socket.connect = _offline  # type: ignore[method-assign]
    names: dict[str, Any] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for block in _blocks(page.read_text()):
        if block.kind == "pycon":
            test = doctest.DocTestParser().get_doctest(
                block.code + "\n", names, page.name, str(page), block.line
            )
            test.globs = names
            runner.run(test, clear_globs=False)
            continue
        code = compile("\n" * block.line + block.code, str(page), "exec")
        if block.kind == "python":
            exec(code, names)
    return runner.summarize(verbose=False).failed


if __name__ == "__main__":
    sys.exit(min(1, _run(Path(sys.argv[1]))))
