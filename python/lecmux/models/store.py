"""Where model files lie on this machine, and whether they are what they should be."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lecmux.errors import ChecksumError, ConfigError, ModelError, ModelNotFoundError
from lecmux.models.catalog import CATALOG, ModelFile

__all__ = [
    "Installed",
    "check_gguf",
    "default_dir",
    "file_sha256",
    "find",
    "installed",
    "register",
    "search_dirs",
    "verify",
    "write_dir",
]

_ENVIRONMENT = "LECMUX_MODELS"
_OWN = "own.json"
_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class Installed:
    """A model file on this machine. `source` says where it came from; "" where that is not known."""

    name: str
    path: Path
    size_bytes: int
    sha256: str
    source: str = ""


def default_dir() -> Path:
    """The folder for models in this platform's user cache."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "lecmux" / "models"


def search_dirs() -> list[Path]:
    """Folders that are looked in, first to last: LECMUX_MODELS where it is set, then the default."""
    chosen = os.environ.get(_ENVIRONMENT)
    return [*([Path(chosen).expanduser()] if chosen else []), default_dir()]


def write_dir() -> Path:
    """The first folder of `search_dirs` that can be written, made if need be.

    Raises:
        ModelError: none can be written.
    """
    folders = search_dirs()
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise ModelError(f"cannot write to {_listed(folders)}; set {_ENVIRONMENT} to a folder for models")


def file_sha256(path: Path) -> str:
    """Sum of a file; about a third of a second for 0.5 GB on a processor with SHA instructions."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, model: ModelFile) -> None:
    """Passes when `path` holds exactly the bytes of `model`.

    Raises:
        ChecksumError: it does not.
    """
    got = file_sha256(path)
    if got != model.sha256:
        raise ChecksumError(
            f"{path} ({path.stat().st_size:,} bytes) is not {model.title} ({model.size_bytes:,} bytes): "
            f"its sha256 is {got}, expected {model.sha256}; "
            f"move it away and run `lecmux models pull {model.name}`"
        )


def find(name_or_path: str | os.PathLike[str]) -> Installed:
    """The checked file behind a name of the catalog, the name of a registered file, or a path.

    Raises:
        ModelNotFoundError: it is not here; the message says how to fetch it.
        ChecksumError: a file of that name is here with other bytes.
        ModelError: the path is no GGUF file.
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise ConfigError(f"path_or_name must be a name or a path, not {name_or_path!r}")
    name = os.fspath(name_or_path)
    if model := CATALOG.get(name):
        return _find_in_catalog(model)
    if own := _registered().get(name):
        return own
    path = Path(name).expanduser()
    if path.is_file():
        check_gguf(path)
        return Installed(path.stem, path.resolve(), path.stat().st_size, "")
    known = ", ".join([*CATALOG, *sorted(_registered())])
    raise ModelNotFoundError(
        f"no model {name!r}: neither a file nor one of {known}; `lecmux models list` shows what is here, "
        "and `lecmux models pull small|large|PATH` fetches or registers one"
    )


def installed() -> list[Installed]:
    """Every model on this machine: of the catalog (by name and size, not summed), then registered ones."""
    found = []
    for model in CATALOG.values():
        if path := path_of(model):
            found.append(Installed(model.name, path, path.stat().st_size, model.sha256))
    return [*found, *_registered().values()]


def check_gguf(path: Path) -> None:
    """Passes when `path` starts as a GGUF file does.

    Raises:
        ModelNotFoundError: there is no such file.
        ModelError: it is something else.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelNotFoundError(
            f"no model file at {path} ({error.strerror}); the catalog has {', '.join(CATALOG)}"
        ) from error
    if magic != _MAGIC:
        raise ModelError(f"{path} is no GGUF file: it starts with {magic!r}, not {_MAGIC!r}")


def register(path: Path) -> Installed:
    """Remembers a file of the user's under its stem, so that `Gguf(stem)` finds it. It stays where it is.

    Raises:
        ModelNotFoundError, ModelError: as `check_gguf`.
        ConfigError: its stem is a name of the catalog.
    """
    check_gguf(path)
    if path.stem in CATALOG:
        raise ConfigError(f"{path.stem!r} names a model of the catalog; rename {path} or use it by its path")
    own = Installed(path.stem, path.resolve(), path.stat().st_size, file_sha256(path))
    file = write_dir() / _OWN
    entries = {**_read_own(file), own.name: own}
    records = {name: {**asdict(entry), "path": str(entry.path)} for name, entry in entries.items()}
    partial = file.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(json.dumps(records, indent=1), encoding="utf-8")
    partial.replace(file)
    return own


def _find_in_catalog(model: ModelFile) -> Installed:
    path = path_of(model)
    if path is None:
        raise ModelNotFoundError(
            f"the {model.name} model ({model.title}, {model.size_bytes / 1e6:.0f} MB) is not in "
            f"{_listed(search_dirs())}; fetch it with `lecmux models pull {model.name}`"
        )
    verify(path, model)
    return Installed(model.name, path, model.size_bytes, model.sha256)


def path_of(model: ModelFile) -> Path | None:
    paths = (folder / model.file_name for folder in search_dirs())
    return next((path for path in paths if path.is_file()), None)


def _registered() -> dict[str, Installed]:
    """Registered files that are still there; of two under one name the first folder's counts."""
    entries: dict[str, Installed] = {}
    for folder in reversed(search_dirs()):
        entries |= _read_own(folder / _OWN)
    return {name: entry for name, entry in entries.items() if entry.path.is_file()}


def _read_own(file: Path) -> dict[str, Installed]:
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read ({error}); delete it and register again") from error
    return dict(_entries(records, file))


def _entries(records: object, file: Path) -> Iterator[tuple[str, Installed]]:
    try:
        assert isinstance(records, dict)
        for name, record in records.items():
            yield name, Installed(**{**record, "path": Path(record["path"])})
    except (AssertionError, KeyError, TypeError) as error:
        raise ModelError(f"{file} is not lecmux's; delete it and register again") from error


def _listed(folders: list[Path]) -> str:
    return " or ".join(str(folder) for folder in folders)
