"""The public types hold for a user's strictly checked code."""

import subprocess
import sys
from pathlib import Path

import pytest

API = Path(__file__).parents[1] / "typing" / "api.py"


def test_the_public_api_passes_a_strict_type_checker(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="the type checker is a lint tool; it is not installed here")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        f"--cache-dir={tmp_path}",
        str(API),
    ]

    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
