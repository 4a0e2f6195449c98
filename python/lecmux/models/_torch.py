"""Loads a model through transformers, quietly, onto a device that has room for it."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lecmux._fork import renew
from lecmux.errors import (
    ConfigError,
    LecmuxError,
    MissingExtraError,
    ModelError,
    ModelMemoryError,
    ModelNotFoundError,
)
from lecmux.models import _placement, store
from lecmux.models._convert import converted
from lecmux.models._tool_calls import CALL_MARK
from lecmux.models.catalog import CATALOG

AUTO = "auto"
_DTYPES = (AUTO, "float32", "bfloat16", "float16")
_GGUF_DTYPE = "bfloat16"
# Not left open: transformers would ask on a terminal whether code of a repository may run.
_SAFE = {"trust_remote_code": False}
# Ends of a turn that some models write without their configuration naming them as ends.
_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|eot|>", "<end_of_turn>", "<|end|>", "<|return|>")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory, with what a generation needs to know of it."""

    model: Any
    tokenizer: Any
    torch: Any
    device: str
    context_tokens: int
    end_ids: frozenset[int]
    takes_tools: bool
    marks_calls: bool


class _Loading:
    """One model is loaded at a time: the next one then sees how much memory is left."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        renew(self)

    def _after_fork(self) -> None:
        self.lock = threading.Lock()


_LOADING = _Loading()


def load(
    path_or_name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: str = AUTO,
    dtype: str = AUTO,
    context_tokens: int,
    threads: int | None = None,
) -> Loaded:
    """Loads a model; `Transformers` says what the arguments are and what is raised."""
    torch, transformers = import_torch()
    _check(torch, device, dtype)
    with _LOADING.lock, _quiet(transformers), _readable(os.fspath(path_or_name)):
        if threads is not None:
            torch.set_num_threads(threads)
        source = _source(path_or_name, dtype)
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, revision=revision, **_SAFE)
        if not tokenizer.chat_template:
            raise ModelError(
                f"{path_or_name} has no chat template: it continues text and answers no messages; load its "
                "-Instruct sibling, or put a chat_template.jinja into its folder"
            )
        devices = [device]
        if device == AUTO:
            free = _placement.free(torch)
            needs = _needed(source, revision, dtype, context_tokens) if free else 0
            devices = _placement.candidates(needs, free)
        model, chosen = _first_with_room(source, devices, revision=revision, dtype=dtype)
    return _describe(model, tokenizer, chosen, context_tokens)


def place(
    models: Mapping[str, str | os.PathLike[str]], *, dtype: str = AUTO, context_tokens: int = 4096
) -> dict[str, str]:
    """Devices for models that are to be loaded side by side, by their size and the memory that is free.

    The large one goes first to where most memory is free, and the next to where most is left: to another
    device, where there is one. Loading them one by one with `device="auto"` may put a small one onto the only
    device that a large one would have fitted on.

    >>> devices = place({"small": "small", "large": "Qwen/Qwen3-8B"})  # doctest: +SKIP
    >>> large = Transformers("Qwen/Qwen3-8B", device=devices["large"])  # doctest: +SKIP

    Args:
        models: what `Transformers` takes, by the name in the result.
        dtype: as they will be loaded.
        context_tokens: as they will be loaded.

    Returns:
        For each name "cuda:0", "cuda:1" and so on, or "cpu" where no other device has room.

    Raises:
        ModelNotFoundError, ModelError, ConfigError, MissingExtraError: as `Transformers`.
    """
    torch, transformers = import_torch()
    _check(torch, AUTO, dtype)
    needed = {}
    with _LOADING.lock, _quiet(transformers):
        for name, path_or_name in models.items():
            with _readable(os.fspath(path_or_name)):
                needed[name] = _needed(_source(path_or_name, dtype), None, dtype, context_tokens)
        return _placement.assign(needed, _placement.free(torch))


def import_torch() -> tuple[Any, Any]:
    """Torch and transformers, loaded at first use: about five seconds.

    Raises:
        MissingExtraError: one of them, or accelerate, is not installed.
    """
    try:
        import accelerate  # noqa: F401, PLC0415  transformers needs it to load straight onto a device
        import torch  # noqa: PLC0415  an extra, loaded at first use
        import transformers  # noqa: PLC0415  an extra, loaded at first use
    except ImportError as error:
        raise MissingExtraError(
            "models through transformers need it and torch: pip install 'lecmux[transformers]'"
        ) from error
    return torch, transformers


def out_of_memory(torch: Any, error: BaseException) -> bool:
    """Whether an error says that a device, or this computer, has no memory left."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in str(error)


def _check(torch: Any, device: str, dtype: str) -> None:
    if dtype not in _DTYPES:
        raise ConfigError(f"dtype must be one of {', '.join(_DTYPES)}, not {dtype!r}")
    if device == AUTO:
        return
    try:
        kind = torch.device(device).type
    except (RuntimeError, TypeError) as error:
        raise ConfigError(f"device must be 'auto', 'cpu' or like 'cuda:0', not {device!r}") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device={device!r}: torch sees no CUDA device here; use 'auto' or 'cpu'")


def _source(path_or_name: str | os.PathLike[str], dtype: str) -> str:
    """What transformers loads from: a folder, made from a GGUF file if need be, or the id of a repository."""
    name = os.fspath(path_or_name)
    if Path(name).expanduser().is_dir():
        return os.fspath(Path(name).expanduser())
    try:
        found = store.find(name)
    except ModelNotFoundError:
        if (
            name in CATALOG
            or name.endswith(".gguf")
            or Path(name).is_absolute()
            or name.startswith((".", "~"))
        ):
            raise
        return name
    format_ = _GGUF_DTYPE if dtype == AUTO else dtype
    return os.fspath(converted(found, format_, lambda folder: _convert(found.path, format_, folder)))


def _convert(path: Path, dtype: str, folder: Path) -> None:
    """Unpacks a GGUF file: its numbers become `dtype`, so that no kernels for packed ones are needed."""
    torch, transformers = import_torch()
    try:
        import gguf  # noqa: F401, PLC0415  transformers reads the file with it
    except ImportError as error:
        raise MissingExtraError(
            "GGUF files through transformers need gguf: pip install 'lecmux[transformers]'"
        ) from error
    model = transformers.AutoModelForCausalLM.from_pretrained(
        path.parent,
        gguf_file=path.name,
        dtype=getattr(torch, dtype),
        quantization_config=transformers.GgufConfig(dequantize=True),
    )
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(folder)


def _needed(source: str, revision: str | None, dtype: str, context_tokens: int) -> int:
    """Bytes that a model will take, counted without loading it."""
    torch, transformers = import_torch()
    config = transformers.AutoConfig.from_pretrained(source, revision=revision, **_SAFE)
    with torch.device("meta"):
        empty = transformers.AutoModelForCausalLM.from_config(config)
    parameters = sum(each.numel() for each in empty.parameters())
    own = getattr(config, "dtype", None) or torch.float32
    bytes_each = (own if dtype == AUTO else getattr(torch, dtype)).itemsize
    return _placement.needed(config, parameters, bytes_each, min(context_tokens, _longest(config)))


def _first_with_room(source: str, devices: list[str], *, revision: str | None, dtype: str) -> tuple[Any, str]:
    """Loads onto the first device that takes it: others may have filled one since it was measured."""
    torch, transformers = import_torch()
    for device in devices:
        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(
                source,
                revision=revision,
                **_SAFE,
                dtype=dtype if dtype == AUTO else getattr(torch, dtype),
                **({} if device == _placement.CPU else {"device_map": {"": device}}),
            )
        except Exception as error:
            if not out_of_memory(torch, error):
                raise
        else:
            return model, device
        # Outside the handler, whose error held what had been loaded.
        torch.cuda.empty_cache()
    raise ModelMemoryError(
        f"{source} does not fit into the memory that is free on {' or '.join(devices)}; close another model, "
        "load it with dtype='bfloat16', choose another device, or a smaller model"
    )


def _describe(model: Any, tokenizer: Any, device: str, context_tokens: int) -> Loaded:
    torch, transformers = import_torch()
    template = tokenizer.chat_template
    written = template if isinstance(template, str) else "".join(template.values())
    ends = _end_ids(model, tokenizer, written)
    pad = tokenizer.pad_token_id
    # A model's own settings for sampling, such as a repetition penalty, would change greedy replies too.
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=sorted(ends) or None,
        pad_token_id=pad if pad is not None else min(ends, default=0),
        cache_implementation=model.generation_config.cache_implementation,
    )
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        torch=torch,
        device=device,
        context_tokens=min(context_tokens, _longest(model.config)),
        end_ids=frozenset(ends),
        takes_tools="tools" in written,
        marks_calls=CALL_MARK in written,
    )


def _longest(config: Any) -> int:
    """The longest conversation that the model was made for, in tokens; no limit where it names none."""
    return int(getattr(config.get_text_config(), "max_position_embeddings", None) or sys.maxsize)


def _end_ids(model: Any, tokenizer: Any, template: str) -> set[int]:
    own = model.generation_config.eos_token_id
    ends = {tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])} - {None}
    vocabulary = tokenizer.get_added_vocab()
    return ends | {vocabulary[mark] for mark in _TURN_ENDS if mark in template and mark in vocabulary}


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turns what transformers raises, which is anything its parsers do, into errors that say what to do."""
    try:
        yield
    except LecmuxError:
        raise
    except OSError as error:
        raise ModelNotFoundError(
            f"no model {name!r}: transformers finds no folder, no GGUF file and no repository of that name "
            f"that it can reach ({_first_line(error)}); check the spelling, or give the path of a folder"
        ) from error
    except Exception as error:
        raise ModelError(f"transformers cannot load {name}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Silences progress bars and advice while a model is loaded."""
    log = transformers.utils.logging
    verbosity, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(verbosity)
        if bars:
            log.enable_progress_bar()
