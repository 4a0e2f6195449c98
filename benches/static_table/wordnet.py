"""WordNet 3.0 as text: what words mean, and words by their kind. Reads what Debian's `wordnet-base` has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Synset", "read"]

_QUOTED = re.compile(r'"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning: its `words`, the number of the lexicographer's file it stands in, and its gloss."""

    words: tuple[str, ...]
    kind: int
    is_name: bool
    definition: str
    examples: tuple[str, ...]


def read(folder: Path, part: str) -> Iterator[Synset]:
    """The meanings in `data.{part}` (noun, verb, adj, adv).

    Raises:
        OSError: when the file cannot be read.
    """
    with (folder / f"data.{part}").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("  "):  # the licence
                continue
            record, _, gloss = line.partition(" | ")
            fields = record.split()
            count = int(fields[3], 16)
            words = tuple(
                re.sub(r"\((a|p|ip)\)$", "", fields[4 + 2 * place]).replace("_", " ")
                for place in range(count)
            )
            definition = _QUOTED.split(gloss)[0].strip().rstrip(";").strip()
            yield Synset(words, int(fields[1]), " @i " in record, definition, tuple(_QUOTED.findall(gloss)))
