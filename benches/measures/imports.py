"""Time of `import`, in fresh processes, interleaved."""

import subprocess
import sys
from functools import partial
from statistics import median

from benches.adapters import ALL
from benches.payload import settings
from benches.report import Measure, Table
from benches.timing import interleave

_TIMED = "from time import perf_counter as now; start = now(); import {}; print(now() - start)"


def measure(quick: bool) -> Measure:
    """Imports what the users of each cache import."""
    modules = sorted({kind.module for kind in ALL} - {"builtins"})
    tasks = {module: partial(_import_ms, module) for module in modules}
    samples = interleave(tasks, settings("memory", quick=quick)["imports"])
    rows = [
        [name, f"{median(ms):.1f}"] for name, ms in sorted(samples.items(), key=lambda item: median(item[1]))
    ]
    table = Table("Import", ["module", "ms"], rows, "In a process that has imported nothing else.")
    return Measure([table], {"import_ms": median(samples["lecmux"])}, {"ms": samples})


def _import_ms(module: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(module)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout) * 1e3
