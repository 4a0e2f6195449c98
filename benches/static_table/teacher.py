"""What MiniLM says of each text, as the table is to say it.

    python -m benches.static_table.teacher texts.txt --out teacher.f16

Rows of 384 float16 in the order of the texts; a run that was stopped goes on where it stopped.
"""

import argparse
from pathlib import Path

import numpy as np

from lecmux.embedders import MiniLM

__all__ = ["main", "read"]

DIM = 384
_CHUNK = 2048


def read(path: Path) -> "np.ndarray":
    """The vectors made so far, (n, 384) float16."""
    return np.fromfile(path, np.float16).reshape(-1, DIM)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("texts", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    texts = asked.texts.read_text(encoding="utf-8").splitlines()
    model = MiniLM(threads=asked.threads)
    done = asked.out.stat().st_size // (2 * DIM) if asked.out.exists() else 0
    with asked.out.open("ab") as out:
        while done < len(texts):
            chunk = texts[done : done + _CHUNK]
            out.write(model.embed(chunk).astype(np.float16).tobytes())
            out.flush()
            done += len(chunk)
            print(f"{done:,} of {len(texts):,}", flush=True)


if __name__ == "__main__":
    main()
