"""`import lecmux` is light: frameworks and models are loaded when they are used."""

import ast
import subprocess
import sys
from pathlib import Path

HEAVY = (
    "asyncio",
    "langchain",
    "langchain_core",
    "langchain_lecmux",
    "langsmith",
    "llama_index",
    "matplotlib",
    "numpy",
    "pydantic",
    "pytest",
    "rich",
    "torch",
    "transformers",
    "typer",
    "xllamacpp",
)


def test_import_loads_no_framework_and_no_model() -> None:
    program = "import sys, lecmux, lecmux.flow, lecmux.hooks, lecmux.errors; print(*sys.modules, sep='\\n')"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "lecmux" in loaded
    assert loaded.isdisjoint(HEAVY), loaded & set(HEAVY)


ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for home in (
        "python/lecmux",
        "integrations/langchain/langchain_lecmux",
        "integrations/llama-index/llama_index",
    )
    for path in (ROOT / home).rglob("*.py")
]
RUNS_WHAT_IT_READS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}


def _imported(tree: ast.Module) -> set[str]:
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    named = {
        f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    return plain | named


def test_nothing_reads_data_in_a_form_that_can_run_code() -> None:
    """Stored data name no class: not to pickle and its kin, and not to LangChain's own loader."""
    imported = {name: path for path in SOURCES for name in _imported(ast.parse(path.read_text()))}

    assert len(SOURCES) > 100
    assert not RUNS_WHAT_IT_READS & {name.partition(".")[0] for name in imported}
    assert not {"langchain_core.load.load", "langchain_core.load.loads"} & imported.keys()
