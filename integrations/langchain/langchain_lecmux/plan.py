"""How an answer arrived: the borders of its chunks or events, small enough to be stored beside it.

A stream is a list of deltas, plain JSON. Successive deltas that differ in one text only become a run: the
delta with a hole, the text of all of them, and where it was cut. A text that the stored message holds as
well is pointed to, so that a run costs about a byte a chunk.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Literal

from langchain_core.messages import AIMessage, BaseMessage

Kind = Literal["chunks", "events"]
Delta = dict[str, Any]
Path = tuple[str | int, ...]

# Where providers let a text grow.
_GROWS: Final = frozenset(
    {"args", "arguments", "data", "input", "partial_json"}
    | {"reasoning", "reasoning_content", "text", "thinking"}
)
_LONGEST_RATIO: Final = 4
_LONGEST_ANYWAY: Final = 4096
# Lengths of short pieces as one printable character each: as a list they would weigh as much as the text.
_ZERO: Final = ord("#")
_LONGEST: Final = ord("[") - _ZERO


@dataclass(slots=True)
class Plan:
    """The deltas of one answer, as they came (`deltas`) or as they were stored (`runs`)."""

    kind: Kind
    deltas: Sequence[Delta] | None = None
    runs: Any = None

    def packed(self, message: BaseMessage) -> dict[str, Any] | None:
        """The stored form; None where it would weigh far more than the message, or is no plain JSON."""
        places = dict(_places(_shown(message)))
        runs = [_packed_run(run, places) for run in _runs(self.deltas or ())]
        try:
            weight, whole = len(json.dumps(runs)), len(json.dumps(_shown(message)))
        except (TypeError, ValueError, RecursionError):
            return None
        if weight > _LONGEST_RATIO * whole + _LONGEST_ANYWAY:
            return None
        return {"kind": self.kind, "runs": runs}

    @classmethod
    def stored(cls, packed: Any) -> "Plan | None":
        """The plan in `packed`; None where there is none."""
        if not isinstance(packed, Mapping) or packed.get("kind") not in {"chunks", "events"}:
            return None
        return cls(packed["kind"], runs=packed.get("runs"))

    def of(self, message: BaseMessage) -> list[Delta]:
        """The deltas, made anew.

        Raises:
            ValueError, TypeError, KeyError, IndexError: what was stored does not fit `message`.
        """
        if self.deltas is not None:
            return deepcopy(list(self.deltas))
        shown = _shown(message)
        return [delta for run in self.runs for delta in _unpacked_run(run, shown)]


@dataclass(slots=True)
class _Run:
    """Deltas that differ in what stands at `paths`; without paths, one delta."""

    template: Delta
    paths: list[Path]
    values: list[Any]


def _runs(deltas: Sequence[Delta]) -> Iterator[_Run]:
    run: _Run | None = None
    for delta in deltas:
        paths, value = _hole(delta)
        template = _emptied(delta, paths)
        if run and run.paths == paths and isinstance(value, str) and run.template == template:
            run.values.append(value)
            continue
        if run:
            yield run
        run = _Run(template, paths, [value])
    if run:
        yield run


def _hole(delta: Delta) -> tuple[list[Path], Any]:
    """Where the text of a delta stands, perhaps twice; the whole block for an event that ends one."""
    if delta.get("event") == "content-block-finish":
        return [("content",)], delta.get("content")
    found = list(_growing(delta))
    if found and all(value == found[0][1] for _, value in found):
        return [path for path, _ in found], found[0][1]
    return [], None


def _growing(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str):
                if item and (name in _GROWS or (name == "content" and not path)):
                    yield (*path, name), item
            else:
                yield from _growing(item, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _growing(item, (*path, place))


def _emptied(delta: Delta, paths: list[Path]) -> Delta:
    template = deepcopy(delta)
    for path in paths:
        _put(template, path, None)
    return template


def _packed_run(run: _Run, places: Mapping[str, Path]) -> list[Any]:
    """`[template, paths, source, cuts]`; `source`: `["at", path]` in the message, or `["is", value]`."""
    if not run.paths:
        return [run.template]
    text = isinstance(run.values[0], str)
    value = "".join(run.values) if text else run.values[0]
    at = places.get(_written(value))
    source = ["is", value] if at is None else ["at", list(at)]
    cuts = pack_lengths([len(each) for each in run.values]) if text else None
    return [run.template, [list(path) for path in run.paths], source, cuts]


def _unpacked_run(run: Any, shown: Delta) -> Iterator[Delta]:
    template, *hole = run
    if not isinstance(template, dict):
        raise TypeError("a stored delta that is no object")
    if not hole:
        yield deepcopy(template)
        return
    paths, (kind, source), cuts = hole
    value = deepcopy(_get(shown, source)) if kind == "at" else source
    for piece in [value] if cuts is None else cut(value, unpack_lengths(cuts)):
        delta = deepcopy(template)
        for path in paths:
            _put(delta, path, piece)
        yield delta


def cut(text: str, lengths: Sequence[int]) -> Iterator[str]:
    """The pieces of a text.

    Raises:
        ValueError: the lengths are those of another one.
    """
    if sum(lengths) != len(text):
        raise ValueError("a stored stream that does not fit its answer")
    start = 0
    for length in lengths:
        yield text[start : start + length]
        start += length


def _shown(message: BaseMessage) -> Delta:
    """The parts of a message in which the text of a stream may stand again."""
    calls = message.tool_calls if isinstance(message, AIMessage) else ()
    arguments = [_written(call["args"]) for call in calls]
    return {"content": message.content, "extra": message.additional_kwargs, "arguments": arguments}


def _places(shown: Delta) -> Iterator[tuple[str, Path]]:
    """Every text and every content block, with its path."""
    content = shown["content"]
    if isinstance(content, list):
        yield from ((_written(block), ("content", place)) for place, block in enumerate(content))
    yield from _texts(shown, ())


def _texts(value: Any, path: Path) -> Iterator[tuple[str, Path]]:
    if isinstance(value, str):
        yield _written(value), path
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _texts(item, (*path, place))


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def _get(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _put(value: Any, path: Sequence[str | int], item: Any) -> None:
    *steps, last = path
    _get(value, steps)[last] = item


def pack_lengths(lengths: Sequence[int]) -> str | list[int]:
    """Lengths of pieces: a character each where all are short."""
    if lengths and max(lengths) > _LONGEST:
        return list(lengths)
    return "".join(chr(_ZERO + length) for length in lengths)


def unpack_lengths(packed: Any) -> tuple[int, ...]:
    """What `pack_lengths` was given; what is none is left out."""
    if isinstance(packed, str):
        return tuple(ord(length) - _ZERO for length in packed)
    return tuple(length for length in packed if isinstance(length, int))
