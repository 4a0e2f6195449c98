"""A GGUF file as a folder that transformers loads in seconds: unpacked once and kept beside the models."""

import shutil
from collections.abc import Callable
from pathlib import Path

from lecmux.errors import ModelError
from lecmux.models import store
from lecmux.models._lock import file_lock

_FOLDER = "converted"
_SUM_DIGITS = 16


def converted(found: store.Installed, dtype: str, convert: Callable[[Path], None]) -> Path:
    """The folder for a GGUF file in one number format, made if it is not there yet.

    It is named by the sum of the file, so that another file of the same name gets another one, and appears
    whole or not at all. It may be deleted at any time; the next load makes it again. Processes that want the
    same wait for the first.

    Args:
        found: the file.
        dtype: the number format, as torch names it.
        convert: writes the model into an empty folder.

    Raises:
        ModelError: no folder can be written, or it has no room; what `convert` raises.
    """
    sum_ = found.sha256 or store.file_sha256(found.path)
    name = f"{found.path.stem}-{sum_[:_SUM_DIGITS]}-{dtype}"
    for folder in store.search_dirs():
        if (ready := folder / _FOLDER / name).is_dir():
            return ready
    parent = store.write_dir() / _FOLDER
    ready, partial = parent / name, parent / f"{name}.partial"
    try:
        parent.mkdir(exist_ok=True)
        with file_lock(parent / f"{name}.lock", _nothing):
            if not ready.is_dir():
                _fill(partial, convert)
                partial.replace(ready)
    except OSError as error:
        raise ModelError(
            f"{found.path.name} cannot be converted into {parent}: {error}; set LECMUX_MODELS to a folder "
            f"with room for about {_rough_bytes(found.path, dtype) / 1e9:.1f} GB"
        ) from error
    return ready


def _fill(partial: Path, convert: Callable[[Path], None]) -> None:
    shutil.rmtree(partial, ignore_errors=True)  # of a process that ended half-way
    partial.mkdir()
    try:
        convert(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _rough_bytes(path: Path, dtype: str) -> int:
    """What a file of about half a byte a number becomes."""
    return path.stat().st_size * (8 if dtype == "float32" else 4)


def _nothing() -> None:
    """Nobody is told of waiting for another process."""
