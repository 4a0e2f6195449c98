"""The command line: what it prints, where, and how it fails."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

PROGRAM = "from lecmux.cli import main; main()"
WITHOUT_TYPER = "import sys; sys.modules['typer'] = None; " + PROGRAM
WITHOUT_LANGCHAIN = "import sys; sys.modules['langchain_lecmux'] = None; " + PROGRAM


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "LECMUX_MODELS": str(tmp_path / "models"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "COLUMNS": "100",
    }


def lecmux(
    environment: dict[str, str], *arguments: str, program: str = PROGRAM
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_list_says_what_is_missing_and_how_to_fetch_it(environment: dict[str, str]) -> None:
    done = lecmux(environment, "models", "list")

    assert done.returncode == 0
    assert "lecmux models pull large" in done.stdout
    assert "491.4 MB" in done.stdout
    assert environment["LECMUX_MODELS"] in done.stdout


def test_a_file_of_the_users_is_registered_and_listed(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF" + bytes(100))

    pulled = lecmux(environment, "models", "pull", str(file), "--json")
    listed = lecmux(environment, "models", "list", "--json")

    record = {
        "name": "mine",
        "path": str(file),
        "size_bytes": 104,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "source": "",
    }
    assert json.loads(pulled.stdout) == json.loads(listed.stdout) == [record]


def test_an_unknown_model_is_one_message_and_exit_code_1(environment: dict[str, str]) -> None:
    done = lecmux(environment, "models", "pull", "medium")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lecmux: ")
    assert "small, large" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_file_in_the_store_is_reported(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF")

    done = lecmux(environment, "models", "pull", "small")

    assert done.returncode == 1
    assert "b179c9523d0e" in done.stderr
    assert hashlib.sha256(b"GGUF").hexdigest() in done.stderr


def test_without_the_extra_it_says_what_to_install(environment: dict[str, str]) -> None:
    done = lecmux(environment, "models", "list", program=WITHOUT_TYPER)

    assert done.returncode == 1
    assert "pip install 'lecmux[cli]'" in done.stderr


def test_the_demo_says_what_to_install(environment: dict[str, str]) -> None:
    done = lecmux(environment, "demo", program=WITHOUT_LANGCHAIN)

    assert done.returncode == 1
    assert "pip install 'lecmux[demo]'" in done.stderr


def test_the_demo_without_its_models_says_how_to_fetch_them(environment: dict[str, str]) -> None:
    pytest.importorskip("langchain_lecmux")
    done = lecmux(environment, "demo", "--json")

    assert (done.returncode, done.stdout) == (1, "")
    assert "lecmux models pull small" in done.stderr


@pytest.mark.parametrize(
    "option", [("--requests", "0"), ("--replay", "-1"), ("--seed", "x"), ("--max-error", "0.6")]
)
def test_options_that_cannot_work(environment: dict[str, str], option: tuple[str, str]) -> None:
    assert lecmux(environment, "demo", *option).returncode == 2


@pytest.mark.parametrize(
    ("command", "extra"), [("demo", "demo"), ("reproduce", "cli,sim"), ("simulate", "cli,sim")]
)
def test_help_names_the_extra_with_its_brackets(
    environment: dict[str, str], command: str, extra: str
) -> None:
    assert f"lecmux[{extra}]" in lecmux(environment, command, "--help").stdout


@pytest.mark.parametrize("command", [["simulate", "{log}"], ["reproduce", "drift"]])
def test_a_folder_that_cannot_be_written_is_found_before_the_work(
    environment: dict[str, str], tmp_path: Path, command: list[str]
) -> None:
    pytest.importorskip("numpy", reason="needs lecmux[cli,sim]")
    log = tmp_path / "log.csv"
    log.write_text("query,cost\na,1\na,1\n")
    command = [word.format(log=log) for word in command]

    done = lecmux(environment, *command, "--out", str(log / "charts"))

    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "%" not in done.stderr, "the work had begun"


def test_the_package_runs_as_a_module(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "lecmux", "models", "list", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert json.loads(done.stdout) == []
