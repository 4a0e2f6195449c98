"""`lecmux reproduce`: what it prints, and where."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("typer", "rich", "numpy"):
    pytest.importorskip(package, reason="needs lecmux[cli,sim]")


def reproduce(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from lecmux.cli import main; main()", "reproduce", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_json_is_all_there_is_on_stdout() -> None:
    done = reproduce("synthetic", "--seeds", "2", "--json")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["synthetic"]
    assert found["seeds"] == 2
    assert found["command"] == "lecmux reproduce synthetic --seeds 2"
    assert all(len(samples) == 2 for samples in found["samples"].values())


def test_tables_go_to_stdout_progress_to_stderr_and_files_to_the_folder(tmp_path: Path) -> None:
    done = reproduce("synthetic", "--seeds", "1", "--markdown", "--out", str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "synthetic.md").read_text().strip() == done.stdout.strip()
    assert "1 of 1" in done.stderr


def test_an_unknown_name_says_which_there_are() -> None:
    done = reproduce("syntetic")

    assert done.returncode == 1
    assert "synthetic" in done.stderr
    assert not done.stdout
