"""What policies save on synthetic streams, as a share of what hindsight could: the replay of the Rust core.

Runs `cargo run --release -p lecmux-sim --example savings`, so it needs Rust and the source tree.
"""

import re
import shutil
import subprocess
from pathlib import Path
from statistics import mean

from benches.payload import settings
from benches.report import Measure, Table

_COMMAND = ("cargo", "run", "--quiet", "--release", "-p", "lecmux-sim", "--example", "savings", "--")
_STREAM = re.compile(r"^(?P<law>.+), seed \d+: [\d,]+ requests")
_ROW = re.compile(r"^(?P<policy>.+?)\s+(?P<saved>\d\.\d+)\s+(?P<share>\d\.\d+)(?:\s+(?P<micros>\d+\.\d+))?$")
_DEFAULT = "LEC (default)"

Found = dict[tuple[str, str], list[tuple[float, float, float]]]
"""By law and policy, a seed each: share of the cost saved, that over the bound, us a request."""


def measure(quick: bool) -> Measure:
    """Replays the streams of `workloads/savings.toml`."""
    plan = settings("savings", quick=quick)
    if shutil.which(_COMMAND[0]) is None:
        return Measure([Table("Cost saved", ["policy"], [], "Not measured: cargo is not there.")], {})
    arguments = (str(plan[name]) for name in ("requests", "seed", "seeds"))
    root = Path(__file__).parents[2]
    done = subprocess.run([*_COMMAND, *arguments], cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    found = _parse(done.stdout)
    laws = list(dict.fromkeys(law for law, _ in found))
    shares = {law: mean(share for _, share, _ in found[law, _DEFAULT]) for law in laws}
    figures = {
        "saved_stationary": min(share for law, share in shares.items() if "drift" not in law),
        "saved_drift": min(share for law, share in shares.items() if "drift" in law),
        "replay_us": max(micros for law in laws for _, _, micros in found[law, _DEFAULT]),
    }
    samples = {f"{law}: {policy}": runs for (law, policy), runs in found.items()}
    return Measure([_table(plan, laws, found)], figures, samples)


def _parse(text: str) -> Found:
    found: Found = {}
    law = ""
    for line in text.splitlines():
        if stream := _STREAM.match(line):
            law = stream["law"]
        elif row := _ROW.match(line):
            run = (float(row["saved"]), float(row["share"]), float(row["micros"] or 0))
            found.setdefault((law, row["policy"]), []).append(run)
    return found


def _table(plan: dict[str, int], laws: list[str], found: Found) -> Table:
    def cell(law: str, policy: str) -> str:
        saved, share, _ = map(mean, zip(*found[law, policy], strict=True))
        return f"{saved:.3f} ({share:.0%})"

    policies = list(dict.fromkeys(policy for _, policy in found))
    return Table(
        f"Cost saved on {plan['requests']:,} requests, Zipf 0.8, room for 1 % of the queries",
        ["policy", *laws],
        [[policy, *(cell(law, policy) for law in laws)] for policy in policies],
        f"Share of the cost of all requests, and of what hindsight could save; means over {plan['seeds']} "
        f"streams from seed {plan['seed']} on.",
    )
