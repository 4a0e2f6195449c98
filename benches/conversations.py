"""Serves conversations with growing histories from one cache: hits, wrong hits and key time, turn by turn.

    python -m benches.conversations [--visits 6] [--orders 5] [--embedder minilm-int8] [--json PATH]

Each conversation is held several times: in the same words, with one turn in other words, or with one that
asks another thing. A served answer is right where it was given to the same question after the same history.
The conversations are those of `$LECMUX_DATA/text/cast_conversations.csv.gz` (TREC CAsT; other words of a turn
are those of its standalone rewrite), or without that folder a few that lie here.
"""

import argparse
import csv
import gzip
import json
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from operator import eq
from pathlib import Path
from statistics import median
from typing import Any

if not __package__:  # run as a file: make the package importable
    sys.path[0] = str(Path(__file__).parents[1])

from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult

from benches import machine
from benches.report import Table
from langchain_lecmux import LECCache
from langchain_lecmux.canonical import canonical_key
from langchain_lecmux.salient import salient_prompt
from lecmux import Price, Semantic
from lecmux.embedders import embedder

SYSTEM = SystemMessage("You are a helpful assistant.")
HEARD = AIMessage("I see.")  # one reply to everything: only what humans said tells histories apart
CAPACITY_BYTES = 64_000_000
MODEL = "answering"
PRICES = {MODEL: Price(input_usd_per_million=1.0, output_usd_per_million=4.0)}
USAGE = UsageMetadata(input_tokens=100, output_tokens=100, total_tokens=200)
OWN: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("What is throat cancer?", "What is throat cancer?"),
        ("Is it treatable?", "Is throat cancer treatable?"),
        ("How deadly is it?", "How deadly is throat cancer?"),
        ("What are its symptoms?", "What are the symptoms of throat cancer?"),
    ),
    (
        ("What is lung cancer?", "What is lung cancer?"),
        ("Is it treatable?", "Is lung cancer treatable?"),
        ("How deadly is it?", "How deadly is lung cancer?"),
        ("What are its symptoms?", "What are the symptoms of lung cancer?"),
    ),
    (
        ("Tell me about the blue whale.", "Tell me about the blue whale."),
        ("How long does it live?", "How long does the blue whale live?"),
        ("What does it eat?", "What does the blue whale eat?"),
        ("Is it dangerous?", "Is the blue whale dangerous?"),
    ),
    (
        ("Tell me about the tiger shark.", "Tell me about the tiger shark."),
        ("How long does it live?", "How long does the tiger shark live?"),
        ("What does it eat?", "What does the tiger shark eat?"),
        ("Is it dangerous?", "Is the tiger shark dangerous?"),
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One turn: its words, what it asks, and what was asked before."""

    messages: tuple[BaseMessage, ...]
    meaning: str
    history: tuple[str, ...]
    number: int

    @property
    def answer(self) -> str:
        """What a model says to it: no other question, and no other history, gets the same."""
        return json.dumps([self.meaning, *self.history])


@dataclass
class Turn:
    """What came of all the turns of one number."""

    requests: int = 0
    repeats: int = 0
    """Requests for which an answer to the same question after the same history had been given before."""
    exact_hits: int = 0
    semantic_hits: int = 0
    wrong_hits: int = 0
    other_history_hits: int = 0
    exact_key_us: list[float] = field(default_factory=list)
    semantic_key_us: list[float] = field(default_factory=list)


class Answering(BaseChatModel):
    """Answers by a table, made anew for each request."""

    said: dict[str, str]

    @property
    def _llm_type(self) -> str:
        return MODEL

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": MODEL}

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        message = AIMessage(self.said["next"], usage_metadata=USAGE, response_metadata={"model_name": MODEL})
        return ChatResult(generations=[ChatGeneration(message=message)])


def conversations(data: str | None) -> list[list[tuple[str, str]]]:
    """Conversations: the words of each turn, and other words for it."""
    if data is None:
        return [list(conversation) for conversation in OWN]
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    with gzip.open(
        Path(data) / "text" / "cast_conversations.csv.gz", "rt", encoding="utf-8", newline=""
    ) as file:
        for row in csv.DictReader(file):
            found[row["year"], row["topic"]].append((row["raw_utterance"], row["standalone_rewrite"]))
    return list(found.values())


def visits(talks: Sequence[Sequence[tuple[str, str]]], each: int, seed: int) -> Iterator[Asked]:
    """Every conversation `each` times, in a seeded order.

    A third of them in the same words, a third with one turn in other words, a third with one turn that asks
    what another conversation opens with.
    """
    dice = random.Random(seed)
    held = [(talk, visit) for talk in range(len(talks)) for visit in range(each)]
    dice.shuffle(held)
    for talk, visit in held:
        turns = [(words, f"{talk}.{place}") for place, (words, _) in enumerate(talks[talk])]
        place = dice.randrange(len(turns))
        if visit % 3 == 1:
            turns[place] = (talks[talk][place][1], turns[place][1])
        elif visit % 3 == 2:
            other = dice.randrange(len(talks))
            place = max(1, place)
            turns[place] = (talks[other][0][0], f"{other}.0")  # openings: their words need no history
        yield from _asked(turns)


def _asked(turns: Sequence[tuple[str, str]]) -> Iterator[Asked]:
    messages: list[BaseMessage] = [SYSTEM]
    history: tuple[str, ...] = ()
    for number, (words, meaning) in enumerate(turns, 1):
        messages.append(HumanMessage(words))
        yield Asked(tuple(messages), meaning, history, number)
        messages.append(HEARD)
        history = (*history, meaning)


def serve(stream: Iterator[Asked], semantic: Semantic | None) -> dict[int, Turn]:
    """Answers the stream through an empty cache; tells what came of it by the number of the turn."""
    cache = LECCache(CAPACITY_BYTES, semantic=semantic, prices=PRICES)
    model = Answering(said={}, cache=cache)
    turns: dict[int, Turn] = defaultdict(Turn)
    seen: set[str] = set()
    for asked in stream:
        turn = turns[asked.number]
        turn.requests += 1
        turn.repeats += asked.answer in seen
        seen.add(asked.answer)
        _time_keys(asked, turn)
        model.said["next"] = asked.answer
        message = model.invoke(list(asked.messages))
        told = message.response_metadata.get("lecmux", {})
        if not told:
            continue
        turn.exact_hits += told["reason"] == "exact"
        turn.semantic_hits += told["reason"] == "semantic"
        turn.wrong_hits += message.content != asked.answer
        turn.other_history_hits += json.loads(str(message.content))[1:] != list(asked.history)
    return dict(turns)


def _time_keys(asked: Asked, turn: Turn) -> None:
    """By the clock of the thread; the cache is given another prompt, so that no key is found remembered."""
    prompt = dumps([HumanMessage(str(turn.requests)), *asked.messages])
    started = time.thread_time_ns()
    canonical_key(prompt)
    between = time.thread_time_ns()
    salient_prompt(prompt)
    turn.exact_key_us.append((between - started) / 1000)
    turn.semantic_key_us.append((time.thread_time_ns() - between) / 1000)


def main() -> None:
    """The command."""
    options = _options()
    data = os.environ.get("LECMUX_DATA")
    talks = conversations(data)
    encoder = embedder(options.embedder)
    found = {"exact": dict[int, Turn](), "semantic": dict[int, Turn]()}
    for seed in range(options.orders):
        for name, turns in found.items():
            semantic = (
                Semantic(encoder, max_error=options.max_error, same_answer=eq) if name == "semantic" else None
            )
            for number, turn in serve(visits(talks, options.visits, seed), semantic).items():
                _add(turns.setdefault(number, Turn()), turn)
    facts = machine.describe() | {
        "conversations": f"{len(talks)}, {'CAsT' if data else 'our own'}",
        "visits each": str(options.visits),
        "orders": f"{options.orders}, seeds from 0",
        "embedder": options.embedder,
        "max_error": str(options.max_error),
    }
    print("\n".join(f"- {name}: {value}" for name, value in facts.items()), "\n")
    print(_table(found).markdown())
    if options.json:
        told = {
            name: {number: asdict(turn) for number, turn in turns.items()} for name, turns in found.items()
        }
        options.json.write_text(json.dumps({"facts": facts, "turns": told}, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--visits", type=int, default=6, help="of each conversation")
    parser.add_argument("--orders", type=int, default=5, help="seeded orders")
    parser.add_argument("--embedder", default="minilm-int8")
    parser.add_argument("--max-error", type=float, default=0.02)
    parser.add_argument("--json", type=Path, metavar="PATH", help="where to write every sample")
    return parser.parse_args()


def _add(total: Turn, turn: Turn) -> None:
    for name, value in asdict(turn).items():
        setattr(total, name, getattr(total, name) + value)


def _table(found: dict[str, dict[int, Turn]]) -> Table:
    columns = (
        "turn", "requests", "asked before", "exact stage alone: hits", "wrong", "with semantic: exact hits",
        "semantic hits", "wrong", "of another history", "exact key us", "salient text us",
    )  # fmt: skip
    rows = [
        _row(str(number), found["exact"][number], found["semantic"][number])
        for number in sorted(found["exact"])
    ]
    exact, semantic = Turn(), Turn()
    for number in found["exact"]:
        _add(exact, found["exact"][number])
        _add(semantic, found["semantic"][number])
    return Table("Conversations, turn by turn", columns, [*rows, _row("all", exact, semantic)])


def _row(name: str, exact: Turn, semantic: Turn) -> list[str]:
    counts = (
        exact.requests, exact.repeats, exact.exact_hits, exact.wrong_hits, semantic.exact_hits,
        semantic.semantic_hits, semantic.wrong_hits, semantic.other_history_hits + exact.other_history_hits,
    )  # fmt: skip
    times = (median(semantic.exact_key_us), median(semantic.semantic_key_us))
    return [name, *(f"{count:,}" for count in counts), *(f"{value:.1f}" for value in times)]


if __name__ == "__main__":
    main()
