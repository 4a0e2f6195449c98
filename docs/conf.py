"""Sphinx settings. The pages build without an installed lecmux: the stub of its compiled module stands in."""

import __future__

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

SOURCES = Path(__file__).parent.parent / "python"
sys.path.insert(0, str(SOURCES))
sys.path[:0] = [str(path) for path in (SOURCES.parent / "integrations").iterdir()]


def _load_stub(name: str) -> None:
    """Makes a module of its `.pyi`, which is Python too: signatures and docstrings without behaviour."""
    path = SOURCES.joinpath(*name.split(".")).with_suffix(".pyi")
    code = compile(path.read_text(), str(path), "exec", flags=__future__.annotations.compiler_flag)
    sys.modules[name] = ModuleType(name)
    exec(code, vars(sys.modules[name]))


_load_stub("lecmux._core")
import_module("llama_index.core")  # cannot be imported once autodoc has changed how types are shown

project = "lecmux"
author = "the lecmux maintainers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "lecmux"

myst_heading_anchors = 3

default_role = "code"  # docstrings write `name` for code
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "exclude-members": "__init__, __new__"}
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
