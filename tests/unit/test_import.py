"""`import lecmux` is light: frameworks and models are loaded when they are used."""

import subprocess
import sys

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
