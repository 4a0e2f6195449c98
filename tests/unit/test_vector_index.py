"""`VectorIndex`: what it finds, what it refuses, and what it leaves on disk."""

import random
import stat
import subprocess
import sys
import threading
from array import array
from pathlib import Path

import numpy as np
import pytest

from lecmux import Cache, VectorIndex, _core
from lecmux.errors import ConfigError, DimensionError, SnapshotError, VectorError

DIM = 48


def directions(count: int, seed: int = 0, dim: int = DIM) -> np.ndarray:
    """Vectors around a few directions, as embeddings are."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((8, dim))
    vectors = centres[generator.integers(8, size=count)] + generator.standard_normal((count, dim))
    return vectors.astype(np.float32)


def cosines(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (queries, vectors)]
    return unit[0] @ unit[1].T


@pytest.mark.parametrize(("store", "slack"), [("f32", 1e-5), ("f16", 1e-3), ("i8", 1e-2)])
@pytest.mark.parametrize("count", [50, 4000])
@pytest.mark.parametrize("engine", ["flat", "hnsw"])
def test_finds_what_a_full_comparison_finds(store: str, slack: float, count: int, engine: str) -> None:
    vectors, queries = directions(count), directions(40, seed=1)
    index = VectorIndex(DIM, store=store, engine=engine)  # type: ignore[arg-type]
    index.add(np.arange(count) + 7, vectors)

    ids, similarities = index.search(queries, 5, effort=1000)

    every = cosines(queries, vectors)
    best = -np.sort(-every, axis=1)[:, :5]
    assert ids.shape == similarities.shape == (40, 5)
    assert ids.dtype == np.int64
    assert similarities.dtype == np.float32
    np.testing.assert_allclose(similarities, np.take_along_axis(every, ids - 7, axis=1), atol=slack)
    assert np.mean(np.abs(similarities - best) <= slack) >= 0.99


def test_an_id_given_again_is_replaced() -> None:
    index = VectorIndex(2, store="f32")
    index.add([1, 2], [[1, 0], [0, 1]])

    index.add(1, [0, -1])

    assert len(index) == 2
    assert index.search([0, -1], 1)[0].tolist() == [[1]]


def test_what_is_removed_is_found_no_more() -> None:
    index = VectorIndex(DIM)
    vectors = directions(1000)
    index.add(range(1000), vectors)

    assert index.remove(range(0, 1000, 2)) == 500
    assert index.remove([0, 1]) == 1

    assert 0 not in index
    assert 3 in index
    assert set(index.search(vectors, 10)[0].ravel().tolist()) <= set(range(3, 1000, 2))
    index.check()


def test_views_need_no_numpy_in_and_give_none_out() -> None:
    index = VectorIndex(2, store="f32")
    index.add(array("q", [5, 6]), [array("f", [3, 0]), [0, 0.5]])

    ids, similarities = index.search([[1, 0], [0, 9]], 2)

    assert isinstance(ids, memoryview)
    assert ids.tolist() == [[5, 6], [6, 5]]
    assert similarities.tolist() == [[1, 0], [1, 0]]
    assert ids.shape == (2, 2)
    assert ids[1, 0] == 6
    assert ids.readonly


def test_works_where_numpy_is_not_installed() -> None:
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "from lecmux import VectorIndex\n"
        "index = VectorIndex(3); index.add([4], [[1, 2, 3]]); print(index.search([1, 2, 3], 1)[0].tolist())"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[[4]]"


def test_fewer_than_k_are_all_and_none_are_none() -> None:
    index = VectorIndex(2)
    assert index.search([1, 0], 3)[0].tolist() == []
    assert index.search(np.ones((2, 2)), 3)[0].shape == (2, 0)
    assert index.search(np.ones((0, 2)), 3)[0].shape == (0, 0)

    index.add([1], [1, 1])

    assert index.search([1, 0], 3)[0].tolist() == [[1]]


@pytest.mark.parametrize(
    ("ids", "vectors", "error", "says"),
    [
        ([7], [[1, 2]], DimensionError, "3 coordinates"),
        ([7], np.ones((1, 4)), DimensionError, "not 4"),
        ([7, 8], [[1, 2, 3]], DimensionError, "2 vectors of dimension 3"),
        ([7, 8], [[1, 2, 3], [0, 0, 0]], VectorError, "vector 1 is all zeros"),
        ([7, 8], [[1, 2, 3], [0, float("nan"), 0]], VectorError, "vector 1: coordinate 1 is NaN"),
        ([7], [[1, float("inf"), 3]], VectorError, "must be finite"),
        ([7, 7], [[1, 2, 3], [1, 2, 3]], VectorError, "id 7 is given twice"),
        (["a"], [[1, 2, 3]], VectorError, "whole numbers"),
        ([2**63], [[1, 2, 3]], VectorError, "64 bits"),
        ([0.5], [[1, 2, 3]], VectorError, "whole numbers"),
        ([7], ["abc"], VectorError, "row 0 must be numbers"),
        ([7], np.ones((1, 1, 3)), VectorError, "dimensions"),
        (np.ones((1, 1), np.int64), [[1, 2, 3]], VectorError, "one dimension"),
    ],
)
def test_bad_vectors_and_ids_are_refused_and_change_nothing(
    ids: object, vectors: object, error: type[Exception], says: str
) -> None:
    index = VectorIndex(3)
    index.add([1], [[1, 2, 3]])

    with pytest.raises(error, match=says):
        index.add(ids, vectors)

    assert len(index) == 1
    index.check()


@pytest.mark.parametrize("k", [0, -1, 1.5, None])
def test_k_is_a_whole_number_of_at_least_one(k: object) -> None:
    with pytest.raises(ConfigError, match="k must be"):
        VectorIndex(3).search([1, 2, 3], k)  # type: ignore[call-overload]


def test_settings_out_of_range_are_refused() -> None:
    for dim in (0, -3, 2.5, 16_385):
        with pytest.raises(ConfigError, match="dim must be"):
            VectorIndex(dim)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="store must be one of"):
        VectorIndex(3, store="f8")  # type: ignore[arg-type]
    for effort in (0, -1, 1.5):
        with pytest.raises(ConfigError, match="effort must be"):
            VectorIndex(3).search([1, 2, 3], 1, effort=effort)  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="engine must be"):
        VectorIndex(3, engine="tree")  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["auto", "flat", "hnsw"])
def test_a_saved_index_comes_back_for_its_owner_alone(tmp_path: Path, engine: str) -> None:
    path, vectors = tmp_path / "index", directions(500)
    index = VectorIndex(DIM, store="i8", engine=engine)  # type: ignore[arg-type]
    index.add(range(500), vectors)

    index.save(path)
    again = VectorIndex.load(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (again.dim, again.store, again.engine, len(again)) == (DIM, "i8", engine, 500)
    for before, after in zip(index.search(vectors, 3), again.search(vectors, 3), strict=True):
        np.testing.assert_array_equal(before, after)
    again.check()


def test_damaged_and_foreign_files_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "index"
    VectorIndex(3).save(path)
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    with pytest.raises(SnapshotError, match=r"index: .*damaged"):
        VectorIndex.load(path)

    with Cache(capacity_bytes=100_000) as cache:
        cache.save(path)
        with pytest.raises(SnapshotError, match="vector index"):
            VectorIndex.load(path)
        VectorIndex(3).save(path)
        with pytest.raises(SnapshotError, match=r"VectorIndex\.load"):
            cache.load(path)


@pytest.mark.parametrize(("store", "row"), [("f32", 4 * DIM), ("f16", 2 * DIM), ("i8", DIM + 4)])
def test_memory_is_counted_and_stays_within_two_percent_through_turnovers(store: str, row: int) -> None:
    dim = 64 * -(-DIM // 64)
    index = VectorIndex(DIM, store=store)  # type: ignore[arg-type]
    index.add(range(2000), directions(2000))
    full = index.memory_bytes
    assert full >= 2000 * (row // DIM * dim + dim // 8 + 8 + 8)

    generator, held = random.Random(0), list(range(2000))
    for new in range(2000, 12_000):
        place = generator.randrange(2000)
        index.remove(held[place])
        held[place] = new
        index.add(new, directions(1, seed=new)[0])

    assert index.memory_bytes <= 1.02 * full
    index.remove(range(12_000))
    assert len(index) == 0
    assert index.memory_bytes < 20_000


@pytest.mark.parametrize("engine", ["flat", "hnsw"])
def test_searches_and_changes_from_many_threads_agree(engine: str) -> None:
    index, vectors = VectorIndex(DIM, engine=engine), directions(2000)  # type: ignore[arg-type]
    index.add(range(1000), vectors[:1000])
    errors: list[BaseException] = []

    def change(first: int) -> None:
        for number in range(first, first + 250):
            index.add(number, vectors[number])
            index.remove(number - 1000)

    def search() -> None:
        for _ in range(50):
            ids, similarities = index.search(vectors[:20], 5)
            assert ids.shape == (20, 5)
            assert np.all(np.diff(similarities, axis=1) <= 0)

    def kept(work: object, *args: int) -> None:
        try:
            work(*args)  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=kept, args=(change, 1000 + 250 * part)) for part in range(4)]
    threads += [threading.Thread(target=kept, args=(search,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert len(index) == 1000
    assert all(number in index for number in range(1000, 2000))
    index.check()


def test_it_says_what_it_is() -> None:
    index = VectorIndex(3, engine="flat")

    assert repr(index) == "VectorIndex(3, store='f16', engine='flat'): 0 vectors"
    assert (index.dim, index.store, index.engine) == (3, "f16", "flat")


def test_every_instruction_set_finds_the_same_and_another_is_refused() -> None:
    vectors, queries = directions(3000), directions(40, seed=1)
    found = []
    for name in _core.vector_kernels():
        index = _core.VectorIndex(DIM, store="f16", engine="flat", kernels=name)
        index.add(np.arange(3000), vectors)
        found.append(index.search(queries, 3, None)[0])
    assert found.count(found[0]) == len(found)
    with pytest.raises(ConfigError, match="vector_kernels"):
        _core.VectorIndex(DIM, store="f16", engine="flat", kernels="abacus")
