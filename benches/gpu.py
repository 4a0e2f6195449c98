"""Measures a small and a large local model side by side, on the devices there are, and under a ChatRouter.

    .venv-torch/bin/python benches/gpu.py [--models SMALL LARGE] [--device auto] [--requests 100]

Any models that `lecmux.models.Transformers` takes. Writes `benches/results/gpu.json` and `gpu.md`, which name
the device: figures from a CPU say nothing about a GPU. `make test-torch` sets the environment up.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: make the package importable
    sys.path[0] = str(Path(__file__).parents[1])

import psutil

from benches import machine
from benches.report import Table
from langchain_lecmux import ChatRouter, ChatTransformers, LECCache
from lecmux import Query, Reply
from lecmux.demo.questions import MAX_TOKENS, QUESTIONS, STOP, SYSTEM, Question
from lecmux.models import Transformers, place

RESULTS = Path(__file__).parent / "results"
ROLES = ("small", "large")
LONG_PROMPT = "Summarise this list of words: " + "apple river seven cloud " * 60
DECODE_TOKENS = 64
_OF_OTHER_BENCHES = ("cpu flags", "versions")
_BY_TEXT = {question.text: question for question in QUESTIONS}


@dataclass(frozen=True, slots=True)
class Speed:
    """One model by itself. `memory_mb` is of its device, or of the process where that is the CPU."""

    model: str
    device: str
    dtype: str
    load_seconds: float
    memory_mb: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    beside_tokens_per_second: float = 0.0


@dataclass(frozen=True, slots=True)
class Play:
    """One way of answering the same requests. Costs are of models alone, wrong answers apart."""

    title: str
    requests: int
    hits: int
    small: int
    large: int
    right_share: float
    latency_median_seconds: float
    latency_p95_seconds: float
    seconds_per_answer: float


def main() -> None:
    """Runs all of it and writes the results."""
    given = _arguments()
    models, speeds = _load(given)
    together = _side_by_side(models)
    speeds = [
        Speed(**{**asdict(speed), "beside_tokens_per_second": together[role]})
        for role, speed in zip(ROLES, speeds, strict=True)
    ]
    plays = [_play(title, models, names, given) for title, names in _strategies()]
    for model in models.values():
        model.close()
    _write(given, speeds, plays)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs=2, default=ROLES, metavar=("SMALL", "LARGE"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU, for torch")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--price-of-wrong-seconds", type=float, default=20.0)
    parser.add_argument("--usd-per-hour", type=float, default=1.0, help="of the machine, for the cost column")
    return parser.parse_args()


def _load(given: argparse.Namespace) -> tuple[dict[str, Transformers], list[Speed]]:
    sources = dict(zip(ROLES, given.models, strict=True))
    devices = dict.fromkeys(ROLES, given.device)
    if given.device == "auto":
        devices = place(sources, dtype=given.dtype)
    models, speeds = {}, []
    for role, source in sources.items():
        before, started = _memory_mb(devices[role]), time.perf_counter()
        model = Transformers(
            source, name=role, device=devices[role], dtype=given.dtype, threads=given.threads, seed=given.seed
        )
        loaded = time.perf_counter() - started
        prefill, decode = _alone(model)
        memory = _memory_mb(model.device) - before
        speeds.append(Speed(source, model.device, model.dtype, loaded, memory, prefill, decode))
        models[role] = model
    return models, speeds


def _memory_mb(device: str) -> float:
    import torch  # noqa: PLC0415  loaded with the first model

    if device == "cpu":
        return psutil.Process().memory_info().rss / 1e6
    return torch.cuda.memory_reserved(device) / 1e6


def _alone(model: Transformers) -> tuple[float, float]:
    """Tokens a second of a long prompt, and of a reply less its prompt."""
    model.chat([{"role": "user", "content": "Hello"}], max_tokens=2)  # the first call sets things up
    long = model.chat([{"role": "user", "content": LONG_PROMPT}], max_tokens=1)
    prefill = long.usage.input_tokens / long.usage.seconds
    return prefill, _decoding(model)


def _decoding(model: Transformers) -> float:
    asked = [{"role": "user", "content": "Tell me a long story about a river."}]
    first = model.chat(asked, max_tokens=1)
    whole = model.chat(asked, max_tokens=DECODE_TOKENS)
    return (whole.usage.output_tokens - 1) / (whole.usage.seconds - first.usage.seconds)


def _side_by_side(models: Mapping[str, Transformers]) -> dict[str, float]:
    """Tokens a second of each while the other generates too."""
    with ThreadPoolExecutor(len(models)) as pool:
        return dict(zip(models, pool.map(_decoding, models.values()), strict=True))


def _strategies() -> Sequence[tuple[str, tuple[str, ...]]]:
    return (
        ("always small", ("small",)),
        ("always large", ("large",)),
        ("ChatRouter, no cache", ROLES),
        ("ChatRouter and LECCache", ROLES),
    )


def _play(
    title: str, models: Mapping[str, Transformers], names: Sequence[str], given: argparse.Namespace
) -> Play:
    """The same requests for every strategy: questions by Zipf's law, so that some come back."""
    chats = {name: ChatTransformers(model=models[name], max_tokens=MAX_TOKENS, stop=STOP) for name in names}
    router = ChatRouter(
        models=chats,
        cache=LECCache() if "LECCache" in title else False,
        quality=_quality,
        price_of_wrong_seconds=given.price_of_wrong_seconds,
        seed=given.seed,
    )
    calls = dict.fromkeys(ROLES, 0)
    right, hits, latencies, seconds = 0, 0, [], 0.0
    for question in _stream(given.requests, given.seed):
        started = time.perf_counter()
        answer = router.invoke([("system", SYSTEM), ("human", question.text)])
        latencies.append(time.perf_counter() - started)
        decision = answer.response_metadata["lecmux"]
        right += question.right(str(answer.content))
        if decision["kind"] == "hit":
            hits += 1
        else:
            calls[decision["model"]] += 1
            seconds += float(answer.response_metadata["seconds"])
    count = len(latencies)
    return Play(
        title=title,
        requests=count,
        hits=hits,
        right_share=right / count,
        latency_median_seconds=statistics.median(latencies),
        latency_p95_seconds=sorted(latencies)[int(0.95 * (count - 1))],
        seconds_per_answer=seconds / count,
        **calls,
    )


def _quality(query: Query, reply: Reply) -> float:
    """Whether an answer is right: the questions know."""
    question = _BY_TEXT[str(query.attributes["messages"][-1].content)]
    return float(question.right(str(reply.value.message.content)))


def _stream(count: int, seed: int) -> Sequence[Question]:
    order = random.Random(seed)
    ranked = order.sample(QUESTIONS, len(QUESTIONS))
    weights = [1 / rank for rank in range(1, len(ranked) + 1)]
    return order.choices(ranked, weights, k=count)


def _write(given: argparse.Namespace, speeds: Sequence[Speed], plays: Sequence[Play]) -> None:
    import torch  # noqa: PLC0415  loaded with the first model

    devices = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    about = {
        "command": "python benches/gpu.py " + " ".join(sys.argv[1:]),
        "devices": ", ".join(devices) or "no GPU: these are figures of a CPU",
        "threads": str(given.threads),
        "torch": torch.__version__,
        "seed": str(given.seed),
        **{name: value for name, value in machine.describe().items() if name not in _OF_OTHER_BENCHES},
    }
    tables = [_speed_table(speeds), _play_table(plays, given)]
    text = "\n".join(
        ["# Local models side by side", "", *(f"- {name}: {value}" for name, value in about.items())]
    )
    text += "\n\n" + "\n".join(table.markdown() for table in tables)
    figures: dict[str, Any] = {
        "about": about,
        "settings": vars(given),
        "speeds": [asdict(speed) for speed in speeds],
        "plays": [asdict(play) for play in plays],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "gpu.md").write_text(text.rstrip() + "\n", encoding="utf-8")
    (RESULTS / "gpu.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(text)


def _speed_table(speeds: Sequence[Speed]) -> Table:
    rows = [
        [
            speed.model,
            speed.device,
            speed.dtype,
            f"{speed.load_seconds:.1f}",
            f"{speed.memory_mb:,.0f}",
            f"{speed.prefill_tokens_per_second:,.0f}",
            f"{speed.decode_tokens_per_second:,.1f}",
            f"{speed.beside_tokens_per_second:,.1f}",
        ]
        for speed in speeds
    ]
    columns = ["model", "device", "dtype", "load s", "MB", "prompt tok/s", "reply tok/s", "both at once"]
    return Table("Each model", columns, rows, "MB is what loading and the first calls added.")


def _play_table(plays: Sequence[Play], given: argparse.Namespace) -> Table:
    rows = [
        [
            play.title,
            str(play.hits),
            str(play.small),
            str(play.large),
            f"{play.right_share:.0%}",
            f"{play.latency_median_seconds:.3f}",
            f"{play.latency_p95_seconds:.3f}",
            f"{play.seconds_per_answer:.3f}",
            f"{play.seconds_per_answer * given.usd_per_hour / 3.6:.3f}",
        ]
        for play in plays
    ]
    columns = ["", "hits", "small", "large", "right", "median s", "p95 s", "model s / answer", "USD / 1,000"]
    return Table(
        f"{given.requests} requests",
        columns,
        rows,
        f"A wrong answer is priced at {given.price_of_wrong_seconds:g} s when the router chooses; that "
        f"price is not in the last two columns. The machine costs {given.usd_per_hour:g} USD an hour.",
    )


if __name__ == "__main__":
    main()
