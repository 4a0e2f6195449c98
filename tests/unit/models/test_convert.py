"""A GGUF file's folder: made once, whole or not at all."""

import threading
from pathlib import Path

import pytest

from lecmux.errors import ModelError
from lecmux.models import store
from lecmux.models._convert import converted


@pytest.fixture
def file(tmp_path: Path, content: bytes) -> store.Installed:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(content)
    return store.Installed("tiny", path, len(content), "")


def _write(folder: Path) -> None:
    (folder / "weights").write_text("unpacked")


def _never(folder: Path) -> None:
    raise AssertionError(f"converted again into {folder}")


def test_is_made_once(store_dir: Path, file: store.Installed) -> None:
    first = converted(file, "bfloat16", _write)
    second = converted(file, "bfloat16", _never)

    assert first == second
    assert first.parent == store_dir / "converted"
    assert (first / "weights").read_text() == "unpacked"


def test_another_format_or_other_bytes_get_a_folder_of_their_own(
    store_dir: Path, file: store.Installed
) -> None:
    first = converted(file, "bfloat16", _write)
    wider = converted(file, "float32", _write)
    file.path.write_bytes(b"GGUF other")
    other = converted(file, "bfloat16", _write)

    assert len({first, wider, other}) == 3


def test_a_conversion_that_fails_leaves_nothing_and_can_be_tried_again(
    store_dir: Path, file: store.Installed
) -> None:
    def fail(folder: Path) -> None:
        _write(folder)
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        converted(file, "bfloat16", fail)

    assert not [path for path in (store_dir / "converted").iterdir() if path.is_dir()]
    assert (converted(file, "bfloat16", _write) / "weights").exists()


def test_what_a_killed_process_left_is_cleared(store_dir: Path, file: store.Installed) -> None:
    ready = converted(file, "bfloat16", _write)
    ready.rename(ready.with_name(f"{ready.name}.partial"))
    (ready.with_name(f"{ready.name}.partial") / "half").touch()

    again = converted(file, "bfloat16", _write)

    assert sorted(path.name for path in again.iterdir()) == ["weights"]


def test_a_full_disk_is_a_typed_error_that_says_how_much_is_needed(
    store_dir: Path, file: store.Installed
) -> None:
    def fill(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(ModelError, match=r"No space left.*LECMUX_MODELS.*GB"):
        converted(file, "bfloat16", fill)


def test_threads_that_want_the_same_wait_for_the_first(store_dir: Path, file: store.Installed) -> None:
    made: list[Path] = []

    def write(folder: Path) -> None:
        made.append(folder)
        _write(folder)

    threads = [threading.Thread(target=converted, args=(file, "bfloat16", write)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(made) == 1
