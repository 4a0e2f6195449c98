"""Where models are found, and what is said where they are not."""

import hashlib
from pathlib import Path

import pytest

from lecmux.errors import ChecksumError, ConfigError, ModelError, ModelNotFoundError
from lecmux.models import find, installed, register, store


def test_the_chosen_folder_comes_before_the_users_cache(store_dir: Path, tmp_path: Path) -> None:
    folders = store.search_dirs()

    assert folders[0] == store_dir
    assert folders[1].is_relative_to(tmp_path / "cache")


def test_a_folder_that_cannot_be_made_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LECMUX_MODELS", str(tmp_path / "file" / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    assert store.write_dir() == store.default_dir()


def test_a_missing_model_says_how_to_fetch_it(store_dir: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="lecmux models pull large"):
        find("large")


def test_a_missing_file_names_what_there_is(store_dir: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="small, large"):
        find("/nowhere/model.gguf")


def test_a_model_of_the_catalog_is_checked_before_use(store_dir: Path, content: bytes) -> None:
    store_dir.mkdir()
    (store_dir / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(content)

    with pytest.raises(ChecksumError) as caught:
        find("small")

    assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert "b179c9523d0e" in str(caught.value)


def test_a_registered_file_is_found_by_its_stem(store_dir: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.v2.gguf"
    file.write_bytes(content)

    register(file)

    assert find("mine.v2").path == file
    assert [own.name for own in installed()] == ["mine.v2"]


def test_a_registered_file_that_is_gone_is_not_listed(
    store_dir: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "mine.gguf").write_bytes(content)
    register(tmp_path / "mine.gguf")
    (tmp_path / "mine.gguf").unlink()

    assert installed() == []


def test_a_name_of_the_catalog_cannot_be_taken(store_dir: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "small.gguf").write_bytes(content)

    with pytest.raises(ConfigError, match="rename"):
        register(tmp_path / "small.gguf")


@pytest.mark.parametrize("text", ["{", "[1]", '{"mine": {}}', '{"mine": {"path": "/x", "who": 1}}'])
def test_a_damaged_list_of_registered_files_says_what_to_do(store_dir: Path, text: str) -> None:
    store_dir.mkdir()
    (store_dir / "own.json").write_text(text)

    with pytest.raises(ModelError, match="delete it"):
        installed()
